package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// downlink makes the bits of the downlink: packets → frames → code.
type downlink struct {
	frames  *Framer
	coder   *DownEncoder // nil without frames
	report  int          // which channel the next CLCW speaks of
	reserve reserve      // of anti-replay numbers
	frame   []byte
}

func (d *downlink) init(p Profile, s Saver) (err error) {
	d.reserve = reserve{saver: s, spi: map[uint16]*reserved{}}
	if d.frames, err = NewFramer(p, d.reserve.number); err != nil {
		return fmt.Errorf("space link: %w", err)
	}
	if p.Down == FramingPackets {
		return nil
	}
	if d.coder, err = p.NewDownEncoder(); err != nil {
		return fmt.Errorf("space link: %w", err)
	}
	return nil
}

// Send queues a packet on downlink virtual channel vc, any but that of idle frames. The
// octets are copied. ErrFull says that the queue holds as many packets as it may.
func (s *Space) Send(vc ccsds.VCID, packet []byte) error { return s.down.frames.Send(vc, packet) }

// Room is how many packets the queue of downlink virtual channel vc still takes.
func (s *Space) Room(vc ccsds.VCID) int { return s.down.frames.Room(vc) }

// NextCADU appends the next unit of the downlink to dst: the coded frame with its sync
// marker, a codeblock with as many frames as fill it where frames are sliced, or a packet
// where there are no frames. There always is one; with nothing to send it is idle, and
// carries a CLCW like any other frame.
func (s *Space) NextCADU(dst []byte) []byte {
	at, ok := len(dst), true
	for ok && len(dst) == at {
		dst, ok = s.nextFrame(dst)
	}
	return dst
}

// nextFrame appends what is coded with the next frame: nothing while a slice is not full.
func (s *Space) nextFrame(dst []byte) (out []byte, ok bool) {
	d := &s.down
	var idle bool
	d.frame, idle = d.frames.Next(d.frame[:0], s.nextOCF())
	s.stats.FramesDown++
	if idle {
		s.stats.FramesIdle++
	}
	if d.frames.Err() != nil {
		s.stats.Unprotected++
	}
	if d.coder == nil {
		return append(dst, d.frame...), true
	}
	at := len(dst)
	dst, err := d.coder.Append(dst, d.frame)
	if err != nil { // Validate made sure that frame and code fit
		return dst[:at], false
	}
	return dst, true
}

// nextOCF reports on one uplink channel after the other, and where the profile has it then on
// security.
func (s *Space) nextOCF() [4]byte {
	turns := len(s.order)
	if s.p.FSR {
		turns++
	}
	turn := s.down.report % turns
	s.down.report++
	if turn == len(s.order) {
		return s.fsr.Encode()
	}
	id := s.order[turn]
	farm := &s.vcs[id].farm
	if s.saving {
		farm = &s.vcs[id].before
	}
	c := farm.CLCW(id)
	c.NoBitLock = !s.locked
	return c.Octets()
}
