package uslp

import (
	"errors"
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

// Send makes the frames that carry one packet or service data unit and calls emit for
// each, in order; the octets given to emit are the caller's. Frames of fixed length take
// service data units only (rules 001 and 010); frames of variable length take both, whole
// (111) or in segments (100, 101, 110). ocf may be nil.
func (b *Builder) Send(c Channel, id UPID, unit []byte, ocf *[4]byte, emit func(frame []byte)) error {
	err := c.check()
	switch {
	case err != nil:
	case len(unit) == 0:
		err = errors.New("it is empty")
	case id == IdleData || id > maxUPID:
		err = fmt.Errorf("protocol identifier %d", id)
	case id == Packets && b.p.Fixed():
		err = errors.New("packets go into frames of fixed length by Append")
	case id == Packets:
		err = packets.Check(unit, b.encap)
	}
	if err != nil {
		return fmt.Errorf("send unit: %w", err)
	}
	for first := true; len(unit) > 0; first = false {
		frame, n, err := b.Piece(nil, c, id, unit, first, ocf)
		if err != nil {
			return fmt.Errorf("send unit: %w", err)
		}
		unit = unit[n:]
		emit(frame)
	}
	return nil
}

// Piece appends the frame with the next piece of a service data unit to dst, and returns how
// many octets it took: rest is what is left of the unit, first says that nothing of it has
// gone yet. It is Send by steps, for units whose frames take turns with others.
func (b *Builder) Piece(dst []byte, c Channel, id UPID, rest []byte, first bool, ocf *[4]byte) (frame []byte, took int, err error) {
	if err := c.check(); err != nil {
		return dst, 0, err
	}
	cut := b.variable
	if b.p.Fixed() {
		cut = b.fixed
	}
	f, took := cut(c.VC, rest, first, ocf != nil)
	f.UPID = id
	if frame, err = b.frame(dst, c, ocf, f); err != nil {
		return dst, 0, err
	}
	return frame, took, nil
}

// fixed makes the next data field of a unit in frames of fixed length.
func (b *Builder) fixed(vc ccsds.VCID, unit []byte, first, ocf bool) (f Field, took int) {
	room := b.room(vc, fieldHeaderLength, ocf)
	f = Field{Rule: ContinuesSDU, Pointer: NoPointer}
	if first {
		f.Rule = StartOfSDU
	}
	took = min(room, len(unit))
	if took == len(unit) {
		f.Pointer = uint16(took - 1)
	}
	b.zone = ccsds.AppendIdleData(append(b.zone[:0], unit[:took]...), room-took)
	f.Zone = b.zone
	return f, took
}

// variable makes the next data field of a unit in frames of variable length.
func (b *Builder) variable(vc ccsds.VCID, unit []byte, first, ocf bool) (f Field, took int) {
	took = min(b.room(vc, 1, ocf), len(unit))
	return segment(unit[:took], first, took == len(unit)), took
}

// Stream makes the frames that carry the next octets of a stream without boundaries
// (rule 011), as MAPA octet streams have, and calls emit for each.
func (b *Builder) Stream(c Channel, octets []byte, ocf *[4]byte, emit func(frame []byte)) error {
	for len(octets) > 0 {
		frame, n, err := b.Octets(nil, c, octets, ocf)
		if err != nil {
			return err
		}
		octets = octets[n:]
		emit(frame)
	}
	return nil
}

// Octets appends the frame with the next octets of a stream without boundaries to dst, at
// most as many as it has room for, and returns how many it took.
func (b *Builder) Octets(dst []byte, c Channel, octets []byte, ocf *[4]byte) (frame []byte, took int, err error) {
	if err := c.check(); err != nil {
		return dst, 0, fmt.Errorf("send octets: %w", err)
	}
	if b.p.Fixed() {
		return dst, 0, errors.New("send octets: frames have a fixed length")
	}
	took = min(b.room(c.VC, 1, ocf != nil), len(octets))
	frame, err = b.frame(dst, c, ocf, Field{Rule: OctetStream, UPID: UserOctets, Zone: octets[:took]})
	if err != nil {
		return dst, 0, fmt.Errorf("send octets: %w", err)
	}
	return frame, took, nil
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
