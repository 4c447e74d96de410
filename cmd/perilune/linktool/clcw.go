package linktool

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
)

// CLCWReport is what the CLCWs say of one virtual channel of the uplink: the last one, and how
// many there were.
type CLCWReport struct {
	Count      uint64 `json:"count"`
	VR         uint8  `json:"vr"` // report value: the frame that is expected next
	Lockout    bool   `json:"lockout"`
	Wait       bool   `json:"wait"`
	Retransmit bool   `json:"retransmit"`
	NoRF       bool   `json:"no_rf"`
	NoBitLock  bool   `json:"no_bit_lock"`
	FARMB      uint8  `json:"farm_b"`
}

func (r *Report) clcw(c *cop1.CLCW) {
	if r.CLCW == nil {
		r.CLCW = map[ccsds.VCID]*CLCWReport{}
	}
	n := uint64(1)
	if last := r.CLCW[c.VC]; last != nil {
		n += last.Count
	}
	r.CLCW[c.VC] = &CLCWReport{Count: n, VR: c.ReportValue, Lockout: c.Lockout, Wait: c.Wait, Retransmit: c.Retransmit,
		NoRF: c.NoRF, NoBitLock: c.NoBitLock, FARMB: c.FARMB}
}

// String is the last CLCW in words.
func (c *CLCWReport) String() string {
	out := fmt.Sprintf("%d, last: V(R) %d", c.Count, c.VR)
	for _, flag := range []struct {
		set  bool
		name string
	}{{c.Lockout, "lockout"}, {c.Wait, "wait"}, {c.Retransmit, "retransmit"}, {c.NoRF, "no RF"}, {c.NoBitLock, "no bit lock"}} {
		if flag.set {
			out += ", " + flag.name
		}
	}
	return out
}
