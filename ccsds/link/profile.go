package link

import (
	"errors"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/tm"
	"github.com/perilune/perilune/ccsds/uslp"
)

// ErrFull says that the queue of a virtual channel takes no more.
var ErrFull = errors.New("link: queue of the virtual channel is full")

// ErrProfile is wrapped by every complaint of Profile.Validate.
var ErrProfile = errors.New("link profile")

// Profile holds the managed parameters that both ends of a link agree on. Zero
// fields take the defaults named.
type Profile struct {
	SCID     ccsds.SCID // 42
	DownRate int        // bit/s on the channel: 512000
	UpRate   int        // bit/s on the channel: 256000

	Down          Framing                    // tm
	Code          Code                       // RS(255,223), interleave 5, dual basis
	FrameLength   int                        // octets: what fills the code, 1115 where any length does
	Variable      bool                       // USLP in sliced codes: frames have at most FrameLength, and tell their own
	Truncated     int                        // of those: octets of truncated frames; 0: there are none
	NoOCF         bool                       // frames carry no operational control field, so no CLCW
	NoFECF        bool                       // frames carry no frame error control field; RS and LDPC only
	LongFECF      bool                       // USLP: 32 bits instead of 16
	FSR           bool                       // the control fields carry frame security reports too, in turn with CLCWs
	HeaderControl bool                       // AOS: frame header error control
	InsertZone    int                        // AOS and USLP: octets
	Encapsulation bool                       // encapsulation packets are taken too; not in TM frames
	Services      map[ccsds.VCID]Service     // downlink virtual channel → what it carries: packets
	MAP           map[ccsds.VCID]ccsds.MAPID // USLP downlink virtual channel → its access point: 0
	Shares        map[ccsds.VCID]Share       // downlink virtual channel → its part: 0, 1, 2 and 3 weigh 8, 4, 4, 2

	Up          Framing      // tc
	CLTU        CLTU         // bch
	MaxTCFrame  int          // TC or USLP frame up, octets, at most 1024: 256
	AD          []ccsds.VCID // sequence-controlled uplink channels, by priority: 0, 1
	BD          []ccsds.VCID // uplink channels that take Type-BD frames only: 2
	Acquisition int          // octets of alternating bits before each CLTU: 16

	Keys     map[uint16][32]byte   // SPI → key
	SPI      map[ccsds.VCID]uint16 // uplink virtual channel → SPI; empty: no security at all
	UpMode   map[ccsds.VCID]Mode   // of those: both
	DownSPI  map[ccsds.VCID]uint16 // downlink virtual channel → SPI; the others are in clear
	DownMode map[ccsds.VCID]Mode   // of those: both

	FARMWindow int           // W, even: 254
	FOPWindow  int           // K, at most half of W: 64
	Limit      int           // transmissions of one frame before an alert: 200
	FirstT1    time.Duration // until a round trip is known: 10 s
	Silence    time.Duration // without a good frame before the return link counts as lost: 5 s
	Queue      int           // packets that wait on one virtual channel: 64

	Faults Faults
}

// Faults break one thing each, so that a demonstration can show what rests on it.
// Nothing but tests and the simulator sets them.
type Faults struct {
	NoRS         bool // ground: Reed–Solomon corrects nothing
	NoRetransmit bool // ground: FOP-1 never radiates a frame twice, and alerts soon
	WrongKey     bool // ground: protects with keys the craft does not have
}

// maxPacket is the longest packet that either end takes.
const maxPacket = ccsds.MaxPacketLength

// WithDefaults fills in what is zero.
func (p Profile) WithDefaults() Profile {
	if p.Down == "" {
		p.Down = FramingTM
	}
	if p.Up == "" {
		p.Up = FramingTC
	}
	if p.CLTU == "" {
		p.CLTU = CLTUBCH
	}
	if p.Down == FramingPackets && p.Code.Kind == "" {
		p.Code.Kind = CodeNone
	}
	p.Code = p.Code.WithDefaults()
	if p.FrameLength == 0 {
		p.FrameLength = p.Code.FrameLength()
	}
	for _, d := range []struct {
		field *int
		value int
	}{
		{&p.FrameLength, 1115}, {&p.DownRate, 512_000}, {&p.UpRate, 256_000},
		{&p.MaxTCFrame, 256}, {&p.FARMWindow, 254}, {&p.FOPWindow, 64}, {&p.Limit, 200},
		{&p.Acquisition, 16}, {&p.Queue, 64},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if p.SCID == 0 {
		p.SCID = 42
	}
	if p.AD == nil {
		p.AD = []ccsds.VCID{0, 1}
	}
	if p.BD == nil {
		p.BD = []ccsds.VCID{2}
	}
	if p.Shares == nil {
		p.Shares = defaultShares
	}
	if p.FirstT1 == 0 {
		p.FirstT1 = 10 * time.Second
	}
	if p.Silence == 0 {
		p.Silence = 5 * time.Second
	}
	return p
}

// uplink lists the uplink channels by priority: recovery, then AD.
func (p Profile) uplink() []ccsds.VCID { return slices.Concat(p.BD, p.AD) }

// reported lists the uplink channels in the order in which CLCWs speak of them.
func (p Profile) reported() []ccsds.VCID { return slices.Concat(p.AD, p.BD) }

func (p Profile) tm() tm.Params {
	return tm.Params{SCID: p.SCID, FrameLength: p.FrameLength, OCF: !p.NoOCF, FECF: !p.NoFECF}
}

func (p Profile) aos() aos.Params {
	return aos.Params{SCID: p.SCID, FrameLength: p.FrameLength, InsertZone: p.InsertZone, FHEC: p.HeaderControl,
		OCF: !p.NoOCF, FECF: !p.NoFECF, Encap: p.Encapsulation}
}

func (p Profile) uslp() uslp.Params {
	q := uslp.Params{SCID: p.SCID, FrameLength: p.FrameLength, InsertZone: p.InsertZone, FECF: uslp.CRC16}
	if p.Variable {
		q.FrameLength, q.MaxLength, q.TruncatedLength = 0, p.FrameLength, p.Truncated
	}
	switch {
	case p.NoFECF:
		q.FECF = uslp.NoFECF
	case p.LongFECF:
		q.FECF = uslp.CRC32
	}
	return q
}

// DownRoom is how many octets of packets, or of what else its service is, a frame on
// downlink virtual channel vc carries; 0 where there are no frames.
func (p Profile) DownRoom(vc ccsds.VCID) int {
	if p = p.WithDefaults(); p.Down == FramingPackets {
		return 0
	}
	return p.downData(vc)
}

// downData is what a frame on vc carries of its service, in octets; without frames a packet.
func (p Profile) downData(vc ccsds.VCID) int {
	n := 1
	switch p.Down {
	case FramingTM:
		n = p.tm().DataLength()
	case FramingAOS:
		n = p.aos().ZoneLength()
		if p.Service(vc) == ServiceAccess {
			n = p.aos().DataLength()
		}
	case FramingUSLP:
		n = p.FrameLength - uslp.MinHeaderLength - uslpDownCount - p.InsertZone - int(p.uslp().FECF) - uslpFieldHeader
		if p.Variable {
			n += uslpPointer
		}
		if !p.NoOCF {
			n -= uslp.OCFLength
		}
	}
	return n - p.downOverhead(vc)
}

// uslpFieldHeader is the header of a data field with packets, in octets; that of frames of
// variable length has no pointer.
const (
	uslpFieldHeader = 3
	uslpPointer     = 2
)

// associations are the security associations of the uplink. The window is wide since a
// Type-BD frame may overtake Type-AD frames that are being sent again.
func (p Profile) associations(wrongKey bool) []sdls.SA {
	var out []sdls.SA
	for vc, spi := range p.SPI {
		key := p.Keys[spi]
		if wrongKey {
			for i := range key {
				key[i] ^= 0xff
			}
		}
		out = append(out, p.association(vc, spi, key))
	}
	return out
}

// association is one of uplink channel vc.
func (p Profile) association(vc ccsds.VCID, spi uint16, key [32]byte) sdls.SA {
	return sdls.SA{SPI: spi, Key: key, VCs: []ccsds.VCID{vc}, Window: sdls.MaxWindow,
		Mask: p.upFraming().mask(), Service: p.UpMode[vc].service()}
}
