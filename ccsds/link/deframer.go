package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/internal/packets"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/tm"
	"github.com/perilune/perilune/ccsds/uslp"
)

// FrameHeader is what the header of a downlink frame says, whatever its protocol.
type FrameHeader struct {
	VC     ccsds.VCID
	Count  uint64 // frame count of the virtual channel
	Master uint8  // frame count of the master channel, TM only
	Idle   bool
	HasOCF bool
	OCF    [4]byte
	Insert []byte // insert zone, nil where frames have none; valid until the frame changes
	// Lost is how many frames are missing before this one: by the count of the master
	// channel, modulo 256, in TM; by that of the virtual channel in AOS and USLP.
	Lost int
}

// Deframer takes the frames of a downlink apart. It is not for several goroutines.
type Deframer struct {
	p    Profile
	sec  *downReceiver
	tm   tm.Frame
	aos  aos.Frame
	uslp uslp.Frame
	vcs  [ccsds.MaxVCID + 1]*downPackets
	head FrameHeader
	unit []byte // the packet, without frames
	mcfc uint8
	seen bool
	gap  bool // the count of its channel did not go on, AOS and USLP
}

// downPackets finds the packets, or data, of one virtual channel.
type downPackets struct {
	tm     *tm.Extractor
	aos    *aos.Extractor
	uslp   *uslp.Receiver
	count  uint64
	seen   bool
	broken bool // data were lost and nobody was told yet
}

// Lost frames above lostLimit are no loss: the counts began anew.
const lostLimit = 1 << 16

// NewDeframer returns the deframer of p's downlink. floors tells the highest anti-replay
// number known of an association, and takes new ones now and then; nil will do where
// no channel is protected.
func NewDeframer(p Profile, floors Floors) (*Deframer, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.WithDefaults()
	d := &Deframer{p: p, tm: tm.Frame{Params: p.tm()}, aos: aos.Frame{Params: p.aos()}, uslp: uslp.Frame{Params: p.uslp()}}
	if len(p.DownSPI) > 0 {
		var err error
		if d.sec, err = newDownReceiver(p, floors); err != nil {
			return nil, fmt.Errorf("downlink frames: %w", err)
		}
	}
	return d, nil
}

// Decode checks and reads one frame and removes security. The packets in it come with
// Packets, before the next call. frame must stay as it is until then.
func (d *Deframer) Decode(frame []byte) (FrameHeader, error) {
	d.unit, d.gap = nil, false
	var err error
	switch d.p.Down {
	case FramingTM:
		err = d.decodeTM(frame)
	case FramingAOS:
		err = d.decodeAOS(frame)
	case FramingUSLP:
		err = d.decodeUSLP(frame)
	default:
		if err = packets.Check(frame, d.p.Encapsulation); err == nil {
			d.unit, d.head = frame, FrameHeader{Idle: packets.Idle(frame)}
		}
	}
	if err != nil {
		return FrameHeader{}, err
	}
	return d.head, nil
}

func (d *Deframer) decodeTM(frame []byte) error {
	f := &d.tm
	if err := f.DecodeFromBytes(frame, nil); err != nil {
		return err
	}
	idle := f.Idle()
	if idle {
		d.onlyIdle(f)
	} else {
		var err error
		if f.Payload, err = d.open(f.VCID, f.Contents, f.Payload); err != nil {
			return err
		}
	}
	d.head = FrameHeader{VC: f.VCID, Count: uint64(f.VCFC), Master: f.MCFC, Idle: idle, HasOCF: f.Params.OCF, OCF: f.OCF}
	if d.seen {
		d.head.Lost = int(f.MCFC - d.mcfc - 1)
	}
	d.mcfc, d.seen = f.MCFC, true
	return nil
}

// onlyIdle lets a frame of only idle data take its place in the count of its channel: such
// frames go on the channels of packets (132.0-B-3 §4.1.4). On a protected channel nobody has
// authenticated it, and it breaks no packet there.
func (d *Deframer) onlyIdle(f *tm.Frame) {
	if _, protected := d.p.DownSPI[f.VCID]; protected {
		return
	}
	c := d.channel(f.VCID)
	c.count, c.seen = uint64(f.VCFC), true
	c.tm.Frame(f, func([]byte) {}) // it has none
}

func (d *Deframer) decodeAOS(frame []byte) error {
	f := &d.aos
	if err := f.DecodeFromBytes(frame, nil); err != nil {
		return err
	}
	if !f.Idle() {
		n := len(f.Contents) + len(f.InsertZone)
		header := frame[:n:n]
		if f.Corrected > 0 { // the header stands corrected in a copy
			header = append(append(make([]byte, 0, n), f.Contents...), f.InsertZone...)
		}
		var err error
		if f.Payload, err = d.open(f.VCID, header, f.Payload); err != nil {
			return err
		}
	}
	d.head = FrameHeader{VC: f.VCID, Count: uint64(f.Count()), Idle: f.Idle(), Insert: f.InsertZone, HasOCF: f.Params.OCF, OCF: f.OCF}
	d.missing(1<<24 - 1)
	return nil
}

func (d *Deframer) decodeUSLP(frame []byte) error {
	f := &d.uslp
	if err := f.DecodeFromBytes(frame, nil); err != nil {
		return err
	}
	if !f.Idle() {
		n := len(f.Contents) + len(f.InsertZone)
		var err error
		if f.Payload, err = d.open(f.VCID, frame[:n:n], f.Payload); err != nil {
			return err
		}
	}
	d.head = FrameHeader{VC: f.VCID, Count: f.Count, Idle: f.Idle(), Insert: f.InsertZone, HasOCF: f.HasOCF, OCF: f.OCF}
	if f.CountLength > 0 {
		d.missing(1<<(8*f.CountLength) - 1)
	}
	return nil
}

// SaveFloors gives all anti-replay floors that have risen to the Floors that NewDeframer was
// given. By itself the deframer does so every few hundred frames of an association: what was
// not saved before a restart could be received a second time after it.
func (d *Deframer) SaveFloors() error {
	if d.sec == nil {
		return nil
	}
	return d.sec.saveAll()
}

func (d *Deframer) open(vc ccsds.VCID, header, field []byte) ([]byte, error) {
	if d.sec == nil {
		return field, nil
	}
	return d.sec.open(vc, header, field)
}

// missing counts by the virtual channel.
func (d *Deframer) missing(mask uint64) {
	c := d.channel(d.head.VC)
	lost := (d.head.Count - c.count - 1) & mask
	d.gap = c.seen && lost > 0
	if d.gap && lost < lostLimit {
		d.head.Lost = int(lost)
	}
	c.count, c.seen = d.head.Count, true
}

func (d *Deframer) channel(vc ccsds.VCID) *downPackets {
	if d.vcs[vc] == nil {
		c := &downPackets{}
		switch d.p.Down {
		case FramingTM:
			c.tm = tm.NewExtractor(maxPacket)
		case FramingAOS:
			c.aos = aos.NewExtractor(maxPacket, d.p.Encapsulation)
		case FramingUSLP:
			c.uslp = uslp.NewReceiver(maxPacket, d.p.Encapsulation)
		}
		d.vcs[vc] = c
	}
	return d.vcs[vc]
}

// Packets calls emit for each packet that is complete with the frame decoded last, idle
// packets excepted; the octets given to emit are valid only during the call. An error says
// that the data field made no sense. On channels with another service there are none.
func (d *Deframer) Packets(emit func(packet []byte)) error {
	if d.head.Idle || d.p.Service(d.head.VC) != ServicePackets {
		return nil
	}
	if d.unit != nil {
		emit(d.unit)
		return nil
	}
	var err error
	switch c := d.channel(d.head.VC); d.p.Down {
	case FramingTM:
		c.tm.Frame(&d.tm, emit)
	case FramingAOS:
		_, err = c.aos.Frame(&d.aos, emit)
	case FramingUSLP:
		_, err = c.uslp.Frame(&d.uslp, func(u uslp.Unit) {
			if u.UPID == uslp.Packets && !u.Stream {
				emit(u.Data)
			}
		})
	}
	return err
}

// Mode is what security does for a virtual channel.
type Mode string

// The modes. With ModeEncrypt alone nothing tells who sent a frame, nor whether it
// came before.
const (
	ModeNone         Mode = "none"
	ModeAuthenticate Mode = "authenticate"
	ModeEncrypt      Mode = "encrypt"
	ModeBoth         Mode = "both" // what an association does that is not told otherwise
)

func (m Mode) service() sdls.Service {
	switch m {
	case ModeAuthenticate:
		return sdls.Authentication
	case ModeEncrypt:
		return sdls.Encryption
	}
	return sdls.AuthenticatedEncryption
}
