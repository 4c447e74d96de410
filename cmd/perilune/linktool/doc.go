// Package linktool turns packets and frames into the bits of a link and back, for files,
// pipes and UDP: what `perilune link encode`, `decode`, `stats`, `bert` and `pcap` do.
//
//	packets ─ Framer ─ frames ─ DownEncoder ─ bits, or soft symbols
//	packets ─ segments ─ frames ─ UpEncoder ─ bits
//	control words ─────┘ come out only: those of the downlink's frames
//	data ─ Framer ─ frames ─ … of a channel with another service: bits, octets, data units
//
// A stream of frames holds them end to end: those of a downlink are of one length, those of
// an uplink say how long they are. A stream of packets holds space packets end to end, also
// encapsulation packets where the profile takes them. Soft symbols are one int8 each, positive
// for 0, in eighths of the log-likelihood ratio. On UDP a datagram is one frame, one packet,
// or a piece of the bits.
package linktool

import (
	"errors"
	"fmt"
	"io"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
)

// Units are what a tool takes in or gives out beside bits.
type Units string

// The units.
const (
	Frames       Units = "frames"
	Packets      Units = "packets"
	Data         Units = "data"   // of a downlink channel whose service is not packets
	InsertZones  Units = "insert" // of a downlink's frames, end to end; they only come out
	ControlWords Units = "clcw"   // the CLCWs of a downlink, four octets each; they only come out
)

// Config says which link a tool works on.
type Config struct {
	Profile link.Profile
	Up      bool // the uplink instead of the downlink
	Units   Units
	VC      ccsds.VCID // that packets or data are sent on
	Only    bool       // decode what comes on VC alone
	// UnitLength is how many octets of a file make a data unit; 0: what a frame carries.
	UnitLength int
	Insert     io.Reader // what the insert zones of the frames that are made carry; nil: nothing
	Soft       bool      // symbols of one int8 each instead of bits
	Noise      Noise
}

// ErrConfig is wrapped by what a tool cannot do.
var ErrConfig = errors.New("link tool")

// Validate fills in defaults and reports what no tool can do.
func (c *Config) Validate() error {
	if err := c.Profile.Validate(); err != nil {
		return err
	}
	c.Profile = c.Profile.WithDefaults()
	switch {
	case c.Units != Frames && c.Units != Packets && c.Units != Data && c.Units != InsertZones && c.Units != ControlWords:
		return fmt.Errorf("%w: units %q: want frames, packets, data, insert or clcw", ErrConfig, c.Units)
	case c.Units != Packets && c.framing() == link.FramingPackets:
		return fmt.Errorf("%w: this link has packets and no frames: ask for packets", ErrConfig)
	case (c.Units == InsertZones || c.Insert != nil) && (c.Up || c.Profile.InsertZone == 0):
		return fmt.Errorf("%w: the frames of this link have no insert zone", ErrConfig)
	case c.Units == ControlWords && (c.Up || c.Profile.NoOCF):
		return fmt.Errorf("%w: the frames of this link carry no CLCW: ask for frames or packets", ErrConfig)
	}
	most := c.framing().MaxVC()
	if c.framing() != link.FramingTC {
		most++ // idle frames
	}
	if c.Only && c.VC > most {
		return fmt.Errorf("%w: virtual channel %d: frames of %s have 0 to %d", ErrConfig, c.VC, c.framing(), most)
	}
	if c.Units == Data {
		if err := c.validateData(); err != nil {
			return err
		}
	} else if c.UnitLength != 0 {
		return fmt.Errorf("%w: only data have units of a length", ErrConfig)
	}
	if c.Up && c.Units == Packets {
		if c.framing() == link.FramingUSLP {
			return fmt.Errorf("%w: packets of a USLP uplink need its COP-1: ask for frames", ErrConfig)
		}
		if len(c.Profile.SPI) > 0 {
			return fmt.Errorf("%w: packets of this uplink are protected by SDLS: ask for frames, or use a link without security", ErrConfig)
		}
	}
	return c.Noise.validate()
}

// ValidateInput is Validate for what goes from units to bits.
func (c *Config) ValidateInput() error {
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Units == ControlWords || c.Units == InsertZones {
		return fmt.Errorf("%w: CLCWs travel in frames, and so do insert zones: encode frames, packets or data", ErrConfig)
	}
	if c.Insert != nil && c.Units == Frames {
		return fmt.Errorf("%w: frames have their insert zones already: encode packets or data", ErrConfig)
	}
	if s := c.Profile.Service(c.VC); !c.Up && c.Units == Packets && s != link.ServicePackets {
		return fmt.Errorf("%w: virtual channel %d carries %s, not packets: encode data", ErrConfig, c.VC, s)
	}
	if most := c.framing().MaxVC(); c.Units == Packets && c.VC > most {
		return fmt.Errorf("%w: virtual channel %d: packets of %s go on 0 to %d", ErrConfig, c.VC, c.framing(), most)
	}
	return nil
}

func (c *Config) framing() link.Framing {
	if c.Up {
		return c.Profile.Up
	}
	return c.Profile.Down
}
