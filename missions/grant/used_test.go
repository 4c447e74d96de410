package grant_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/grant"
)

// Whatever the order in which numbers come, none is taken twice, all new ones are taken that are less
// than a window behind the highest, and none that is further behind.
func TestUsedNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom([]uint64{0, 1, 1000, math.MaxUint64 - 400}).Draw(t, "base")
		taken, highest := map[uint64]bool{}, uint64(0)
		var u grant.Used
		for range rapid.IntRange(1, 200).Draw(t, "orders") {
			n := base + rapid.Uint64Range(0, 200).Draw(t, "number")
			want := n > highest || n > 0 && highest-n < 64 && !taken[n]
			if err := u.Check(n); (err == nil) != want {
				t.Fatalf("order %d after %v, highest %d: %v", n, taken, highest, err)
			}
			if want {
				u = u.Add(n)
				taken[n], highest = true, max(highest, n)
			}
		}
	})
}

// Each refusal says why, and what to do.
func TestUsedRefusals(t *testing.T) {
	u := grant.UsedUpTo(10).Add(90).Add(80)
	for n, why := range map[uint64]string{0: "begin with 1", 10: "not known any more", 26: "not known any more", 80: "was carried out before", 90: "was carried out before"} {
		err := u.Check(n)
		rule(t, err, missions.RuleSequence)
		if !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "perilune mission activate") {
			t.Errorf("order %d: %v", n, err)
		}
	}
	for _, n := range []uint64{27, 79, 81, 91, math.MaxUint64} {
		if err := u.Check(n); err != nil {
			t.Errorf("order %d: %v", n, err)
		}
	}
	if got := grant.UsedUpTo(0); got != (grant.Used{}) {
		t.Errorf("none used: %+v", got)
	}
}
