package story

import (
	"slices"
	"testing"
)

// TestMilestonesStand checks that the story rests on itself: what a milestone rests on
// comes before it, and every DEMO_BREAK hits something.
func TestMilestonesStand(t *testing.T) {
	var seen []string
	for _, m := range milestones() {
		for _, r := range m.rests {
			if !slices.Contains(seen, r) {
				t.Errorf("%s rests on %q, which does not come before it", m.id, r)
			}
		}
		for _, b := range m.breaks {
			if !slices.Contains(Breaks, b) {
				t.Errorf("%s is hit by %q, which is no DEMO_BREAK", m.id, b)
			}
		}
		if slices.Contains(seen, m.id) {
			t.Errorf("%s is there twice", m.id)
		}
		seen = append(seen, m.id)
	}
	for _, b := range Breaks {
		if e := expected(milestones(), b); len(e) == 0 || len(e) == len(seen) {
			t.Errorf("DEMO_BREAK=%s would break %d of %d milestones", b, len(e), len(seen))
		}
	}
	if e := expected(milestones(), ""); len(e) != 0 {
		t.Errorf("nothing is broken and %v must fail", e)
	}
}

func TestExpectedFollowsRests(t *testing.T) {
	all := []milestone{
		{id: "a"}, {id: "b", rests: []string{"a"}, breaks: []string{"rs"}},
		{id: "c", rests: []string{"b"}}, {id: "d", rests: []string{"a"}}, {id: "e", rests: []string{"d", "c"}},
	}
	if got := expected(all, "rs"); !slices.Equal(got, []string{"b", "c", "e"}) {
		t.Fatalf("got %v", got)
	}
}
