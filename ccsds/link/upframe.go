package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/tc"
	"github.com/perilune/perilune/ccsds/uslp"
)

// upFrame is a frame of the uplink taken apart. The slices point into the frame.
type upFrame struct {
	vc      ccsds.VCID
	bypass  bool // Type B
	control bool // Type C: field is a directive
	seq     uint8
	header  []byte // what security authenticates in front of the field
	clear   []byte // of that, what belongs to the unit: the segment header of a TC frame
	field   []byte
}

// upFraming is the protocol of the uplink's frames. A unit is what one frame carries of a
// packet: segment header and data of a TC frame, the data field of a USLP frame.
type upFraming interface {
	// room is how much of a packet a frame carries where security adds n octets to it.
	room(n int) int
	// cut makes the units of a packet, where security adds n octets to each.
	cut(packet []byte, n int) ([][]byte, error)
	// data makes a frame of a unit, protected by seal, to whose clear text it adds n octets.
	data(vc ccsds.VCID, bypass bool, seq uint8, unit []byte, n int, seal func(dst, header, clear []byte) ([]byte, error)) ([]byte, error)
	control(vc ccsds.VCID, directive []byte) ([]byte, error)
	decode(frame []byte) (upFrame, error)
	joiner() upJoiner
	mask() []byte // of authentication
}

// upJoiner puts the units of one service of one channel together again.
type upJoiner interface {
	push(unit []byte, emit func(packet []byte)) error
	reset()
}

func (p Profile) upFraming() upFraming {
	if p.Up == FramingUSLP {
		return &uslpUp{p: uslp.Params{SCID: p.SCID, MaxLength: p.MaxTCFrame, FECF: uslp.CRC16}}
	}
	return &tcUp{p: tc.Params{SCID: p.SCID, FECF: true, MaxLength: p.MaxTCFrame}}
}

// tcUp: TC frames with segment headers, CCSDS 232.0-B-4.
type tcUp struct{ p tc.Params }

func (t *tcUp) mask() []byte { return nil } // the default of package sdls is TC's

func (t *tcUp) room(n int) int { return t.p.MaxData() - tc.SegmentHeaderLength - n }

func (t *tcUp) cut(packet []byte, n int) ([][]byte, error) {
	return tc.Segment(0, packet, t.p.MaxData()-n)
}

func (t *tcUp) data(vc ccsds.VCID, bypass bool, seq uint8, unit []byte, n int, seal func(dst, header, clear []byte) ([]byte, error)) ([]byte, error) {
	f := tc.Frame{Params: t.p, SCID: t.p.SCID, VCID: vc, Bypass: bypass, Seq: seq}
	if seal == nil {
		return tc.Append(nil, &f, unit)
	}
	header, err := tc.AppendHeader(nil, &f, len(unit)+n)
	if err != nil {
		return nil, err
	}
	header = append(header, unit[:tc.SegmentHeaderLength]...)
	field := append(make([]byte, 0, len(unit)+n), unit[:tc.SegmentHeaderLength]...)
	if field, err = seal(field, header, unit[tc.SegmentHeaderLength:]); err != nil {
		return nil, err
	}
	return tc.Append(nil, &f, field)
}

func (t *tcUp) control(vc ccsds.VCID, directive []byte) ([]byte, error) {
	f := tc.Frame{Params: t.p, Bypass: true, Control: true, SCID: t.p.SCID, VCID: vc}
	return tc.Append(nil, &f, directive)
}

func (t *tcUp) decode(frame []byte) (upFrame, error) {
	f := tc.Frame{Params: t.p}
	if err := f.DecodeFromBytes(frame, nil); err != nil {
		return upFrame{}, err
	}
	u := upFrame{vc: f.VCID, bypass: f.Bypass, control: f.Control, seq: f.Seq, field: f.Payload}
	if !f.Control {
		if len(f.Payload) < tc.SegmentHeaderLength {
			return upFrame{}, ccsds.Errorf("tc frame", tc.HeaderLength, ccsds.ErrTruncated, "no segment header")
		}
		u.header = frame[: len(f.Contents)+tc.SegmentHeaderLength : len(f.Contents)+tc.SegmentHeaderLength]
		u.clear, u.field = f.Payload[:tc.SegmentHeaderLength:tc.SegmentHeaderLength], f.Payload[tc.SegmentHeaderLength:]
	}
	return u, nil
}

func (t *tcUp) joiner() upJoiner { return tcJoiner{tc.NewReassembler(maxPacket)} }

type tcJoiner struct{ r *tc.Reassembler }

func (j tcJoiner) reset() { j.r.Reset() }
func (j tcJoiner) push(unit []byte, emit func([]byte)) error {
	return j.r.Push(unit, func(_ ccsds.MAPID, packet []byte) { emit(packet) })
}

// uslpUp: USLP frames of variable length, CCSDS 732.1-B-3, with a frame count of one octet
// for COP-1. Packets go whole (rule 111) or in segments (100, 101, 110) on access point 0.
type uslpUp struct{ p uslp.Params }

// uslpUpHeader is the primary header with its frame count.
const uslpUpHeader = uslp.MinHeaderLength + 1

// mask leaves out the frame count, as the default for TC does.
func (u *uslpUp) mask() []byte { return []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0} }

func (u *uslpUp) room(n int) int { return u.p.MaxLength - uslpUpHeader - int(u.p.FECF) - n - 1 }

func (u *uslpUp) cut(packet []byte, n int) ([][]byte, error) {
	room := u.room(n)
	if room < 1 || len(packet) == 0 {
		return nil, fmt.Errorf("cut packet of %d octets: frames leave %d", len(packet), room)
	}
	units := make([][]byte, 0, (len(packet)+room-1)/room)
	for first := true; len(packet) > 0; first = false {
		k := min(room, len(packet))
		f := uslp.Field{Rule: uslp.ContinuingSegment, UPID: uslp.Packets, Zone: packet[:k]}
		switch last := k == len(packet); {
		case first && last:
			f.Rule = uslp.NoSegmentation
		case first:
			f.Rule = uslp.StartingSegment
		case last:
			f.Rule = uslp.LastSegment
		}
		unit, err := f.Append(make([]byte, 0, k+1), false)
		if err != nil {
			return nil, err
		}
		units, packet = append(units, unit), packet[k:]
	}
	return units, nil
}

func (u *uslpUp) frame(vc ccsds.VCID) uslp.Frame {
	return uslp.Frame{Params: u.p, SCID: u.p.SCID, Destination: true, VCID: vc, CountLength: 1}
}

func (u *uslpUp) data(vc ccsds.VCID, bypass bool, seq uint8, unit []byte, n int, seal func(dst, header, clear []byte) ([]byte, error)) ([]byte, error) {
	f := u.frame(vc)
	f.Bypass, f.Count = bypass, uint64(seq)
	if seal == nil {
		return uslp.Append(nil, &f, unit)
	}
	header, err := uslp.AppendHeader(nil, &f, len(unit)+n)
	if err != nil {
		return nil, err
	}
	field, err := seal(make([]byte, 0, len(unit)+n), header, unit)
	if err != nil {
		return nil, err
	}
	return uslp.Append(nil, &f, field)
}

func (u *uslpUp) control(vc ccsds.VCID, directive []byte) ([]byte, error) {
	f := u.frame(vc)
	f.Bypass, f.Command = true, true
	field, err := uslp.Field{Rule: uslp.NoSegmentation, UPID: uslp.COP1, Zone: directive}.Append(nil, false)
	if err != nil {
		return nil, err
	}
	return uslp.Append(nil, &f, field)
}

func (u *uslpUp) decode(frame []byte) (upFrame, error) {
	f := uslp.Frame{Params: u.p}
	if err := f.DecodeFromBytes(frame, nil); err != nil {
		return upFrame{}, err
	}
	if f.Truncated || f.CountLength != 1 || f.Command && !f.Bypass {
		return upFrame{}, ccsds.Errorf("uslp frame", 6, ccsds.ErrReserved, "no frame of COP-1")
	}
	out := upFrame{vc: f.VCID, bypass: f.Bypass, control: f.Command, seq: uint8(f.Count), header: f.Contents, field: f.Payload}
	if f.Command {
		d, err := f.Field()
		if err != nil {
			return upFrame{}, err
		}
		if d.Rule != uslp.NoSegmentation || d.UPID != uslp.COP1 {
			return upFrame{}, ccsds.Errorf("uslp frame", len(f.Contents), ccsds.ErrReserved, "command of protocol %d", d.UPID)
		}
		out.field = d.Zone
	}
	return out, nil
}

func (u *uslpUp) joiner() upJoiner { return &uslpJoiner{p: u.p, r: uslp.NewReceiver(maxPacket, false)} }

// uslpJoiner gets only what FARM-1 let pass, so it needs no frame counts.
type uslpJoiner struct {
	p uslp.Params
	r *uslp.Receiver
}

func (j *uslpJoiner) reset() { j.r.Reset() }
func (j *uslpJoiner) push(unit []byte, emit func([]byte)) error {
	f := uslp.Frame{Params: j.p}
	f.Payload = unit
	dropped := j.r.Stats().Dropped
	_, err := j.r.Frame(&f, func(u uslp.Unit) {
		if u.UPID == uslp.Packets && !u.Stream {
			emit(append([]byte(nil), u.Data...))
		}
	})
	if err == nil && j.r.Stats().Dropped != dropped {
		err = errSegment
	}
	return err
}

// UnitRoom is how many octets of a packet one frame of uplink channel vc carries; 0 where
// there are no frames.
func (p Profile) UnitRoom(vc ccsds.VCID) int {
	p = p.WithDefaults()
	if p.Up == FramingPackets {
		return 0
	}
	return p.upFraming().room(p.overhead(vc))
}

// overhead is what security adds to a unit of an uplink channel, in octets.
func (p Profile) overhead(vc ccsds.VCID) int {
	if _, protected := p.SPI[vc]; !protected {
		return 0
	}
	return sdls.SA{Service: p.UpMode[vc].service()}.Overhead()
}
