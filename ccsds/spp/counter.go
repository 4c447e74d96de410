package spp

import "github.com/perilune/perilune/ccsds"

// SeqModulo is where sequence counts begin again at zero.
const SeqModulo = 1 << 14

// Counter gives each application process its own sequence count. The zero value is
// ready and begins at 0.
type Counter struct{ next map[ccsds.APID]uint16 }

// Next returns the sequence count of the next packet of apid.
func (c *Counter) Next(apid ccsds.APID) uint16 {
	if c.next == nil {
		c.next = make(map[ccsds.APID]uint16)
	}
	n := c.next[apid]
	c.next[apid] = (n + 1) % SeqModulo
	return n
}

// Gap returns how many packets are missing between sequence counts last and now of one
// application process: 0 when now follows last. A repeated count shows as 16383.
func Gap(last, now uint16) int {
	return int((now - last - 1) % SeqModulo)
}
