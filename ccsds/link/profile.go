package link

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/tc"
	"github.com/perilune/perilune/ccsds/tm"
)

// ErrFull says that the queue of a virtual channel takes no more.
var ErrFull = errors.New("link: queue of the virtual channel is full")

// ErrProfile is wrapped by every complaint of Profile.Validate.
var ErrProfile = errors.New("link profile")

// Profile holds the managed parameters that both ends of a link agree on. Zero
// fields take the defaults named.
type Profile struct {
	SCID        ccsds.SCID            // 42
	FrameLength int                   // TM frame, octets: 1115
	Interleave  int                   // RS interleave depth: 5
	DownRate    int                   // bit/s on the channel: 512000
	UpRate      int                   // bit/s on the channel: 256000
	MaxTCFrame  int                   // TC frame, octets, at most 1024: 256
	Keys        map[uint16][32]byte   // SPI → key
	SPI         map[ccsds.VCID]uint16 // uplink virtual channel → SPI; empty: no security at all
	AD          []ccsds.VCID          // sequence-controlled uplink channels, by priority: 0, 1
	BD          []ccsds.VCID          // uplink channels that take Type-BD frames only: 2

	FARMWindow  int           // W, even: 254
	FOPWindow   int           // K, at most half of W: 64
	Limit       int           // transmissions of one frame before an alert: 200
	FirstT1     time.Duration // until a round trip is known: 10 s
	Silence     time.Duration // without a good frame before the return link counts as lost: 5 s
	Acquisition int           // octets of alternating bits before each CLTU: 16
	Queue       int           // packets that wait on one virtual channel: 64

	Faults Faults
}

// Faults break one thing each, so that a demonstration can show what rests on it.
// Nothing but tests and the simulator sets them.
type Faults struct {
	NoRS         bool // ground: Reed–Solomon corrects nothing
	NoRetransmit bool // ground: FOP-1 never radiates a frame twice
	WrongKey     bool // ground: protects with keys the craft does not have
}

// maxPacket is the longest packet that either end takes.
const maxPacket = ccsds.MaxPacketLength

// WithDefaults fills in what is zero.
func (p Profile) WithDefaults() Profile {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&p.FrameLength, 1115}, {&p.Interleave, 5}, {&p.DownRate, 512_000}, {&p.UpRate, 256_000},
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
	if p.FirstT1 == 0 {
		p.FirstT1 = 10 * time.Second
	}
	if p.Silence == 0 {
		p.Silence = 5 * time.Second
	}
	return p
}

// Validate reports a profile that no link can have, after filling in defaults.
func (p Profile) Validate() error {
	p = p.WithDefaults()
	if err := p.tm().Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrProfile, err)
	}
	rs, err := coding.NewRS(16, p.Interleave, true)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProfile, err)
	}
	for _, c := range []struct {
		bad  bool
		what string
	}{
		{p.FrameLength > rs.DataLength() || p.FrameLength%p.Interleave != 0,
			fmt.Sprintf("frame_length %d: want a multiple of %d up to %d", p.FrameLength, p.Interleave, rs.DataLength())},
		{p.MaxTCFrame < 64 || p.MaxTCFrame > tc.MaxLength, fmt.Sprintf("max_tc_frame %d: want 64 to %d", p.MaxTCFrame, tc.MaxLength)},
		{p.DownRate < 1, fmt.Sprintf("down_rate %d: want at least 1", p.DownRate)},
		{p.UpRate < 1, fmt.Sprintf("up_rate %d: want at least 1", p.UpRate)},
		{p.FARMWindow < 2 || p.FARMWindow > 254 || p.FARMWindow%2 != 0, fmt.Sprintf("FARM window %d: want an even number from 2 to 254", p.FARMWindow)},
		{p.FOPWindow < 1 || p.FOPWindow > p.FARMWindow/2, fmt.Sprintf("FOP window %d: want 1 to %d, half of the FARM's", p.FOPWindow, p.FARMWindow/2)},
		{p.Limit < 1, fmt.Sprintf("transmission limit %d: want at least 1", p.Limit)},
		{p.Acquisition < 0 || p.Acquisition > 1024, fmt.Sprintf("acquisition %d octets: want 0 to 1024", p.Acquisition)},
		{p.Queue < 1 || p.Queue > 4096, fmt.Sprintf("queue of %d packets: want 1 to 4096", p.Queue)},
	} {
		if c.bad {
			return fmt.Errorf("%w: %s", ErrProfile, c.what)
		}
	}
	return p.validateChannels()
}

// validateChannels checks that each uplink channel is of one kind, and that either all
// are protected or none.
func (p Profile) validateChannels() error {
	seen := map[ccsds.VCID]bool{}
	for _, vc := range p.uplink() {
		if !vc.Valid() || seen[vc] {
			return fmt.Errorf("%w: uplink virtual channel %d is invalid or there twice", ErrProfile, vc)
		}
		seen[vc] = true
		spi, protected := p.SPI[vc]
		if !protected && len(p.SPI) > 0 {
			return fmt.Errorf("%w: uplink virtual channel %d has no SPI while others have", ErrProfile, vc)
		}
		if _, ok := p.Keys[spi]; protected && !ok {
			return fmt.Errorf("%w: no key for SPI %d of virtual channel %d", ErrProfile, spi, vc)
		}
	}
	if len(seen) == 0 {
		return fmt.Errorf("%w: no uplink virtual channel", ErrProfile)
	}
	if len(p.SPI) == 0 && len(p.Keys) > 0 {
		return fmt.Errorf("%w: keys without SPI by virtual channel", ErrProfile)
	}
	used := map[uint16]ccsds.VCID{}
	for vc, spi := range p.SPI {
		if other, twice := used[spi]; twice {
			return fmt.Errorf("%w: SPI %d for virtual channels %d and %d: each needs its own", ErrProfile, spi, min(vc, other), max(vc, other))
		}
		used[spi] = vc
	}
	_, err := sdls.NewReceiver(p.associations(false))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProfile, err)
	}
	return nil
}

// uplink lists the uplink channels by priority: recovery, then AD.
func (p Profile) uplink() []ccsds.VCID { return slices.Concat(p.BD, p.AD) }

// reported lists the uplink channels in the order in which CLCWs speak of them.
func (p Profile) reported() []ccsds.VCID { return slices.Concat(p.AD, p.BD) }

func (p Profile) tm() tm.Params {
	return tm.Params{SCID: p.SCID, FrameLength: p.FrameLength, OCF: true, FECF: true}
}

func (p Profile) tc() tc.Params {
	return tc.Params{SCID: p.SCID, FECF: true, MaxLength: p.MaxTCFrame}
}

// segmentLength is how many octets a segment may have, its header included.
func (p Profile) segmentLength(vc ccsds.VCID) int {
	n := p.tc().MaxData()
	if _, protected := p.SPI[vc]; protected {
		n -= sdls.Overhead
	}
	return n
}

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
		out = append(out, sdls.SA{SPI: spi, Key: key, VCs: []ccsds.VCID{vc}, Window: sdls.MaxWindow})
	}
	return out
}
