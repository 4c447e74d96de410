package cop1

import (
	"fmt"
	"time"
)

// move is one thing that may happen next.
type move struct {
	name string
	do   func(*pair)
}

// contradiction ends an initialisation that a change of FARM-1's state has overtaken.
func (p *pair) contradiction(c CLCW) {
	if p.fop.state == InitialisingWithBC && c.Lockout != (len(p.fop.bc.Data) == 1) {
		p.fop.Terminate()
	}
}

// moves lists what may happen next; each changes a clone.
func (p *pair) moves(x exploration, cells *coverage, fail func(string, ...any)) []move {
	var all []move
	add := func(ok bool, name string, do func(*pair)) {
		if ok {
			all = append(all, move{name, do})
		}
	}
	add(p.fop.Ready(), "hand over", func(q *pair) {
		_ = q.fop.Send(&FDU{Tag: q.next})
		q.next++
	})
	add(len(p.up) < x.up, "radiate", func(q *pair) { q.radiate() })
	add(len(p.up) > 0, "lose a frame", func(q *pair) { q.up = q.up[1:] })
	for _, room := range []bool{true, false} {
		add(len(p.up) > 0, fmt.Sprintf("deliver, room %v", room), func(q *pair) {
			m := q.up[0]
			q.up = q.up[1:]
			q.deliver(m, room, cells, fail)
		})
		add(len(p.up) > 0, fmt.Sprintf("deliver a copy, room %v", room), func(q *pair) { q.deliver(q.up[0], room, cells, fail) })
	}
	add(len(p.down) < x.down, "report", func(q *pair) {
		cells.farm(&q.farm, farmReport, func() { q.down = append(q.down, q.farm.CLCW(0)) })
	})
	add(len(p.down) > 0, "lose a report", func(q *pair) { q.down = q.down[1:] })
	add(len(p.down) > 0, "hear a report", func(q *pair) {
		c := q.down[0]
		q.down = q.down[1:]
		q.hear(c, x, cells)
	})
	add(!p.fop.timer.deadline.IsZero(), "T1", func(q *pair) { q.late(cells) })
	add(true, "room again", func(q *pair) { cells.farm(&q.farm, farmRelease, q.farm.Release) })
	add(p.fop.ss != 0, "resume", func(q *pair) { _ = q.fop.Resume(t0) })
	add(true, "FARM-1 starts again", func(q *pair) { q.restartFARM(x) })
	add(p.saved != p.farm.vr, "save V(R)", func(q *pair) { q.saved = q.farm.vr })
	add(true, "FOP-1 starts again", func(q *pair) { q.restartFOP(x) })
	add(x.forged, "forged frame", func(q *pair) { // far outside the window
		ns := q.farm.vr + 127
		cells.farm(&q.farm, q.farm.event(ns, true), func() { q.farm.AD(ns, true) })
	})
	return all
}

// radiate lets FOP-1 hand its next frame to the channel.
func (p *pair) radiate() {
	tx, ok := p.fop.Next(t0)
	switch {
	case !ok:
	case tx.Kind == BC:
		p.up = append(p.up, frameUp{kind: BC, data: tx.FDU.Data})
	default:
		p.up = append(p.up, frameUp{kind: AD, seq: tx.Seq, tag: tx.FDU.Tag.(int)})
	}
}

// late lets T1 run out.
func (p *pair) late(cells *coverage) {
	cells.fop(&p.fop, p.fop.timeoutEvent(), func() { p.fop.Tick(t0.Add(24 * time.Hour)) })
}

// restartFARM starts FARM-1 from the saved V(R).
func (p *pair) restartFARM(x exploration) {
	stale := p.saved != p.farm.vr
	p.farm, _ = NewFARM(x.window, p.saved)
	if stale { // the computer booted: acknowledgements died with it, and what was on its way came to nothing
		p.doubt = max(p.doubt, p.next)
		p.up, p.down = nil, nil
	}
}

// checkpoint saves V(R) before it runs too far ahead of what is saved.
func (p *pair) checkpoint(x exploration) {
	if int(p.farm.vr-p.saved) > x.stale {
		p.saved = p.farm.vr
	}
}

// restartFOP loses the sender's queues: its user sends again what was not confirmed.
func (p *pair) restartFOP(x exploration) {
	p.doubt = max(p.doubt, p.next)
	p.next = p.confirmed
	p.fop = FOP{cfg: x.cfg, state: Initial, count: 1, vs: p.farm.vr, nnr: p.farm.vr, timer: newTimer(x.cfg)}
}
