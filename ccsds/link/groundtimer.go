package link

import "time"

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
