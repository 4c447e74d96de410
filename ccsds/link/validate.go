package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/tc"
)

// complaint is something wrong with a profile, if bad says so.
type complaint struct {
	bad  bool
	what string
}

func complain(all []complaint) error {
	for _, c := range all {
		if c.bad {
			return fmt.Errorf("%w: %s", ErrProfile, c.what)
		}
	}
	return nil
}

// Validate reports a profile that no link can have, after filling in defaults.
func (p Profile) Validate() error {
	p = p.WithDefaults()
	if err := complain([]complaint{
		{p.DownRate < 1, fmt.Sprintf("down_rate %d: want at least 1", p.DownRate)},
		{p.UpRate < 1, fmt.Sprintf("up_rate %d: want at least 1", p.UpRate)},
		{p.FARMWindow < 2 || p.FARMWindow > 254 || p.FARMWindow%2 != 0, fmt.Sprintf("FARM window %d: want an even number from 2 to 254", p.FARMWindow)},
		{p.FOPWindow < 1 || p.FOPWindow > p.FARMWindow/2, fmt.Sprintf("FOP window %d: want 1 to %d, half of the FARM's", p.FOPWindow, p.FARMWindow/2)},
		{p.Limit < 1, fmt.Sprintf("transmission limit %d: want at least 1", p.Limit)},
		{p.Acquisition < 0 || p.Acquisition > 1024, fmt.Sprintf("acquisition %d octets: want 0 to 1024", p.Acquisition)},
		{p.Queue < 1 || p.Queue > 4096, fmt.Sprintf("queue of %d packets: want 1 to 4096", p.Queue)},
	}); err != nil {
		return err
	}
	for _, check := range []func() error{p.validateDown, p.validateServices, p.validateUp, p.validateChannels, p.validateDownSecurity} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// validateDown checks frames and code of the downlink.
func (p Profile) validateDown() error {
	framed := p.Down == FramingTM || p.Down == FramingAOS || p.Down == FramingUSLP
	sure := p.Code.hasRS() || p.Code.Kind == CodeLDPC && !p.Code.sliced()
	if err := complain([]complaint{
		{!framed && p.Down != FramingPackets, fmt.Sprintf("down %q: want tm, aos, uslp or packets", p.Down)},
		{!framed && p.Code.Kind != CodeNone, fmt.Sprintf("down packets: coding %s wants frames; want none", p.Code.Kind)},
		{p.InsertZone < 0, fmt.Sprintf("insert_zone %d: want 0 or more octets", p.InsertZone)},
		{p.InsertZone > 0 && p.Down != FramingAOS && p.Down != FramingUSLP, "insert_zone: only aos and uslp frames have one"},
		{p.HeaderControl && p.Down != FramingAOS, "header_error_control: only aos frames have it"},
		{p.LongFECF && (p.Down != FramingUSLP || p.NoFECF), "fecf 32: only uslp frames have it"},
		{p.Variable && (p.Down != FramingUSLP || !p.Code.sliced()), "variable: only uslp frames vary, and only behind coding ldpc with a codeblock are they found"},
		{p.Variable && p.InsertZone > 0, "insert_zone: frames of variable length have none"},
		{p.Truncated != 0 && !p.Variable, "truncated: such frames are there only where frames are variable"},
		{p.Encapsulation && p.Down == FramingTM, "encapsulation: tm frames carry space packets only here"},
		{framed && p.NoFECF && !sure, fmt.Sprintf("no fecf: coding %s does not tell a wrong frame from a right one", p.Code.Kind)},
	}); err != nil || !framed {
		return err
	}
	var err error
	switch p.Down {
	case FramingTM:
		err = p.tm().Validate()
	case FramingAOS:
		if err = p.aos().Validate(); err == nil && p.aos().ZoneLength() > int(aos.OnlyIdleData) {
			err = fmt.Errorf("frame_length %d: packet zones are at most %d octets", p.FrameLength, aos.OnlyIdleData)
		}
	case FramingUSLP:
		err = p.uslp().Validate()
	}
	if err == nil {
		err = p.Code.Validate(p.FrameLength)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProfile, err)
	}
	return p.validateShares()
}

func (p Profile) validateShares() error {
	for vc, s := range p.Shares {
		if vc > p.Down.MaxVC() {
			return fmt.Errorf("%w: down channel %d: %s has 0 to %d for packets", ErrProfile, vc, p.Down, p.Down.MaxVC())
		}
		if s.Priority < 0 || s.Weight < 1 || s.Weight > 1000 || s.Rate < 0 {
			return fmt.Errorf("%w: down channel %d: priority %d, weight %d, rate %d: want 0 or more, 1 to 1000, 0 or more bit/s", ErrProfile, vc, s.Priority, s.Weight, s.Rate)
		}
	}
	if n := p.downData(0); n < ccsds.MinPacketLength {
		return fmt.Errorf("%w: frame_length %d leaves %d octets for packets", ErrProfile, p.FrameLength, n)
	}
	return nil
}

// validateUp checks frames and code of the uplink, and that COP-1 has a way back.
func (p Profile) validateUp() error {
	framed := p.Up == FramingTC || p.Up == FramingUSLP
	if err := complain([]complaint{
		{p.Up == FramingTC && !p.SCID.Valid(), fmt.Sprintf("spacecraft %d: tc frames have identifiers up to %d", p.SCID, ccsds.MaxSCID)},
		{!framed && p.Up != FramingPackets, fmt.Sprintf("up %q: want tc, uslp or packets", p.Up)},
		{p.MaxTCFrame < 64 || p.MaxTCFrame > tc.MaxLength, fmt.Sprintf("max_tc_frame %d: want 64 to %d", p.MaxTCFrame, tc.MaxLength)},
		{framed && p.Down == FramingPackets && len(p.AD) > 0, fmt.Sprintf("up %s with down packets: no frame brings the CLCW that channels %v wait for; want up packets, or BD channels only", p.Up, p.AD)},
		{p.FSR && (p.NoOCF || p.Down == FramingPackets || len(p.SPI) == 0), "fsr: a frame security report needs a control field and a protected uplink"},
		{framed && p.NoOCF && len(p.AD) > 0, fmt.Sprintf("no ocf: the CLCW that uplink channels %v wait for travels in it", p.AD)},
		{!framed && len(p.SPI) > 0, "up packets: security wants frames; say that there is none"},
	}); err != nil {
		return err
	}
	_, _, err := p.CLTU.code()
	return err
}

// validateChannels checks that each uplink channel is of one kind, and that either all
// are protected or none.
func (p Profile) validateChannels() error {
	seen := map[ccsds.VCID]bool{}
	for _, vc := range p.uplink() {
		if !vc.Valid() || seen[vc] || p.Up == FramingUSLP && vc == ccsds.MaxVCID {
			return fmt.Errorf("%w: uplink virtual channel %d is invalid or there twice", ErrProfile, vc)
		}
		seen[vc] = true
		if spi, protected := p.SPI[vc]; !protected && len(p.SPI) > 0 {
			return fmt.Errorf("%w: uplink virtual channel %d has no SPI while others have", ErrProfile, vc)
		} else if err := p.validateAssociation("uplink", vc, spi, p.UpMode[vc]); protected && err != nil {
			return err
		}
	}
	if len(seen) == 0 {
		return fmt.Errorf("%w: no uplink virtual channel", ErrProfile)
	}
	if len(p.SPI)+len(p.DownSPI) == 0 && len(p.Keys) > 0 && p.Up != FramingPackets {
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

func (p Profile) validateAssociation(way string, vc ccsds.VCID, spi uint16, m Mode) error {
	if _, ok := p.Keys[spi]; !ok {
		return fmt.Errorf("%w: no key for SPI %d of %s virtual channel %d", ErrProfile, spi, way, vc)
	}
	switch m {
	case "", ModeBoth, ModeAuthenticate, ModeEncrypt:
	default:
		return fmt.Errorf("%w: %s virtual channel %d: security %q: want authenticate, encrypt or both", ErrProfile, way, vc, m)
	}
	if way == "uplink" && m == ModeEncrypt {
		return fmt.Errorf("%w: uplink virtual channel %d: encrypted commands that nobody authenticates; want both", ErrProfile, vc)
	}
	return nil
}

// validateDownSecurity checks the associations of the downlink.
func (p Profile) validateDownSecurity() error {
	used := map[uint16]bool{}
	for _, spi := range p.SPI {
		used[spi] = true
	}
	for vc, spi := range p.DownSPI {
		switch {
		case p.Down == FramingPackets:
			return fmt.Errorf("%w: down packets: security wants frames", ErrProfile)
		case vc > p.Down.MaxVC():
			return fmt.Errorf("%w: SPI %d: no downlink virtual channel %d", ErrProfile, spi, vc)
		case used[spi]:
			return fmt.Errorf("%w: SPI %d of downlink virtual channel %d is another channel's too", ErrProfile, spi, vc)
		case p.downData(vc) < ccsds.MinPacketLength:
			return fmt.Errorf("%w: frame_length %d leaves %d octets for packets on protected channel %d", ErrProfile, p.FrameLength, p.downData(vc), vc)
		}
		used[spi] = true
		if err := p.validateAssociation("downlink", vc, spi, p.DownMode[vc]); err != nil {
			return err
		}
	}
	if _, err := sdls.NewReceiver(p.downAssociations()); err != nil {
		return fmt.Errorf("%w: %w", ErrProfile, err)
	}
	return nil
}
