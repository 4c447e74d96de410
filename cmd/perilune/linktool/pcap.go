package linktool

import (
	"fmt"
	"io"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"

	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/wireshark"
)

// snapLength is the longest record of a capture in octets.
const snapLength = 65536

// Pcap reads bits from src and writes the units in them to out as a capture. A record's
// time is start plus that of the frame's first bit at the rate of the link.
func Pcap(c Config, src *Source, out io.Writer, start time.Time) (Report, error) {
	if err := c.Validate(); err != nil {
		return Report{}, err
	}
	if c.Units == Data || c.Units == InsertZones {
		return Report{}, fmt.Errorf("%w: data and insert zones have no link type for a capture: ask for frames", ErrConfig)
	}
	w := pcapgo.NewWriter(out)
	if err := c.captureHeader(w); err != nil {
		return Report{}, err
	}
	rate := c.Profile.DownRate
	if c.Up {
		rate = c.Profile.UpRate
	}
	return Decode(c, src, func(u Unit) error {
		at := start.Add(time.Duration(float64(u.Bit) / float64(rate) * float64(time.Second)))
		return w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(u.Octets), Length: len(u.Octets)}, u.Octets)
	})
}

// captureHeader says what the records are.
func (c *Config) captureHeader(w *pcapgo.Writer) error {
	switch {
	case c.Units == Packets:
		return w.WriteFileHeader(snapLength, wireshark.LinkTypeSPP)
	case c.Units == ControlWords:
		return w.WriteFileHeader(snapLength, wireshark.LinkTypeCLCW)
	case c.framing() == link.FramingTC:
		return w.WriteFileHeader(snapLength, wireshark.LinkTypeTC)
	case c.framing() == link.FramingAOS:
		return w.WriteFileHeader(snapLength, wireshark.LinkTypeAOS)
	case c.framing() == link.FramingUSLP:
		return w.WriteFileHeader(snapLength, wireshark.LinkTypeUSLP)
	}
	return w.WriteFileHeader(snapLength, wireshark.LinkTypeTM)
}
