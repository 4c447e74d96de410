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

// Tick works out what arrived and runs the timers.
func (g *Ground) Tick(now time.Time) {
	if now.Before(g.now) {
		now = g.now // a clock that went back must not lengthen timers
	}
	g.now = now
	if g.alive {
		g.alive, g.heard = false, now
	}
	for _, a := range g.pending {
		switch a.kind {
		case gotLock:
			g.acquire()
		case lostLock:
			g.lose()
		case gotCLCW:
			g.word(a.clcw)
		}
	}
	g.pending = g.pending[:0]
	for _, e := range g.accepted {
		g.event(e)
	}
	g.accepted = g.accepted[:0]
	if g.up && now.Sub(g.heard) > g.p.Silence {
		g.resync()
		g.flowing, g.pending = false, g.pending[:0]
		g.lose()
	}
	for _, id := range g.p.AD {
		g.vcs[id].fop.Tick(now)
	}
	if now.Sub(g.saved) >= saveEvery {
		g.saved = now
		_ = g.SaveFloors() // tried again at the next
	}
}

// saveEvery is how often Tick saves the anti-replay floors of the downlink.
const saveEvery = time.Second

// SaveFloors has the Counter keep the anti-replay floors of the downlink, before the end.
// Tick does so once a second: what was received since could be received again after a
// restart.
func (g *Ground) SaveFloors() error { return g.frames.SaveFloors() }

// NextTimer is when Tick should be called next: at once (the latest time known) when
// received bits wait to be worked out, the zero time when nothing is timed.
func (g *Ground) NextTimer() time.Time {
	if len(g.pending)+len(g.accepted) > 0 {
		return g.now
	}
	var next time.Time
	earliest := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if g.up {
		earliest(g.heard.Add(g.p.Silence + 1))
	}
	for _, id := range g.p.AD {
		earliest(g.vcs[id].fop.Deadline())
	}
	return next
}

// resync goes back to the search for frames.
func (g *Ground) resync() {
	if g.stream != nil {
		g.stream.reset()
		g.setState(Search)
		return
	}
	g.decoder.Reset()
	g.setState(g.decoder.State())
}

// acquire: the return link works. Each channel goes on at its next control word.
func (g *Ground) acquire() {
	if g.up {
		return
	}
	g.up = true
	for _, id := range g.p.AD {
		g.vcs[id].wait = true
	}
}

// lose: the return link is gone. FOP-1 stands still, so that the silence counts neither
// as T1 nor as a transmission.
func (g *Ground) lose() {
	if !g.up {
		return
	}
	g.up = false
	for _, id := range g.p.AD {
		c := g.vcs[id]
		c.wait, c.last = false, nil
		if !c.fop.Held() {
			c.fop.Hold(g.now)
			g.event(FOPEvent{VC: id, Kind: FOPSuspended})
		}
	}
}

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
