package orbit_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/plan/orbit"
)

// away is how far two angles in degrees are from each other.
func away(a, b float64) float64 { return math.Abs(math.Remainder(a-b, 360)) }

// TestTurns compares orbit, angle and the instants of nodes with states of the PyPI package
// sgp4, angles of skyfield and a count of crossings of the equator.
func TestTurns(t *testing.T) {
	var p *orbit.Propagator
	all := lines(t, "testdata/turns.txt")
	nodes, angles, worstAngle, worstTime := 0, 0, 0.0, time.Duration(0)
	for i := 0; i < len(all); i++ {
		f := strings.Fields(all[i])
		if f[0] == "1" {
			p = propagator(t, all[i], all[i+1])
			i++
			continue
		}
		v := floats(t, f[1:])
		at := func(minutes float64) time.Time {
			return p.TLE().Epoch.Add(time.Duration(minutes * float64(time.Minute)))
		}
		if f[0] == "node" {
			when, err := p.When(orbit.Turns(v[0]) * orbit.Turn)
			if err != nil {
				t.Fatalf("object %s, node %v: %v", p.TLE().Catalog, v[0], err)
			}
			worstTime = max(worstTime, when.Sub(at(v[1])).Abs())
			nodes++
			continue
		}
		got, err := p.Turns(at(v[0]))
		if err != nil {
			t.Fatalf("object %s at %v min: %v", p.TLE().Catalog, v[0], err)
		}
		if got.Orbit() != int64(v[1]) {
			t.Errorf("object %s at %v min: %v, want orbit %v", p.TLE().Catalog, v[0], got, v[1])
		}
		worstAngle = max(worstAngle, away(got.Degrees(), v[2]))
		angles++
	}
	t.Logf("%d nodes, worst %v; %d angles, worst %.2g°", nodes, worstTime, angles, worstAngle)
	if worstTime > 100*time.Microsecond || worstAngle > 2e-6 {
		t.Errorf("worst node %v, worst angle %g°", worstTime, worstAngle)
	}
}

// When is the inverse of Turns, which rises.
func TestWhen(t *testing.T) {
	for _, set := range [][2]string{{low1, low2}, {molniya1, molniya2}} {
		p := propagator(t, set[0], set[1])
		rapid.Check(t, func(t *rapid.T) {
			a := p.TLE().Epoch.Add(time.Duration(rapid.Int64Range(-5*86400, 20*86400).Draw(t, "s")) * time.Second)
			b := a.Add(time.Duration(rapid.Int64Range(1, 86400).Draw(t, "later")) * time.Second)
			from, err := p.Turns(a)
			if err != nil {
				t.Fatal(err)
			}
			to, err := p.Turns(b)
			if err != nil || to <= from {
				t.Fatalf("%v at %v, %v at %v, %v", from, a, to, b, err)
			}
			back, err := p.When(from)
			if err != nil || back.Sub(a).Abs() > 20*time.Microsecond {
				t.Fatalf("%v is %v, %v, want %v", from, back, err, a)
			}
		})
	}
}

func TestTurnsRefuse(t *testing.T) {
	p := propagator(t, low1, low2)
	if _, err := p.When(1 << 62); !errors.Is(err, orbit.ErrTooFar) {
		t.Errorf("a thousand million orbits: %v", err)
	}
	if _, err := p.Turns(p.TLE().Epoch.Add(80 * 365 * 24 * time.Hour)); !errors.Is(err, orbit.ErrTooFar) {
		t.Errorf("80 years on: %v", err)
	}
	tle := p.TLE()
	tle.InclinationDeg = 0.01
	p, err := orbit.NewPropagator(tle)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Turns(p.TLE().Epoch); !errors.Is(err, orbit.ErrNode) {
		t.Errorf("over the equator: %v", err)
	}
}
