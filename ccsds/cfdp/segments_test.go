package cfdp

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The set against the plain way to keep one: a flag for each octet.
func TestSegments(t *testing.T) {
	const size = 64
	rapid.Check(t, func(t *rapid.T) {
		g := segments{limit: rapid.IntRange(1, 12).Draw(t, "limit")}
		var plain [size]bool
		draw := func(what string) Segment {
			s := Segment{Start: rapid.Uint64Range(0, size).Draw(t, what)}
			s.End = rapid.Uint64Range(s.Start, size).Draw(t, what+" end")
			return s
		}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			s := draw("segment")
			if rapid.Bool().Draw(t, "remove") && len(g.parts) < g.limit {
				g.remove(s)
				for i := s.Start; i < s.End; i++ {
					plain[i] = false
				}
			} else if fresh, ok := g.add(s); ok {
				for i := s.Start; i < s.End; i++ {
					if !plain[i] {
						fresh--
					}
					plain[i] = true
				}
				if fresh != 0 {
					t.Fatalf("adding %v counted %d too many", s, int64(fresh))
				}
			} else if len(g.parts) < g.limit {
				t.Fatalf("%v was refused with %d parts of %d", s, len(g.parts), g.limit)
			}
			scope := draw("scope")
			var gaps []Segment
			for i := scope.Start; i < scope.End; i++ {
				switch n := len(gaps); {
				case plain[i]:
				case n > 0 && gaps[n-1].End == i:
					gaps[n-1].End++
				default:
					gaps = append(gaps, Segment{i, i + 1})
				}
			}
			if got := g.missing(scope, size); !slices.Equal(got, gaps) {
				t.Fatalf("missing in %v: %v, want %v; parts %v", scope, got, gaps, g.parts)
			}
			total := uint64(0)
			for _, b := range plain {
				if b {
					total++
				}
			}
			if g.total() != total || g.covers(scope) != (len(gaps) == 0) {
				t.Fatalf("total %d, want %d", g.total(), total)
			}
		}
	})
}

// The parts to send again come out once each, in the order of asking.
func TestRepeats(t *testing.T) {
	q := repeats{queued: segments{limit: 4}}
	for _, s := range []Segment{{50, 70}, {10, 20}, {60, 80}, {0, 0}, {55, 56}} {
		q.add(s)
	}
	var got []Segment
	for s, ok := q.take(15); ok; s, ok = q.take(15) {
		got = append(got, s)
	}
	if want := []Segment{{50, 65}, {65, 70}, {10, 20}, {70, 80}}; !slices.Equal(got, want) {
		t.Errorf("sent again are %v, want %v", got, want)
	}
	for i := range uint64(9) {
		q.add(Segment{i * 10, i*10 + 5})
	}
	if len(q.order) != 4 || q.queued.total() != 20 {
		t.Errorf("%d parts of %d octets are queued", len(q.order), q.queued.total())
	}
}
