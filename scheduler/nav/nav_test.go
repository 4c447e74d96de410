package nav_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/plan/orbit"
	"github.com/perilune/perilune/scheduler/nav"
	"github.com/perilune/perilune/scheduler/safe"
)

// Elements of test/golden/turns.py; their orbit 7 holds the epoch.
var first = []string{
	"1 90001U 26001A   00001.00000000  .00000000  00000-0  50000-4 0    13",
	"2 90001  97.6000  33.1000 0012000  90.0000 250.0000 15.05000000    78",
}

// later are the same elements with another number: 500 orbits off.
var later = [2]string{first[0], "2 90001  97.6000  33.1000 0012000  90.0000 250.0000 15.05000000  5073"}

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func open(t *testing.T, r nav.Records) *nav.Nav {
	t.Helper()
	n, err := nav.New(r, first)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func at(t *testing.T, n *nav.Nav, after time.Duration) orbit.Turns {
	t.Helper()
	place, err := n.At(epoch.Add(after))
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func changes(t *testing.T, n *nav.Nav, do func() error) {
	t.Helper()
	changed := n.Changed()
	if err := do(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("a change was not told")
	}
}

func TestNumbers(t *testing.T) {
	records := safe.NewRecords()
	n := open(t, records)
	if got := at(t, n, 0).Orbit(); got != 7 {
		t.Fatalf("orbit %d at epoch", got)
	}
	// From the next orbit on, 1000: not before.
	changes(t, n, func() error { return n.Renumber(epoch, 1000) })
	for _, c := range []struct {
		after time.Duration
		want  int64
	}{{0, 7}, {5 * time.Minute, 7}, {6 * time.Minute, 1000}, {3 * time.Hour, 1001}} {
		if got := at(t, n, c.after).Orbit(); got != c.want {
			t.Errorf("orbit %d after %v, want %d", got, c.after, c.want)
		}
	}
	if _, err := n.When(8 * orbit.Turn); !errors.Is(err, nav.ErrSkipped) {
		t.Errorf("orbit 8: %v", err)
	}
	if when, err := n.When(1000 * orbit.Turn); err != nil || when.Sub(epoch).Round(time.Second) != 5*time.Minute+23*time.Second {
		t.Errorf("orbit 1000 at %v, %v", when, err)
	}
	// Other elements go on with the numbers, after a restart too.
	changes(t, n, func() error { return n.Set(later, epoch) })
	again := open(t, records)
	for _, n := range []*nav.Nav{n, again} {
		if a, b := at(t, n, time.Minute).Orbit(), at(t, n, time.Hour).Orbit(); a != 7 || b != 1000 {
			t.Errorf("orbits %d and %d", a, b)
		}
	}
	// Back to a number that was there: the one to come is meant.
	changes(t, again, func() error { return again.Renumber(epoch.Add(time.Hour), 7) })
	if when, err := again.When(7 * orbit.Turn); err != nil || when.Before(epoch.Add(time.Hour)) {
		t.Errorf("orbit 7 at %v, %v", when, err)
	}
	if got := at(t, again, time.Hour).Orbit(); got != 1000 {
		t.Errorf("orbit %d before the next begins", got)
	}
}

func TestRefusals(t *testing.T) {
	n, err := nav.New(safe.NewRecords(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.At(epoch); !errors.Is(err, nav.ErrNoElements) {
		t.Errorf("at: %v", err)
	}
	if _, err := n.When(0); !errors.Is(err, nav.ErrNoElements) {
		t.Errorf("when: %v", err)
	}
	if err := n.Renumber(epoch, 1); !errors.Is(err, nav.ErrNoElements) {
		t.Errorf("renumber: %v", err)
	}
	var bad *orbit.ParseError
	if err := n.Set([2]string{first[0], strings.Replace(first[1], "97.6", "97.7", 1)}, epoch); !errors.As(err, &bad) {
		t.Errorf("checksum: %v", err)
	}
	if err := n.Set([2]string{first[0], first[1]}, epoch.AddDate(60, 0, 0)); !errors.Is(err, orbit.ErrTooFar) {
		t.Errorf("elements of 60 years ago: %v", err)
	}
	if err := n.Set([2]string{first[0], first[1]}, time.Time{}); err != nil {
		t.Errorf("without a clock: %v", err)
	}
	if got := at(t, n, 0).Orbit(); got != 7 {
		t.Errorf("orbit %d: the first elements have their own numbers", got)
	}
	if _, err := nav.New(broken{}, first); err == nil {
		t.Error("records that cannot be read are no error")
	}
}

type broken struct{}

func (broken) Put(string, string, any) error { return errors.New("disk gone") }
func (broken) Get(string, string, any) error { return errors.New("disk gone") }

// Whatever the ground numbers, the order of places is that of time, and each place that the
// craft reports leads back to its instant.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, err := nav.New(safe.NewRecords(), first)
		if err != nil {
			t.Fatal(err)
		}
		now := epoch
		for range rapid.IntRange(1, 4).Draw(t, "times") {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "minutes")) * time.Minute)
			if rapid.Bool().Draw(t, "other elements") {
				err = n.Set(later, now)
			} else {
				err = n.Renumber(now, rapid.Int64Range(0, 2000).Draw(t, "first"))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		last := orbit.Turns(0)
		for i := range 5 {
			// From the next orbit on: of two with one number the later is meant.
			when := now.Add(100*time.Minute + time.Duration(i)*17*time.Minute)
			place, err := n.At(when)
			if err != nil {
				t.Fatal(err)
			}
			order, err := n.Order(place)
			if err != nil || i > 0 && order <= last {
				t.Fatalf("%v has order %d after %d: %v", place, order, last, err)
			}
			last = order
			back, err := n.When(place)
			if err != nil || back.Sub(when).Abs() > 20*time.Microsecond {
				t.Fatalf("%v is %v, %v, want %v", place, back, err, when)
			}
		}
	})
}
