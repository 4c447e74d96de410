package cfdp

import "sort"

// segments is a set of octets as sorted parts that neither touch nor overlap.
// It never holds more than limit parts.
type segments struct {
	parts []Segment
	limit int
}

// add puts s in and returns how many octets are new. It refuses, changing
// nothing, when s would be a part too many.
func (g *segments) add(s Segment) (fresh uint64, ok bool) {
	if s.End <= s.Start {
		return 0, true
	}
	// parts[i:j] touch or overlap s and become one with it.
	i := sort.Search(len(g.parts), func(k int) bool { return g.parts[k].End >= s.Start })
	j, merged, fresh := i, s, s.End-s.Start
	for ; j < len(g.parts) && g.parts[j].Start <= s.End; j++ {
		p := g.parts[j]
		fresh -= min(p.End, s.End) - max(p.Start, s.Start)
		merged.Start, merged.End = min(merged.Start, p.Start), max(merged.End, p.End)
	}
	if i == j {
		if len(g.parts) >= g.limit {
			return 0, false
		}
		g.parts = append(g.parts, Segment{})
		copy(g.parts[i+1:], g.parts[i:])
		g.parts[i] = s
		return fresh, true
	}
	g.parts[i] = merged
	g.parts = append(g.parts[:i+1], g.parts[j:]...)
	return fresh, true
}

// remove takes s out of the set. It may split a part, which the limit does not
// forbid.
func (g *segments) remove(s Segment) {
	var kept []Segment
	i := sort.Search(len(g.parts), func(k int) bool { return g.parts[k].End > s.Start })
	j := i
	for ; j < len(g.parts) && g.parts[j].Start < s.End; j++ {
		p := g.parts[j]
		if p.Start < s.Start {
			kept = append(kept, Segment{p.Start, s.Start})
		}
		if s.End < p.End {
			kept = append(kept, Segment{s.End, p.End})
		}
	}
	g.parts = append(g.parts[:i], append(kept, g.parts[j:]...)...)
}

// missing returns up to n of the gaps within scope, in order.
func (g *segments) missing(scope Segment, n int) []Segment {
	var gaps []Segment
	at := scope.Start
	i := sort.Search(len(g.parts), func(k int) bool { return g.parts[k].End > at })
	for ; i < len(g.parts) && g.parts[i].Start < scope.End && len(gaps) < n; i++ {
		if at < g.parts[i].Start {
			gaps = append(gaps, Segment{at, g.parts[i].Start})
		}
		at = max(at, g.parts[i].End)
	}
	if at < scope.End && len(gaps) < n {
		gaps = append(gaps, Segment{at, scope.End})
	}
	return gaps
}

// covers says whether all of s is in the set.
func (g *segments) covers(s Segment) bool { return len(g.missing(s, 1)) == 0 }

// end is the octet after the last one in the set.
func (g *segments) end() uint64 {
	if len(g.parts) == 0 {
		return 0
	}
	return g.parts[len(g.parts)-1].End
}

// total is the number of octets in the set.
func (g *segments) total() uint64 {
	var n uint64
	for _, p := range g.parts {
		n += p.End - p.Start
	}
	return n
}
