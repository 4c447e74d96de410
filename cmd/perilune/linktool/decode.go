package linktool

import (
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/tc"
	"github.com/perilune/perilune/ccsds/uslp"
)

// Unit is a frame, a packet or a control word that a decoder gives out, valid only during the
// call.
type Unit struct {
	Octets []byte
	Bit    uint64 // of its frame's marker or start sequence, in bits or symbols since the first
	VC     ccsds.VCID
}

// decoder is the way from bits to units.
type decoder struct {
	c      *Config
	emit   func(Unit) error
	report Report
	err    error
	soft   []int8
	fresh  bool // a marker was searched since the last good frame

	down     *link.DownDecoder
	deframer *link.Deframer
	up       *link.UpDecoder
	segments map[ccsds.VCID]*tc.Reassembler
	plain    *unitReader
	joiner   link.BitJoiner
}

// Decode reads bits from src until its end and calls emit for each unit, nil for none.
func Decode(c Config, src *Source, emit func(Unit) error) (Report, error) {
	if err := c.Validate(); err != nil {
		return Report{}, err
	}
	if emit == nil {
		emit = func(Unit) error { return nil }
	}
	d := &decoder{c: &c, emit: emit, report: newReport(&c), segments: map[ccsds.VCID]*tc.Reassembler{}}
	if err := d.open(); err != nil {
		return Report{}, err
	}
	err := pieces(src, d.push)
	if err == nil && d.plain != nil {
		err = d.plain.end()
	}
	if last := d.joiner.End(); err == nil && last != nil {
		err = emit(Unit{Octets: last, VC: c.VC})
	}
	return d.done(), err
}

func (d *decoder) open() (err error) {
	p := d.c.Profile
	switch {
	case d.c.framing() == link.FramingPackets:
		d.plain = d.c.newUnitReader(false, func(b []byte) error { return d.packet(Unit{Octets: b}) })
	case d.c.Up:
		d.up, err = link.NewUpDecoder(p)
	default:
		if d.down, err = p.NewDownDecoder(); err != nil {
			return err
		}
		d.deframer, err = link.NewDeframer(p, noFloors{})
	}
	return err
}

func (d *decoder) push(b []byte) error {
	switch {
	case d.plain != nil:
		return d.plain.push(b, false)
	case d.up != nil && d.c.Soft:
		d.soft = symbols(d.soft[:0], b)
		d.up.PushSoft(d.soft, d.uplink)
	case d.up != nil:
		d.up.Push(b, d.uplink)
	case d.c.Soft:
		d.soft = symbols(d.soft[:0], b)
		d.down.PushSoft(d.soft, d.downlink)
	default:
		d.down.Push(b, d.downlink)
	}
	return d.err
}

// downlink takes what is behind a marker.
func (d *decoder) downlink(u link.Coded) {
	d.fresh = d.fresh || u.State == link.Verify
	if d.err != nil || u.Frame == nil {
		return
	}
	h, err := d.deframer.Decode(u.Frame)
	if err != nil {
		d.report.Frames.refuse(err)
		return
	}
	d.report.Frames.arrived(h, d.fresh)
	d.fresh = false
	if h.HasOCF {
		d.controlWord(h, u.Bit)
	}
	if d.c.Units == Frames && d.wanted(h.VC) {
		d.fail(d.emit(Unit{Octets: u.Frame, Bit: u.Bit, VC: h.VC}))
	}
	if d.c.Units == InsertZones && d.wanted(h.VC) {
		d.fail(d.emit(Unit{Octets: h.Insert, Bit: u.Bit, VC: h.VC}))
	}
	if h.Idle {
		return
	}
	if err := d.deframer.Packets(func(packet []byte) { d.fail(d.packet(Unit{Octets: packet, Bit: u.Bit, VC: h.VC})) }); err != nil {
		d.report.Packets.refuse(err)
	}
	if err := d.deframer.Data(func(data link.Data) { d.data(h.VC, u.Bit, data) }); err != nil {
		d.report.Packets.refuse(err)
	}
}

// wanted reports whether what comes on vc is given out.
func (d *decoder) wanted(vc ccsds.VCID) bool { return !d.c.Only || vc == d.c.VC }

// controlWord takes the operational control field of a frame.
func (d *decoder) controlWord(h link.FrameHeader, bit uint64) {
	d.report.Frames.OCF++
	var c cop1.CLCW
	if c.DecodeFromBytes(h.OCF[:], nil) != nil {
		return // of another kind
	}
	d.report.clcw(&c)
	if d.c.Units == ControlWords {
		d.fail(d.emit(Unit{Octets: h.OCF[:], Bit: bit, VC: h.VC}))
	}
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// uplink takes what is behind a start sequence; noise makes such things too.
func (d *decoder) uplink(b []byte, info link.UpInfo) (taken bool) {
	if d.err != nil {
		return false
	}
	frame, vc, err := d.upFrame(b)
	if err != nil {
		d.report.Frames.refuse(err)
		return false
	}
	d.report.Frames.good(vc, false)
	if d.c.Units == Frames && d.wanted(vc) {
		d.err = d.emit(Unit{Octets: frame, Bit: info.Bit, VC: vc})
	}
	return true
}

// upFrame checks a frame and leaves the fill behind it.
func (d *decoder) upFrame(b []byte) (frame []byte, vc ccsds.VCID, err error) {
	p := d.c.Profile
	if p.Up == link.FramingUSLP {
		f := uslp.Frame{Params: uslp.Params{SCID: p.SCID, MaxLength: p.MaxTCFrame, FECF: uslp.CRC16}}
		if err := f.DecodeFromBytes(b, nil); err != nil {
			return nil, 0, err
		}
		n, err := uslp.Length(b, 0)
		return b[:n], f.VCID, err
	}
	f := tc.Frame{Params: tc.Params{SCID: p.SCID, FECF: true, MaxLength: p.MaxTCFrame}}
	if err := f.DecodeFromBytes(b, nil); err != nil {
		return nil, 0, err
	}
	if len(p.SPI) == 0 && !f.Control {
		d.segment(&f)
	}
	n, err := tc.Length(b)
	return b[:n], f.VCID, err
}

// segment joins what an unprotected TC frame carries.
func (d *decoder) segment(f *tc.Frame) {
	r := d.segments[f.VCID]
	if r == nil {
		r = tc.NewReassembler(0)
		d.segments[f.VCID] = r
	}
	if err := r.Push(f.Payload, func(_ ccsds.MAPID, packet []byte) {
		d.fail(d.packet(Unit{Octets: packet, VC: f.VCID}))
	}); err != nil {
		d.report.Packets.refuse(err)
	}
}

// packet takes a whole packet.
func (d *decoder) packet(u Unit) error {
	d.report.Packets.Good++
	d.report.Packets.Octets += uint64(len(u.Octets))
	var p spp.Packet
	if err := p.DecodeFromBytes(u.Octets, nil); err == nil {
		d.report.Packets.APID[p.APID]++
	} else if len(u.Octets) > 0 && u.Octets[0]>>5 == 7 {
		d.report.Packets.Encapsulated++
	}
	if d.c.Units == Packets && (d.wanted(u.VC) || d.plain != nil) {
		return d.emit(u)
	}
	return nil
}

func (d *decoder) done() Report {
	if d.down != nil {
		s := d.down.Stats()
		d.report.Down = &s
	}
	if d.up != nil {
		s := d.up.Stats()
		d.report.UpCode = &s
	}
	return d.report
}
