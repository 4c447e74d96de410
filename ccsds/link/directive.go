package link

import (
	"time"

	"github.com/perilune/perilune/ccsds"
)

// InitAD starts the AD service of vc anew with the next control word. What is not
// acknowledged is sent again.
func (g *Ground) InitAD(vc ccsds.VCID, now time.Time) {
	if c := g.directive(vc, now); c != nil && c.last != nil && g.up {
		g.initialise(c, *c.last)
	}
}

// Unlock starts the AD service of vc anew by the directive Unlock.
func (g *Ground) Unlock(vc ccsds.VCID, now time.Time) {
	c := g.directive(vc, now)
	if c == nil {
		return
	}
	vr := c.expected()
	g.settle(c, vr)
	_ = c.fop.SetVS(vr)
	_ = c.fop.InitiateUnlock()
	c.unlocking = true
}

// SetVR starts the AD service of vc anew by the directive Set V(R) with value v.
func (g *Ground) SetVR(vc ccsds.VCID, v uint8, now time.Time) {
	c := g.directive(vc, now)
	if c == nil {
		return
	}
	g.settle(c, c.expected())
	_ = c.fop.InitiateSetVR(v)
	c.unlocking = false
}

// expected is what the craft expects next by its latest control word. Where none is known, it
// is taken to have nothing that it did not acknowledge: what it has may then come twice.
func (c *groundVC) expected() uint8 {
	if c.last != nil {
		return c.last.ReportValue
	}
	return c.fop.NNR()
}

// directive ends the AD service of vc; nil if there is none.
func (g *Ground) directive(vc ccsds.VCID, now time.Time) *groundVC {
	c := g.vcs[vc]
	if c == nil || c.fop == nil {
		return nil
	}
	g.Tick(now)
	c.fop.Terminate()
	return c
}
