package uslp

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/packets"
)

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
