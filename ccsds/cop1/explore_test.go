package cop1

import (
	"slices"
	"time"
)

// A model checker for FOP-1 and FARM-1 as they are: every pair of states that a channel
// which loses and repeats, but does not reorder, can bring about, with restarts of either
// side, forged frames and a FARM-1 without room, is visited and checked.
//
// Sequence numbers count modulo 256 and tags without end, so that states which differ by
// a rotation of all numbers alike are one: numbers are kept relative to V(R), tags
// relative to the next one that the far end wants.

// exploration is what one run of the checker allows.
type exploration struct {
	name     string
	cfg      Config
	window   int // FARM-1's W
	up, down int // what the channel holds in each direction
	stale    int // frames that a restarted FARM-1's V(R) may lie behind; 0: exact
	forged   bool
	trusting bool // the user takes the end of a lockout for the answer to its Unlock
	limit    int  // states that may be visited before the run is called too large
}

// frameUp is a frame on its way up.
type frameUp struct {
	kind Kind
	seq  uint8
	tag  int
	data []byte
}

// pair is FOP-1, FARM-1, the channel between them and what both users know.
type pair struct {
	fop  FOP
	farm FARM
	up   []frameUp
	down []CLCW

	saved uint8 // V(R) as the craft's disk has it

	next      int // tag that the sending user hands over next
	want      int // tag that the receiving user has not seen yet
	confirmed int // tags below are confirmed to the sending user
	doubt     int // tags below may have been handed over more than once
}

var t0 = time.Unix(1000, 0)

func newPair(x exploration) *pair {
	p := &pair{fop: FOP{cfg: x.cfg, state: Initial, count: 1, timer: newTimer(x.cfg)}}
	p.farm, _ = NewFARM(x.window, 0)
	return p
}

// clone copies what transitions change.
func (p *pair) clone() *pair {
	q := *p
	q.fop.sent = slices.Clone(p.fop.sent)
	q.up = slices.Clone(p.up)
	q.down = slices.Clone(p.down)
	return &q
}

// normalise forgets what steers nothing but the length of T1.
func (p *pair) normalise(x exploration) {
	p.checkpoint(x)
	on := !p.fop.timer.deadline.IsZero()
	p.fop.timer = newTimer(x.cfg)
	if on {
		p.fop.timer.start(t0)
	}
	for i := range p.fop.sent {
		p.fop.sent[i].again, p.fop.sent[i].first = true, t0
	}
	p.fop.bcRe, p.fop.bcAt, p.fop.notify = true, t0, nil
	p.farm.b = 0 // FOP-1 ignores it
}

// key tells states apart, up to a rotation of numbers.
func (p *pair) key() string {
	b := make([]byte, 0, 96)
	seq := func(n uint8) { b = append(b, n-p.farm.vr) }
	tag := func(n int) { b = append(b, byte(n-p.want)) }
	flag := func(set ...bool) {
		var v byte
		for _, s := range set {
			v <<= 1
			if s {
				v |= 1
			}
		}
		b = append(b, v)
	}
	f := &p.fop
	b = append(b, byte(f.state), byte(f.ss), byte(f.count), byte(len(f.sent)))
	flag(f.wait != nil, f.bc != nil, f.bcOut, f.init, !f.timer.deadline.IsZero())
	seq(f.vs)
	seq(f.nnr)
	seq(p.saved)
	for _, s := range f.sent {
		seq(s.seq)
		tag(s.fdu.Tag.(int))
		flag(s.resend)
	}
	if f.wait != nil {
		tag(f.wait.Tag.(int))
	}
	directive := func(data []byte) {
		b = append(b, byte(len(data)))
		if len(data) == 3 {
			seq(data[2])
		}
	}
	if f.bc != nil {
		directive(f.bc.Data)
	}
	b = append(b, byte(p.farm.state))
	flag(p.farm.retransmit, p.farm.wait)
	tag(p.next)
	tag(p.confirmed)
	tag(max(p.doubt, p.confirmed))
	b = append(b, byte(len(p.up)))
	for _, m := range p.up {
		b = append(b, byte(m.kind))
		if m.kind == BC {
			directive(m.data)
			continue
		}
		seq(m.seq)
		tag(m.tag)
	}
	for _, c := range p.down {
		flag(c.Lockout, c.Wait, c.Retransmit)
		seq(c.ReportValue)
	}
	return string(b)
}

// listen is the sending user: it hears confirms and takes back what was returned.
func (p *pair) listen(fail func(string, ...any)) {
	p.fop.notify = func(n Notice) {
		switch n.Kind {
		case Confirmed:
			tag := n.FDU.Tag.(int)
			if tag >= p.want {
				fail("tag %d is confirmed and was not delivered (%d is wanted)", tag, p.want)
			}
			if tag != p.confirmed {
				fail("tag %d is confirmed, %d was due", tag, p.confirmed)
			}
			p.confirmed = tag + 1
		case Returned:
			tag := n.FDU.Tag.(int)
			p.doubt = max(p.doubt, tag+1)
			p.next = min(p.next, tag)
		}
	}
}

// deliver hands a frame to FARM-1; what passes must be the next one, or one that the
// user sent again after it had been returned.
func (p *pair) deliver(m frameUp, room bool, cells *coverage, fail func(string, ...any)) {
	if m.kind == BC {
		cells.farm(&p.farm, controlEvent(m.data), func() { p.farm.Control(m.data) })
		return
	}
	e := p.farm.event(m.seq, room)
	var v Verdict
	cells.farm(&p.farm, e, func() { v = p.farm.AD(m.seq, room) })
	if v != Accepted {
		return
	}
	switch {
	case m.tag > p.want:
		fail("gap: tag %d is delivered, %d was not", m.tag, p.want)
	case m.tag == p.want:
		p.want++
	case m.tag >= p.doubt:
		fail("duplicate: tag %d is delivered again and was never returned", m.tag)
	}
}

// hear gives a control word to FOP-1; a user without AD service initialises it as
// ccsds/link does: by a directive, never by a number alone, since frames of the service
// before may be on their way.
func (p *pair) hear(c CLCW, x exploration, cells *coverage) {
	if !x.trusting {
		p.contradiction(c)
	}
	cells.fop(&p.fop, p.fop.classify(c), func() { p.fop.CLCW(c, t0) })
	if x.trusting {
		p.contradiction(c)
	}
	if p.fop.state != Initial {
		return
	}
	if p.fop.ss != 0 { // given up: a resumed service at its limit sends nothing again by itself
		_ = p.fop.Resume(t0)
		p.fop.Terminate()
	}
	if c.Lockout {
		_ = p.fop.SetVS(c.ReportValue)
		_ = p.fop.InitiateUnlock()
	} else {
		_ = p.fop.InitiateSetVR(c.ReportValue + 128)
	}
}

// settles follows the one schedule in which nothing is lost any more, and says whether
// it confirms something new.
func (p *pair) settles(x exploration, fail func(string, ...any)) bool {
	q := p.clone()
	goal := max(q.next, q.doubt, q.confirmed)
	quiet := &coverage{}
	for range 400 {
		q.listen(fail)
		q.farm.Release()
		if q.fop.Ready() {
			_ = q.fop.Send(&FDU{Tag: q.next})
			q.next++
		}
		sent := len(q.up)
		q.radiate()
		for _, m := range q.up {
			q.deliver(m, true, quiet, fail)
		}
		idle := sent == len(q.up)
		q.up = q.up[:0]
		q.down = append(q.down, q.farm.CLCW(0))
		for _, c := range q.down {
			q.hear(c, x, quiet)
		}
		q.down = q.down[:0]
		if q.confirmed > goal {
			return true
		}
		if idle && !q.fop.timer.deadline.IsZero() {
			q.late(quiet)
		}
		q.normalise(x)
	}
	return false
}
