package craft

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
)

// Link is the space link's profile: TM frames with RS(255,223) down, TC frames with
// COP-1 and authenticated encryption up.
type Link struct {
	FrameLength int `toml:"frame_length"` // octets of a TM frame
	Interleave  int `toml:"interleave"`   // depth of the Reed-Solomon code
	DownRate    int `toml:"down_rate"`    // bit/s on the channel
	UpRate      int `toml:"up_rate"`      // bit/s on the channel
	MaxTCFrame  int `toml:"max_tc_frame"` // octets of a TC frame, at most 1024
}

// KeySize is the length of a link key in octets (AES-256).
const KeySize = 32

// SPIs of the uplink's security associations: one a virtual channel, so that each has
// its own anti-replay counter.
var uplinkSPI = map[ccsds.VCID]uint16{0: 1, 1: 2, 2: 3}

// DefaultLink is the profile of design §9.
func DefaultLink() Link {
	return Link{FrameLength: 1115, Interleave: 5, DownRate: 512_000, UpRate: 256_000, MaxTCFrame: 256}
}

func (l *Link) validate() error {
	for _, v := range []struct {
		key         string
		value       int
		least, most int
	}{
		{"frame_length", l.FrameLength, 128, 2048},
		{"down_rate", l.DownRate, 1000, 100_000_000},
		{"up_rate", l.UpRate, 1000, 10_000_000},
		{"max_tc_frame", l.MaxTCFrame, 64, 1024},
	} {
		if v.value < v.least || v.value > v.most {
			return fmt.Errorf("%s %d: want %d to %d", v.key, v.value, v.least, v.most)
		}
	}
	if l.FrameLength != 223*l.Interleave {
		return fmt.Errorf("frame_length %d with interleave %d: RS(255,223) wants %d octets", l.FrameLength, l.Interleave, 223*l.Interleave)
	}
	return nil
}

// SPIs lists the security associations of the uplink in order.
func SPIs() []uint16 { return []uint16{1, 2, 3} }

// Profile is the link engines' view of the craft, with the key of each association.
func (c *Craft) Profile(keys map[uint16][KeySize]byte) (link.Profile, error) {
	p := link.Profile{
		SCID:        ccsds.SCID(c.SCID),
		FrameLength: c.Link.FrameLength,
		Code:        link.Code{Interleave: c.Link.Interleave},
		DownRate:    c.Link.DownRate,
		UpRate:      c.Link.UpRate,
		MaxTCFrame:  c.Link.MaxTCFrame,
		Keys:        keys,
		SPI:         uplinkSPI,
	}
	return p, p.Validate()
}
