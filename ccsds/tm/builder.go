package tm

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/packets"
)

// MaxPending bounds the octets that wait on one virtual channel.
const MaxPending = packets.MaxPending

// ErrFull says that a virtual channel has too many octets waiting.
var ErrFull = packets.ErrFull

// Builder packs packets into the frames of one master channel. Packets follow each other
// without gaps and span frames.
type Builder struct {
	p    Params
	mcfc uint8
	vc   [MaxVCID + 1]channel
	idle []byte // data field of idle frames
	sec  ccsds.Protector
	err  error
}

// channel is what waits on one virtual channel, and its frame count.
type channel struct {
	packets.Queue
	vcfc uint8
}

// NewBuilder returns a Builder whose frame counts begin at zero.
func NewBuilder(p Params) (*Builder, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &Builder{p: p, idle: ccsds.AppendIdleData(nil, p.DataLength())}, nil
}

// Secure sets what applies security to all frames but idle ones.
func (b *Builder) Secure(p ccsds.Protector) { b.sec = p }

// Err is why the last call of Next, though enough waited, made no frame: security could
// not be applied. The packets still wait.
func (b *Builder) Err() error { return b.err }

// room is the data field of frames of vc without what security adds to it, in octets.
func (b *Builder) room(vc ccsds.VCID) int { return b.p.DataLength() - ccsds.Overhead(b.sec, vc) }

// Append queues one whole space packet on a virtual channel. The octets are copied.
func (b *Builder) Append(vc ccsds.VCID, packet []byte) error {
	if vc > MaxVCID || vc == IdleVCID {
		return fmt.Errorf("queue packet: virtual channel %d, want 0 to %d", vc, IdleVCID-1)
	}
	if err := b.vc[vc].Append(packet, false); err != nil {
		return fmt.Errorf("queue packet on virtual channel %d: %w", vc, err)
	}
	return nil
}

// Pending returns the octets of packets that wait on vc; fill does not count.
func (b *Builder) Pending(vc ccsds.VCID) int {
	if vc > MaxVCID {
		return 0
	}
	return b.vc[vc].Pending()
}

// Ready reports whether vc can fill a whole frame without fill.
func (b *Builder) Ready(vc ccsds.VCID) bool { return b.Pending(vc) >= b.room(vc) }

// Next appends the next frame of vc to dst. ok is false, and dst as it was, when too
// little waits: less than a frame, or with flush nothing at all. With flush an idle
// packet fills the rest of the data field; where less than the seven octets of the
// shortest packet are left, its end goes into the next frame.
func (b *Builder) Next(dst []byte, vc ccsds.VCID, ocf [4]byte, flush bool) (frame []byte, ok bool) {
	if vc > MaxVCID || vc == IdleVCID {
		return dst, false
	}
	c, room := &b.vc[vc], b.room(vc)
	data, first, ok := c.Next(room, flush)
	if !ok {
		return dst, false
	}
	fhp := NoPacketStart
	if first >= 0 {
		fhp = uint16(first)
	}
	f := Frame{VCID: vc, SegLengthID: 3, FirstHeaderPointer: fhp, OCF: ocf}
	if dst, b.err = b.frame(dst, f, data, b.sec); b.err != nil {
		return dst, false
	}
	c.Drop(room)
	return dst, true
}

// Access appends a frame to dst whose data field is the user's (VCA, §3.4): its
// synchronisation flag is set. The rest of the data field status is undefined then: here
// it says that no packet begins, for those who do not look at the flag.
func (b *Builder) Access(dst []byte, vc ccsds.VCID, ocf [4]byte, sdu []byte) ([]byte, error) {
	if vc > MaxVCID || vc == IdleVCID {
		return dst, fmt.Errorf("send access data: virtual channel %d, want 0 to %d", vc, IdleVCID-1)
	}
	if len(sdu) != b.room(vc) {
		return dst, fmt.Errorf("send access data: have %d octets, want %d", len(sdu), b.room(vc))
	}
	dst, err := b.frame(dst, Frame{VCID: vc, Sync: true, FirstHeaderPointer: NoPacketStart, OCF: ocf}, sdu, b.sec)
	if err != nil {
		return dst, fmt.Errorf("send access data: %w", err)
	}
	return dst, nil
}

// Idle appends a frame that carries only idle data (§4.1.2.7.6) on VC 7 to dst.
func (b *Builder) Idle(dst []byte, ocf [4]byte) []byte {
	f := Frame{VCID: IdleVCID, SegLengthID: 3, FirstHeaderPointer: OnlyIdleData, OCF: ocf}
	dst, _ = b.frame(dst, f, b.idle, nil) // fails for want of security only
	return dst
}

// frame appends f with the next counts.
func (b *Builder) frame(dst []byte, f Frame, data []byte, sec ccsds.Protector) ([]byte, error) {
	vcfc := &b.vc[f.VCID].vcfc
	f.Params, f.SCID, f.MCFC, f.VCFC = b.p, b.p.SCID, b.mcfc, *vcfc
	start := len(dst)
	dst, err := ccsds.AppendProtected(f.appendHeader(dst), start, sec, f.VCID, data)
	if err != nil {
		return dst[:start], err
	}
	b.mcfc++
	*vcfc++
	return f.appendTrailer(dst, start), nil
}
