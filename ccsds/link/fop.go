package link

import (
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
)

// newADChannel makes an uplink channel with its FOP-1.
func (g *Ground) newADChannel(vc ccsds.VCID) (*groundVC, error) {
	c := &groundVC{id: vc}
	limit := g.p.Limit
	if g.p.Faults.NoRetransmit {
		limit = min(limit, mutedLimit)
	}
	var err error
	c.fop, err = cop1.NewFOP(vc, cop1.Config{
		Window: g.p.FOPWindow, Limit: limit, T1First: g.p.FirstT1,
	}, func(n cop1.Notice) { g.notice(c, n) })
	if err != nil {
		return nil, err
	}
	c.fop.Hold(time.Time{}) // until there is a return link
	return c, nil
}

// mutedLimit is the transmission limit when no frame is radiated twice: T1 has nothing to
// wait for then, and at 200 transmissions the alert would come after minutes, or after ten
// where the link is slow. More than one, because directives are still repeated.
const mutedLimit = 5

// word gives a control word to the channel it speaks of.
func (g *Ground) word(w cop1.CLCW) {
	c := g.vcs[w.VC]
	if c == nil || c.fop == nil || !g.up {
		return
	}
	c.last = &w
	if c.wait {
		c.wait = false
		c.fop.Release(g.now)
		if c.fop.State() != cop1.Initial {
			g.event(FOPEvent{VC: c.id, Kind: FOPResumed})
		}
		g.contradiction(c, w)
		c.fop.CLCW(w, g.now)
		c.fop.Repeat(g.now) // what was radiated into the broken link
	} else {
		g.contradiction(c, w)
		c.fop.CLCW(w, g.now)
	}
	if c.fop.State() == cop1.Initial {
		g.initialise(c, w)
	}
}

// contradiction ends an initialisation that can no longer succeed: the state of FARM-1
// changed while the directive was on its way. Control words arrive in order, so one that
// shows the other state is newer than the one that chose the directive. FOP-1 must not see
// such a word: a lockout that ended may have ended by a restart instead of by this Unlock,
// and a directive that is still on its way could then pass for an acknowledgement. Set V(R)
// comes next in either case and puts all that is on its way behind it (the model checker of
// ccsds/cop1 finds the frame that is lost otherwise).
func (g *Ground) contradiction(c *groundVC, w cop1.CLCW) {
	if c.fop.State() == cop1.InitialisingWithBC && w.Lockout != c.unlocking {
		c.fop.Terminate()
	}
}

// initialise starts the AD service by a directive that stands, in the stream of
// frames, between all that was radiated before and all that comes after: frames still
// on their way can then not be taken for new ones. A locked FARM-1 discards them anyway.
func (g *Ground) initialise(c *groundVC, w cop1.CLCW) {
	g.settle(c, w.ReportValue)
	c.unlocking = w.Lockout
	if w.Lockout {
		// Neither can be refused in state Initial.
		_ = c.fop.SetVS(w.ReportValue)
		_ = c.fop.InitiateUnlock()
		return
	}
	_ = c.fop.InitiateSetVR(w.ReportValue + 128)
}

// settle decides what becomes of frames that an alert gave back. Those before N(R) did
// arrive, if N(R) lies among them; the packets of the others are sent again from their
// first segment, in order, before everything that waits.
func (g *Ground) settle(c *groundVC, nr uint8) {
	frames := c.returned
	c.returned = nil
	if len(frames) > 0 {
		if done := int(nr - frames[0].Seq); done <= radiated(frames) {
			for _, f := range frames[:done] {
				g.acknowledged(c, f)
			}
			frames = frames[done:]
		}
	}
	if g.p.Faults.NoRetransmit {
		return
	}
	var again []*upPacket
	for _, f := range frames {
		p := f.FDU.Tag.(*segmentRef).packet
		if len(again) == 0 || again[len(again)-1] != p {
			again = append(again, p)
		}
	}
	if len(again) == 0 && len(c.queue) > 0 && c.queue[0].next > 0 {
		c.queue[0].restart()
	}
	for _, p := range again {
		p.restart()
	}
	if n := len(again); n > 0 && len(c.queue) > 0 && again[n-1] == c.queue[0] {
		again = again[:n-1] // its rest was still waiting
	}
	c.queue = append(again, c.queue...)
}

// radiated is how many of the frames went out; the last may have waited.
func radiated(frames []cop1.Notice) (n int) {
	for _, f := range frames {
		if f.FDU.Frame != nil {
			n++
		}
	}
	return n
}

func (p *upPacket) restart() { p.next, p.acked = 0, 0 }

// notice translates what FOP-1 reports.
func (g *Ground) notice(c *groundVC, n cop1.Notice) {
	switch n.Kind {
	case cop1.Confirmed:
		g.acknowledged(c, n)
	case cop1.Returned:
		c.returned = append(c.returned, n)
	case cop1.Initialised:
		g.event(FOPEvent{VC: c.id, Kind: FOPInitialised, Seq: c.fop.VS()})
	case cop1.Alerted:
		c.stats.Alerts++
		g.event(FOPEvent{VC: c.id, Kind: FOPAlert, Reason: n.Alert.String()})
	case cop1.Retransmitted:
		if g.p.Faults.NoRetransmit {
			return
		}
		g.event(FOPEvent{VC: c.id, Kind: FOPRetransmit, Frames: n.Frames})
	}
}

// acknowledged counts the segments of a packet that FARM-1 has.
func (g *Ground) acknowledged(c *groundVC, n cop1.Notice) {
	p := n.FDU.Tag.(*segmentRef).packet
	if p.acked++; p.acked == len(p.segments) {
		c.stats.Accepted++
		g.event(FOPEvent{VC: c.id, Kind: FOPAccepted, Tag: p.tag, Seq: n.Seq})
	}
}
