package aos

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/packets"
)

// MaxPending bounds the octets that wait on one virtual channel.
const MaxPending = packets.MaxPending

// ErrFull says that a virtual channel has too many octets waiting.
var ErrFull = packets.ErrFull

// Builder makes the frames of one master channel. Each virtual channel has a service of
// its own: packets by Append and Next, a bit stream by Bits, other octets by Access.
type Builder struct {
	p  Params
	vc [ccsds.MaxVCID + 1]struct {
		packets.Queue
		count uint32 // 28 bits
	}
	insert []byte
	pdu    []byte // data field in the making
	idle   []byte // data field of idle frames
	sec    ccsds.Protector
	err    error
}

// Secure sets what applies security to all frames but idle ones.
func (b *Builder) Secure(p ccsds.Protector) { b.sec = p }

// room is the data field of frames of vc without what security adds to it, in octets.
func (b *Builder) room(vc ccsds.VCID) int { return b.p.DataLength() - ccsds.Overhead(b.sec, vc) }

// zone is what an M_PDU or B_PDU leaves of it.
func (b *Builder) zone(vc ccsds.VCID) int { return b.room(vc) - pduHeaderLength }

// Err is why the last call of Next, though enough waited, made no frame: security could
// not be applied. The data still wait.
func (b *Builder) Err() error { return b.err }

// NewBuilder returns a Builder whose frame counts begin at zero and whose insert zones
// are idle.
func NewBuilder(p Params) (*Builder, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &Builder{
		p: p, insert: ccsds.AppendIdleData(nil, p.InsertZone), idle: packets.AppendNoise(nil, p.DataLength()),
	}, nil
}

// Insert sets what the insert zones of the next frames carry (§4.1.3). The octets are
// copied; there must be as many as the zone has.
func (b *Builder) Insert(zone []byte) error {
	if len(zone) != b.p.InsertZone {
		return fmt.Errorf("set insert zone: have %d octets, want %d", len(zone), b.p.InsertZone)
	}
	copy(b.insert, zone)
	return nil
}

// Append queues one whole packet on a virtual channel. The octets are copied.
func (b *Builder) Append(vc ccsds.VCID, packet []byte) error {
	if vc >= IdleVCID {
		return fmt.Errorf("queue packet: virtual channel %d, want 0 to %d", vc, IdleVCID-1)
	}
	if b.zone(vc) > int(OnlyIdleData) {
		return fmt.Errorf("queue packet: packet zones of %d octets, limit is %d", b.zone(vc), OnlyIdleData)
	}
	if err := b.vc[vc].Append(packet, b.p.Encap); err != nil {
		return fmt.Errorf("queue packet on virtual channel %d: %w", vc, err)
	}
	return nil
}

// Pending returns the octets of packets that wait on vc; fill does not count.
func (b *Builder) Pending(vc ccsds.VCID) int {
	if !vc.Valid() {
		return 0
	}
	return b.vc[vc].Pending()
}

// Ready reports whether vc can fill a whole frame without fill.
func (b *Builder) Ready(vc ccsds.VCID) bool { return b.Pending(vc) >= b.zone(vc) }

// Next appends the next frame of packets of vc to dst. ok is false, and dst as it was,
// when too little waits: less than a frame, or with flush nothing at all. With flush an
// idle packet fills the rest, and may end in the next frame.
func (b *Builder) Next(dst []byte, vc ccsds.VCID, ocf [4]byte, flush bool) (frame []byte, ok bool) {
	if vc >= IdleVCID {
		return dst, false
	}
	room := b.zone(vc)
	zone, first, ok := b.vc[vc].Next(room, flush)
	if !ok {
		return dst, false
	}
	m := MPDU{First: NoPacketStart, Zone: zone}
	if first >= 0 {
		m.First = uint16(first)
	}
	b.pdu = m.Append(b.pdu[:0])
	if frame, b.err = b.frame(dst, vc, b.pdu, ocf); b.err != nil {
		return dst, false
	}
	b.vc[vc].Drop(room)
	return frame, true
}

// Bits appends a frame with the first n bits of stream, at most as many as a frame holds,
// to dst and returns how many it took.
func (b *Builder) Bits(dst []byte, vc ccsds.VCID, ocf [4]byte, stream []byte, n int) (frame []byte, took int, err error) {
	if vc >= IdleVCID {
		return dst, 0, fmt.Errorf("send bits: virtual channel %d, want 0 to %d", vc, IdleVCID-1)
	}
	if n < 0 || n > 8*len(stream) {
		return dst, 0, fmt.Errorf("send bits: %d bits in %d octets", n, len(stream))
	}
	room := b.zone(vc)
	took = min(n, 8*room)
	octets := (took + 7) / 8
	zone := append(make([]byte, 0, room), stream[:octets]...)
	if part := took % 8; part != 0 { // what lies behind the last bit is fill
		keep := byte(0xFF) << (8 - part)
		zone[octets-1] = zone[octets-1]&keep | 0x55&^keep
	}
	pdu, err := BPDU{Bits: took, Zone: ccsds.AppendIdleData(zone, room-octets)}.Append(b.pdu[:0])
	if err != nil {
		return dst, 0, err
	}
	b.pdu = pdu
	if frame, err = b.frame(dst, vc, pdu, ocf); err != nil {
		return dst, 0, fmt.Errorf("send bits: %w", err)
	}
	return frame, took, nil
}

// Access appends a frame to dst whose data field is the user's (VCA, §3.5).
func (b *Builder) Access(dst []byte, vc ccsds.VCID, ocf [4]byte, sdu []byte) ([]byte, error) {
	if vc >= IdleVCID {
		return dst, fmt.Errorf("send access data: virtual channel %d, want 0 to %d", vc, IdleVCID-1)
	}
	if len(sdu) != b.room(vc) {
		return dst, fmt.Errorf("send access data: have %d octets, want %d", len(sdu), b.room(vc))
	}
	frame, err := b.frame(dst, vc, sdu, ocf)
	if err != nil {
		return dst, fmt.Errorf("send access data: %w", err)
	}
	return frame, nil
}

// Idle appends a frame that carries only idle data on VC 63 to dst. It has no security.
func (b *Builder) Idle(dst []byte, ocf [4]byte) []byte {
	start := len(dst)
	f := b.next(IdleVCID, ocf)
	dst = append(f.appendHeader(dst), b.idle...)
	return f.appendTrailer(dst, start)
}

// next is the head of the next frame of vc.
func (b *Builder) next(vc ccsds.VCID, ocf [4]byte) Frame {
	c := &b.vc[vc]
	f := Frame{Params: b.p, SCID: b.p.SCID, VCID: vc, VCFC: c.count & 0xFFFFFF, InsertZone: b.insert, OCF: ocf}
	if b.p.Cycle {
		f.CycleUsed, f.Cycle = true, uint8(c.count>>24)
	}
	c.count = (c.count + 1) & 0xFFFFFFF
	return f
}

func (b *Builder) frame(dst []byte, vc ccsds.VCID, data []byte, ocf [4]byte) ([]byte, error) {
	start, count := len(dst), b.vc[vc].count
	f := b.next(vc, ocf)
	dst, err := ccsds.AppendProtected(f.appendHeader(dst), start, b.sec, vc, data)
	if err != nil {
		b.vc[vc].count = count
		return dst[:start], err
	}
	return f.appendTrailer(dst, start), nil
}
