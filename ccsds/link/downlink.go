package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/tm"
)

// downWeights shares the downlink among virtual channels that all have something to
// send: housekeeping first, but nobody starves. A channel not named has weight 1.
var downWeights = [tm.MaxVCID]int{0: 8, 1: 4, 2: 4, 3: 2, 4: 1, 5: 1, 6: 1}

// downlink makes the stream of CADUs.
type downlink struct {
	builder *tm.Builder
	rs      *coding.RS
	queue   [tm.MaxVCID][][]byte
	credit  [tm.MaxVCID]int
	report  int // which channel the next CLCW speaks of
	frame   []byte
	limit   int // packets a queue
	data    int // octets of a frame's data field
}

func (d *downlink) init(p Profile) (err error) {
	d.limit, d.data = p.Queue, p.tm().DataLength()
	if d.builder, err = tm.NewBuilder(p.tm()); err != nil {
		return fmt.Errorf("space link: %w", err)
	}
	if d.rs, err = coding.NewRS(16, p.Interleave, true); err != nil {
		return fmt.Errorf("space link: %w", err)
	}
	return nil
}

// Send queues a space packet on downlink virtual channel vc, 0 to 6. The octets are
// copied. ErrFull says that the queue holds as many packets as it may.
func (s *Space) Send(vc ccsds.VCID, packet []byte) error {
	if vc >= tm.IdleVCID {
		return fmt.Errorf("link: send on virtual channel %d: want 0 to %d", vc, tm.IdleVCID-1)
	}
	n, err := ccsds.PacketLength(packet)
	if err != nil {
		return fmt.Errorf("link: send on virtual channel %d: %w", vc, err)
	}
	if n != len(packet) {
		return fmt.Errorf("link: send on virtual channel %d: packet says %d octets, have %d", vc, n, len(packet))
	}
	if s.Room(vc) <= 0 {
		return ErrFull
	}
	s.down.queue[vc] = append(s.down.queue[vc], append([]byte(nil), packet...))
	return nil
}

// Room is how many packets the queue of downlink virtual channel vc still takes.
func (s *Space) Room(vc ccsds.VCID) int {
	if vc >= tm.IdleVCID {
		return 0
	}
	return s.down.limit - len(s.down.queue[vc])
}

// NextCADU appends the next unit of the downlink to dst: sync marker and coded frame.
// There always is one; with nothing to send it is an idle frame, which carries a CLCW
// like any other.
func (s *Space) NextCADU(dst []byte) []byte {
	d := &s.down
	ocf := s.nextCLCW()
	vc, ok := d.choose()
	if ok {
		d.frame, ok = d.builder.Next(d.frame[:0], vc, ocf, true)
	}
	if !ok {
		d.frame = d.builder.Idle(d.frame[:0], ocf)
		s.stats.FramesIdle++
	}
	s.stats.FramesDown++
	dst = coding.AppendASM(dst)
	at := len(dst)
	dst, err := d.rs.Encode(dst, d.frame)
	if err != nil { // Validate made sure that frame and code fit
		return dst[:at-coding.ASMLength]
	}
	coding.Randomise(dst[at:])
	return dst
}

// nextCLCW reports on one uplink channel after the other.
func (s *Space) nextCLCW() [4]byte {
	id := s.order[s.down.report%len(s.order)]
	s.down.report++
	c := s.vcs[id].farm.CLCW(id)
	c.NoBitLock = !s.locked
	return c.Octets()
}

// choose fills the builder from the queues and picks the channel of the next frame by
// smooth weighted round robin: each that waits gains its weight, the richest pays for all.
func (d *downlink) choose() (vc ccsds.VCID, ok bool) {
	total, best := 0, -1
	for i := range d.queue {
		d.fill(ccsds.VCID(i))
		if d.builder.Pending(ccsds.VCID(i)) == 0 {
			d.credit[i] = 0
			continue
		}
		d.credit[i] += downWeights[i]
		total += downWeights[i]
		if best < 0 || d.credit[i] > d.credit[best] {
			best = i
		}
	}
	if best < 0 {
		return 0, false
	}
	d.credit[best] -= total
	return ccsds.VCID(best), true
}

// fill moves packets from the queue to the builder until a frame is full.
func (d *downlink) fill(vc ccsds.VCID) {
	q := d.queue[vc]
	for len(q) > 0 && d.builder.Pending(vc) < d.data {
		if err := d.builder.Append(vc, q[0]); err != nil {
			break // no room: stays for the next frame
		}
		q[0] = nil
		q = q[1:]
	}
	if len(q) == 0 {
		q = d.queue[vc][:0]
	}
	d.queue[vc] = q
}
