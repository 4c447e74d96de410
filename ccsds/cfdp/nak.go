package cfdp

// Bounds of one round of NAKs. What is left over is asked for in the next.
const (
	maxNAKs = 16   // PDUs
	maxGaps = 1024 // found since the last NAK
)

// asking is what a receiver wants to ask for.
type asking struct {
	now       bool // everything that is missing
	prompted  bool // answer even if nothing is missing
	metadata  bool
	metaAsked bool      // the first request for metadata was made
	gaps      []Segment // just found
	last      Segment   // the last one asked for: when it is there, earlier ones that are not are lost
	out       [][]byte  // NAK PDUs made and not yet given
}

func (a *asking) gap(s Segment) {
	if len(a.gaps) < maxGaps {
		a.gaps = append(a.gaps, s)
	}
}

// firstMetadata asks for the metadata once; later the NAK timer does.
func (a *asking) firstMetadata() {
	a.metadata = a.metadata || !a.metaAsked
	a.metaAsked = true
}

// arrived looks whether a round of retransmissions is over. The link keeps
// order, so what was asked for before part and is missing still was lost again:
// it is asked for at once, without waiting for a timer. Where the link does not
// keep order, this costs duplicates and nothing else.
func (r *receiver) arrived(part Segment) {
	a := &r.ask
	if a.last.End == 0 || part.Start >= a.last.End || part.End < a.last.End {
		return
	}
	a.last = Segment{}
	a.now = a.now || r.eof != nil && r.head.Mode == Acknowledged
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
	perPDU := r.segmentsPerNAK()
	var list []Segment
	if r.meta == nil && (a.now || a.metadata) {
		list = append(list, Segment{})
	}
	scope := Segment{0, r.have.end()}
	if a.now {
		if r.eof != nil {
			scope.End = r.eof.FileSize
		}
		list = append(list, r.have.missing(scope, maxNAKs*perPDU-len(list))...)
	} else {
		for _, g := range a.gaps {
			list = append(list, r.have.missing(g, maxNAKs*perPDU-len(list))...)
		}
	}
	if len(list) == maxNAKs*perPDU {
		scope.End = list[len(list)-1].End
	}
	if len(list) > 0 || a.prompted {
		r.packNAKs(list, scope, perPDU)
	}
	if n := len(list); n > 0 {
		a.last = list[n-1]
	}
	a.now, a.prompted, a.metadata, a.gaps = false, false, false, a.gaps[:0]
}

// segmentsPerNAK is how many requests fit a PDU: a longer list is split, not
// cut (§4.6.4.3.3 leaves the maximum to the entity).
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
		if len(list) > 0 {
			n.End = part[len(part)-1].End
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

// startNAKTimer also starts the check timer of class 1 (§4.6.3.3).
func (r *receiver) startNAKTimer() {
	d := r.e.cfg.Timers.NAK
	if r.head.Mode == Unacknowledged {
		d = r.e.cfg.Timers.Check
	}
	r.nakTimer.start(&r.e.clock, d)
}
