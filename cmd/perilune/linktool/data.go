package linktool

import (
	"fmt"
	"maps"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
)

// DataReport counts what came on a channel whose service is not packets.
type DataReport struct {
	Service link.Service `json:"service"`
	Units   uint64       `json:"units"` // or pieces of a stream
	Bits    uint64       `json:"bits"`
	Gaps    uint64       `json:"gaps"` // times something was missing
}

// serving lists the channels whose service is not packets.
func (c *Config) serving() (out []ccsds.VCID) {
	for _, vc := range slices.Sorted(maps.Keys(c.Profile.Services)) {
		if c.Profile.Service(vc) != link.ServicePackets {
			out = append(out, vc)
		}
	}
	return out
}

// validateData checks the channel of data, and takes the only one there is if none was named.
func (c *Config) validateData() error {
	all := c.serving()
	switch {
	case c.Up || len(all) == 0:
		return fmt.Errorf("%w: no channel of this link carries data other than packets", ErrConfig)
	case !c.Only && len(all) == 1:
		c.VC, c.Only = all[0], true
	case !c.Only || !slices.Contains(all, c.VC):
		return fmt.Errorf("%w: data of virtual channel %d: those that carry some are %v", ErrConfig, c.VC, all)
	}
	most, service := c.Profile.DownRoom(c.VC), c.Profile.Service(c.VC)
	if c.UnitLength == 0 {
		c.UnitLength = most
	}
	switch {
	case c.UnitLength < 1 || c.UnitLength > link.MaxUnit:
		return fmt.Errorf("%w: data units of %d octets: want 1 to %d", ErrConfig, c.UnitLength, link.MaxUnit)
	case c.UnitLength != most && service != link.ServiceAccess:
		return fmt.Errorf("%w: %s of virtual channel %d has no units of a length", ErrConfig, service, c.VC)
	case c.UnitLength != most && c.framing() != link.FramingUSLP:
		return fmt.Errorf("%w: data units of %d octets: those of %s fill a frame, %d octets", ErrConfig, c.UnitLength, c.framing(), most)
	}
	return nil
}

// dataLength is how many octets of the input go together: as many as fill a frame of a stream,
// or are a data unit. Datagrams are units as they are, where frames take any.
func (c *Config) dataLength(head []byte, datagrams bool) int {
	if datagrams && c.anyLength() {
		return min(len(head), link.MaxUnit)
	}
	return c.UnitLength
}

// anyLength reports whether frames of the channel carry less than a whole unit, too.
func (c *Config) anyLength() bool {
	return c.framing() == link.FramingUSLP || c.Profile.Service(c.VC) != link.ServiceAccess
}

// data takes what a frame brought.
func (d *decoder) data(vc ccsds.VCID, bit uint64, data link.Data) {
	r := d.report.Data[vc]
	if r == nil {
		r = &DataReport{Service: d.c.Profile.Service(vc)}
		d.report.Data[vc] = r
	}
	r.Units++
	r.Bits += uint64(data.Bits)
	if data.Lost {
		r.Gaps++
	}
	if d.c.Units != Data || vc != d.c.VC {
		return
	}
	octets := data.Octets
	if r.Service == link.ServiceBitstream {
		octets = d.joiner.Push(data)
	}
	if len(octets) > 0 {
		d.fail(d.emit(Unit{Octets: octets, Bit: bit, VC: vc}))
	}
}
