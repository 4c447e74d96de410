package cfdp

import "time"

// Bounds of what is asked for at once. What is left over is asked for later.
const (
	maxNAKs    = 16   // PDUs in a round
	maxGaps    = 1024 // found since the last NAK
	maxPending = 8192 // asked for and not yet answered
)

// asking is what a receiver wants to ask for, and what it has asked for.
//
// The link keeps order, and so does a sender that answers requests in the order
// in which they came. Then the arrival of what was asked for late says that
// what was asked for earlier and is still missing was lost once more; and an
// EOF that comes a round trip after a request says that the request was
// answered. Either way the next NAK goes out without waiting for a timer, and
// what is on its way is not asked for twice. Where the link or the sender does
// not keep order, all this costs duplicates and nothing else.
type asking struct {
	now      bool // everything that is missing
	prompted bool // answer even if nothing is missing
	metadata bool
	gaps     []Segment // just found
	pending  []request // in the order of asking
	asked    segments  // all that was ever asked for
	metaAt   time.Duration
	metaSent bool          // metadata was asked for, at metaAt
	trip     time.Duration // the shortest time from a request to its answer
	out      [][]byte      // NAK PDUs made and not yet given
}

// request is a part of the file that was asked for.
type request struct {
	Segment
	at    time.Duration
	again bool // some of it was asked for before: an answer may be to that
}

func (a *asking) gap(s Segment) {
	if len(a.gaps) < maxGaps && s.Start < s.End {
		a.gaps = append(a.gaps, s)
	}
}

// everything asks for all that is missing, on its way or not.
func (a *asking) everything() {
	a.now, a.pending, a.metaSent = true, a.pending[:0], false
}

// arrived finds out from the arrival of part what was lost.
func (r *receiver) arrived(part Segment) {
	a := &r.ask
	for i := range a.pending {
		p := &a.pending[i]
		if part.Start >= p.End || part.End <= p.Start {
			continue
		}
		took := r.e.clock.elapsed - p.at
		if p.again && took < a.trip {
			// Too early: the answer to an older request, which says nothing.
			a.pending = append(a.pending[:i], a.pending[i+1:]...)
			return
		}
		if !p.again && (a.trip == 0 || took < a.trip) {
			a.trip = took
		}
		for _, lost := range a.pending[:i] {
			a.gap(lost.Segment)
		}
		a.gap(Segment{p.Start, part.Start})
		if p.Start = part.End; p.Start >= p.End {
			i++
		}
		a.pending = append(a.pending[:0], a.pending[i:]...)
		return
	}
}

// answered finds out from the arrival of EOF what was lost: whatever was asked
// for longer ago than an answer takes.
func (r *receiver) answered() {
	a := &r.ask
	n := 0
	for n < len(a.pending) && a.pending[n].at+a.trip < r.e.clock.elapsed {
		n++
	}
	a.pending = append(a.pending[:0], a.pending[n:]...)
	if a.metaSent && a.metaAt+a.trip < r.e.clock.elapsed {
		a.metaSent = false
	}
	a.now = true
}

// nak gives the next NAK PDU.
func (r *receiver) nak() []byte {
	a := &r.ask
	if len(a.out) == 0 {
		r.makeNAKs()
	}
	if len(a.out) == 0 {
		return nil
	}
	pdu := a.out[0]
	a.out = a.out[1:]
	r.info.NAKs++
	r.startNAKTimer()
	return pdu
}

// makeNAKs turns the wishes into PDUs.
func (r *receiver) makeNAKs() {
	a := &r.ask
	if !a.now && !a.metadata && len(a.gaps) == 0 {
		return
	}
	// Until EOF the prompted and asynchronous modes keep to their occasions.
	// arrived may have found gaps, which wait for the next of them.
	if r.eof == nil && !a.now && r.e.cfg.NAK != NAKImmediate {
		a.metadata, a.gaps = false, a.gaps[:0]
		return
	}
	if r.expiries >= r.e.cfg.Timers.NAKLimit {
		return // the timer ends it
	}
	perPDU := r.segmentsPerNAK()
	room := min(maxNAKs*perPDU, maxPending-len(a.pending))
	var list []Segment
	if r.meta == nil && !a.metaSent && room > 0 {
		list = append(list, Segment{})
		a.metaSent, a.metaAt = true, r.e.clock.elapsed
	}
	covered := r.expected()
	scope := Segment{0, r.have.end()}
	if a.now {
		if r.eof != nil {
			scope.End = r.eof.FileSize
		}
		list = append(list, covered.missing(scope, room-len(list))...)
	} else {
		for _, g := range a.gaps {
			list = append(list, covered.missing(g, room-len(list))...)
		}
	}
	if n := len(list); n > 0 && n == room {
		scope.End = list[n-1].End
	}
	if len(list) > 0 || a.prompted {
		r.expiries++
		r.packNAKs(list, scope, perPDU)
	}
	for _, s := range list {
		if s.End > 0 {
			fresh, ok := a.asked.add(s)
			a.pending = append(a.pending, request{s, r.e.clock.elapsed, !ok || fresh < s.End-s.Start})
		}
	}
	a.now, a.prompted, a.metadata, a.gaps = false, false, false, a.gaps[:0]
}

// expected is what is there or on its way.
func (r *receiver) expected() segments {
	all := segments{limit: len(r.have.parts) + len(r.ask.pending)}
	all.parts = append(make([]Segment, 0, all.limit), r.have.parts...)
	for _, p := range r.ask.pending {
		all.add(p.Segment)
	}
	return all
}

// segmentsPerNAK is how many requests fit a PDU: a longer list is split, not
// cut.
func (r *receiver) segmentsPerNAK() int {
	fss := r.head.offsetLength()
	room := r.e.cfg.MaxPDU - r.head.Length() - 1 - 2*fss
	if r.head.CRC {
		room -= crcLength
	}
	return max(1, room/(2*fss))
}

// packNAKs gives each PDU a scope of its own; together they make up scope.
func (r *receiver) packNAKs(list []Segment, scope Segment, perPDU int) {
	for at := scope.Start; ; {
		part := list[:min(perPDU, len(list))]
		list = list[len(part):]
		n := &NAK{Start: at, End: scope.End, Segments: part}
		if len(part) > 0 && (len(list) > 0 || part[len(part)-1].End > scope.End) {
			n.End = part[len(part)-1].End
		}
		// Gaps that were found out of order do not make up one scope.
		for _, s := range part {
			n.Start, n.End = min(n.Start, s.Start), max(n.End, s.End)
		}
		at = n.End
		if pdu := r.encode(n); pdu != nil {
			r.ask.out = append(r.ask.out, pdu)
		}
		if f := r.e.ev.NAK; f != nil {
			id := r.info.ID
			r.e.events = append(r.e.events, func() { f(id, n.Segments) })
		}
		if len(list) == 0 {
			return
		}
	}
}

func (r *receiver) encode(b Body) []byte {
	pdu, err := Append(make([]byte, 0, 64), r.head, b)
	if err != nil {
		return nil // cannot be: ids and widths came from a PDU
	}
	return pdu
}

// startNAKTimer also starts the check timer of class 1 (§4.6.3.3). Once the
// round trip is known the NAK timer begins short, and grows while nothing comes.
func (r *receiver) startNAKTimer() {
	d := r.e.cfg.Timers.NAK
	switch trip := r.ask.trip; {
	case r.head.Mode == Unacknowledged:
		d = r.e.cfg.Timers.Check
	case trip > 0:
		d = max(min(d, (4*trip+time.Second)<<min(r.expiries, 6)), 2*trip)
	}
	r.nakTimer.start(&r.e.clock, d)
}
