package tm

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// MaxPending bounds the octets that wait on one virtual channel.
const MaxPending = 1 << 20

// ErrFull says that a virtual channel has too many octets waiting.
var ErrFull = errors.New("virtual channel is full")

// Builder packs packets into the frames of one master channel. Packets follow each other
// without gaps and span frames.
type Builder struct {
	p    Params
	mcfc uint8
	vc   [MaxVCID + 1]channel
	idle []byte // data field of idle frames
}

// channel is what waits on one virtual channel.
type channel struct {
	vcfc   uint8
	buf    []byte // octets not yet in a frame
	starts []int  // where packets begin in buf, rising
	fill   int    // octets at the end of buf that are the rest of an idle packet
}

// NewBuilder returns a Builder whose frame counts begin at zero.
func NewBuilder(p Params) (*Builder, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &Builder{p: p, idle: ccsds.AppendIdleData(nil, p.DataLength())}, nil
}

// Append queues one whole space packet on a virtual channel. The octets are copied.
func (b *Builder) Append(vc ccsds.VCID, packet []byte) error {
	if vc > MaxVCID || vc == IdleVCID {
		return fmt.Errorf("queue packet: virtual channel %d, want 0 to %d", vc, IdleVCID-1)
	}
	n, err := ccsds.PacketLength(packet)
	if err != nil {
		return fmt.Errorf("queue packet: %w", err)
	}
	if n != len(packet) {
		return fmt.Errorf("queue packet: it says %d octets, have %d", n, len(packet))
	}
	c := &b.vc[vc]
	if len(c.buf)+n > MaxPending {
		return fmt.Errorf("queue packet on virtual channel %d: %w", vc, ErrFull)
	}
	c.append(packet)
	c.fill = 0
	return nil
}

func (c *channel) append(packet []byte) {
	c.starts = append(c.starts, len(c.buf))
	c.buf = append(c.buf, packet...)
}

// Pending returns the octets of packets that wait on vc; fill does not count.
func (b *Builder) Pending(vc ccsds.VCID) int {
	if vc > MaxVCID {
		return 0
	}
	return len(b.vc[vc].buf) - b.vc[vc].fill
}

// Ready reports whether vc can fill a whole frame without fill.
func (b *Builder) Ready(vc ccsds.VCID) bool { return b.Pending(vc) >= b.p.DataLength() }

// Next appends the next frame of vc to dst. ok is false, and dst as it was, when too
// little waits: less than a frame, or with flush nothing at all. With flush an idle
// packet fills the rest of the data field; where less than the seven octets of the
// shortest packet are left, its end goes into the next frame.
func (b *Builder) Next(dst []byte, vc ccsds.VCID, ocf [4]byte, flush bool) (frame []byte, ok bool) {
	if vc > MaxVCID || vc == IdleVCID {
		return dst, false
	}
	c, room := &b.vc[vc], b.p.DataLength()
	if short := room - len(c.buf); short > 0 {
		if !flush || b.Pending(vc) == 0 {
			return dst, false
		}
		n := max(short, ccsds.MinPacketLength)
		c.starts = append(c.starts, len(c.buf))
		c.buf = ccsds.AppendIdlePacket(c.buf, n)
		c.fill = n - short
	}
	fhp := NoPacketStart
	if len(c.starts) > 0 && c.starts[0] < room {
		fhp = uint16(c.starts[0])
	}
	dst = b.frame(dst, vc, &c.vcfc, fhp, c.buf[:room], ocf)
	c.drop(room)
	return dst, true
}

// Idle appends a frame that carries only idle data (§4.1.2.7.6) on VC 7 to dst.
func (b *Builder) Idle(dst []byte, ocf [4]byte) []byte {
	return b.frame(dst, IdleVCID, &b.vc[IdleVCID].vcfc, OnlyIdleData, b.idle, ocf)
}

func (b *Builder) frame(dst []byte, vc ccsds.VCID, vcfc *uint8, fhp uint16, data []byte, ocf [4]byte) []byte {
	f := Frame{
		Params: b.p, SCID: b.p.SCID, VCID: vc, MCFC: b.mcfc, VCFC: *vcfc,
		SegLengthID: 3, FirstHeaderPointer: fhp, OCF: ocf,
	}
	b.mcfc++
	*vcfc++
	start := len(dst)
	dst = append(f.appendHeader(dst), data...)
	return f.appendTrailer(dst, start)
}

// drop removes the first n octets and the packet starts in them.
func (c *channel) drop(n int) {
	c.buf = append(c.buf[:0], c.buf[n:]...)
	gone := 0
	for gone < len(c.starts) && c.starts[gone] < n {
		gone++
	}
	c.starts = append(c.starts[:0], c.starts[gone:]...)
	for i := range c.starts {
		c.starts[i] -= n
	}
}
