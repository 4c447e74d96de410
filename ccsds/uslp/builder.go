package uslp

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/packets"
)

// MaxPending bounds the octets that wait on one access point.
const MaxPending = packets.MaxPending

// ErrFull says that an access point has too many octets waiting.
var ErrFull = packets.ErrFull

// Channel names an access point and how its frames travel.
type Channel struct {
	VC        ccsds.VCID
	MAP       ccsds.MAPID
	Expedited bool // outside sequence control, with a frame count of its own
}

// Builder makes the frames of one spacecraft on one physical channel. Packets are queued by
// Append and put into frames by Next; units given to Send and Stream become frames at once.
type Builder struct {
	p           Params
	countLength uint8
	encap       bool
	counts      [ccsds.MaxVCID + 1][2]uint64 // sequence controlled, expedited
	queues      map[Channel]*packets.Queue   // at most 64 × 16 × 2
	insert      []byte
	idle        []byte // data of idle frames
	sec         ccsds.Protector
	field       []byte // data field in the making
	zone        []byte // data zone that is not the caller's
	err         error
}

// NewBuilder returns a Builder whose frame counts have countLength octets and begin at
// zero, and whose insert zones are idle. With encap, packets of the Encapsulation Packet
// Protocol are taken too.
func NewBuilder(p Params, countLength int, encap bool) (*Builder, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if countLength < 0 || countLength > MaxCountLength {
		return nil, fmt.Errorf("uslp builder: frame count of %d octets, want 0 to %d", countLength, MaxCountLength)
	}
	b := &Builder{p: p, countLength: uint8(countLength), encap: encap, queues: make(map[Channel]*packets.Queue)}
	b.insert = ccsds.AppendIdleData(nil, p.InsertZone)
	if room := b.room(IdleVCID, fieldHeaderLength, true); room < ccsds.MinPacketLength {
		return nil, fmt.Errorf("uslp builder: frames of %d octets leave %d for data, want %d", p.limit(), room, ccsds.MinPacketLength)
	}
	return b, nil
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

// room is the largest data zone on vc behind a field header of hdr octets.
func (b *Builder) room(vc ccsds.VCID, hdr int, ocf bool) int {
	n := b.p.limit() - MinHeaderLength - int(b.countLength) - b.p.InsertZone - int(b.p.FECF) - hdr
	if ocf {
		n -= OCFLength
	}
	if vc != IdleVCID {
		n -= ccsds.Overhead(b.sec, vc)
	}
	return n
}

func (c Channel) check() error {
	if c.VC >= IdleVCID || c.MAP > MaxMAP {
		return fmt.Errorf("virtual channel %d, access point %d: want 0 to %d and 0 to %d", c.VC, c.MAP, IdleVCID-1, MaxMAP)
	}
	return nil
}

// Append queues one whole packet for Next. The octets are copied.
func (b *Builder) Append(c Channel, packet []byte) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("queue packet: %w", err)
	}
	q := b.queues[c]
	if q == nil {
		q = new(packets.Queue)
		b.queues[c] = q
	}
	if err := q.Append(packet, b.encap); err != nil {
		return fmt.Errorf("queue packet on virtual channel %d, access point %d: %w", c.VC, c.MAP, err)
	}
	return nil
}

// Pending returns the octets of packets that wait on c; fill does not count.
func (b *Builder) Pending(c Channel) int {
	if q := b.queues[c]; q != nil {
		return q.Pending()
	}
	return 0
}

// Next appends the next frame of queued packets of c to dst: end to end across frames of
// fixed length (rule 000); whole in frames of variable length, as many as fit (111), or in
// segments if longer (100, 101, 110). ok is false, and dst as it was, when too little waits:
// less than a frame, or with flush nothing at all. ocf may be nil.
//
// A packet that fills a truncated frame to the last octet travels in one, by itself and
// without ocf.
func (b *Builder) Next(dst []byte, c Channel, ocf *[4]byte, flush bool) (frame []byte, ok bool) {
	q := b.queues[c]
	if q == nil {
		return dst, false
	}
	if !b.p.Fixed() {
		return b.nextVariable(dst, c, q, ocf, flush)
	}
	room := b.room(c.VC, fieldHeaderLength, ocf != nil)
	zone, first, ok := q.Next(room, flush)
	if !ok {
		return dst, false
	}
	f := Field{Rule: PacketsSpanning, UPID: Packets, Pointer: NoPointer, Zone: zone}
	if first >= 0 {
		f.Pointer = uint16(first)
	}
	if frame, b.err = b.frame(dst, c, ocf, f); b.err != nil {
		return dst, false
	}
	q.Drop(room)
	return frame, true
}

// Truncated appends a truncated frame with a data field of rule 111 to dst. unit must fill
// it.
func (b *Builder) Truncated(dst []byte, c Channel, id UPID, unit []byte) ([]byte, error) {
	if err := c.check(); err != nil {
		return dst, fmt.Errorf("send truncated frame: %w", err)
	}
	field, err := Field{Rule: NoSegmentation, UPID: id, Zone: unit}.Append(nil, true)
	if err != nil {
		return dst, err
	}
	f := Frame{Params: b.p, SCID: b.p.SCID, Destination: b.p.Destination, VCID: c.VC, MAP: c.MAP, Truncated: true}
	return b.secured(dst, &f, field)
}

// Idle appends a frame that carries only idle data on VC 63 to dst. n is its length in
// octets where frames vary.
func (b *Builder) Idle(dst []byte, ocf *[4]byte, n int) ([]byte, error) {
	room := b.room(IdleVCID, 1, ocf != nil)
	if !b.p.Fixed() {
		room -= b.p.limit() - n
	}
	if room < 1 {
		return dst, fmt.Errorf("make idle frame: %d octets leave no data zone", n)
	}
	return b.frame(dst, Channel{VC: IdleVCID}, ocf, Field{Rule: NoSegmentation, UPID: IdleData, Zone: b.noise(room)})
}

// noise is n octets of the idle data of frames, made once.
func (b *Builder) noise(n int) []byte {
	if len(b.idle) < n {
		b.idle = packets.AppendNoise(nil, n)
	}
	return b.idle[:n]
}

func (b *Builder) frame(dst []byte, c Channel, ocf *[4]byte, field Field) ([]byte, error) {
	data, err := field.Append(b.field[:0], false)
	if err != nil {
		return dst, err
	}
	b.field = data
	kind := 0
	if c.Expedited {
		kind = 1
	}
	count := &b.counts[c.VC][kind]
	f := Frame{
		Params: b.p, SCID: b.p.SCID, Destination: b.p.Destination, VCID: c.VC, MAP: c.MAP, Bypass: c.Expedited,
		CountLength: b.countLength, Count: *count, InsertZone: b.insert,
	}
	f.Command = field.UPID == COP1 || field.UPID == COPP
	if ocf != nil {
		f.HasOCF, f.OCF = true, *ocf
	}
	if dst, err = b.secured(dst, &f, data); err != nil {
		return dst, err
	}
	*count = (*count + 1) & (1<<(8*b.countLength) - 1)
	return dst, nil
}
