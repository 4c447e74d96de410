package cfdp

// repeats are the parts of a file to send again, in the order in which they
// were asked for. A part is in it once.
type repeats struct {
	order  []Segment
	queued segments // the same parts
}

// add queues what of s is not queued yet. When the set is full the rest is
// left: the receiver will ask for it again.
func (q *repeats) add(s Segment) {
	for _, part := range q.queued.missing(s, q.queued.limit) {
		if len(q.order) >= q.queued.limit {
			return
		}
		if _, ok := q.queued.add(part); !ok {
			return
		}
		q.order = append(q.order, part)
	}
}

// first is where the next repeat begins.
func (q *repeats) first() (at uint64, ok bool) {
	if len(q.order) == 0 {
		return 0, false
	}
	return q.order[0].Start, true
}

// take removes and returns the first octets, at most n of them, in one piece.
func (q *repeats) take(n uint64) (Segment, bool) {
	if len(q.order) == 0 {
		return Segment{}, false
	}
	s := q.order[0]
	if s.End-s.Start > n {
		s.End = s.Start + n
		q.order[0].Start = s.End
	} else {
		q.order = q.order[1:]
	}
	q.queued.remove(s)
	return s, true
}

func (q *repeats) clear() { q.order, q.queued.parts = nil, nil }
