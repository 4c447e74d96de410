package services_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// Elements of test/golden/turns.py. By the PyPI package sgp4 the craft is on orbit 7 at the
// beginning of the year 2000, begins orbit 8 after 5 min 23.288 s, and passes 30° of it
// after 13 min 21.355 s (test/flatsat/testdata/positions.txt).
var elements = []string{
	"1 90001U 26001A   00001.00000000  .00000000  00000-0  50000-4 0    13",
	"2 90001  97.6000  33.1000 0012000  90.0000 250.0000 15.05000000    78",
}

func degrees(x float64) uint32 { return uint32(x * (1 << 32) / 360) }

// wait inserts a ping that waits for a place.
func (g *ground) wait(orbit uint32, angle float64, sub, group uint16) (seq uint16, code pus.Failure) {
	g.t.Helper()
	seq = 1000 + g.seq
	return seq, g.send(22, 4, pus.PositionInsert{SubSchedule: sub, Activities: []pus.PositionActivity{
		{Group: group, Release: pus.Position{Orbit: orbit, Angle: degrees(angle)}, Request: tc(g.t, seq, pus.AckAll, 17, 1, nil)},
	}})
}

func (g *ground) pongs() int { return len(g.find(17, 2)) }

// function performs a function of TC[8,1].
func (g *ground) function(name string, arguments ...string) pus.Failure {
	g.t.Helper()
	data, err := pus.Function{Name: name, Arguments: arguments}.Encode()
	if err != nil {
		g.t.Fatal(err)
	}
	return g.raw(8, 1, data)
}

// inOrbit is onBoard with elements and the time set.
func inOrbit(t *testing.T, fn func(g *ground)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		c.orbit = elements
		s, stop := c.launch()
		g := &ground{craft: c, s: s}
		defer func() { stop(); synctest.Wait() }()
		g.setTime()
		fn(g)
	})
}

func TestPositionReleased(t *testing.T) {
	inOrbit(t, func(g *ground) {
		if _, code := g.wait(8, 30, 0, 0); code != 0 {
			t.Fatal(code)
		}
		if _, code := g.wait(8, 0, 0, 0); code != 0 {
			t.Fatal(code)
		}
		for _, c := range []struct {
			at   time.Duration
			want int
		}{{5*time.Minute + 23200*time.Millisecond, 0}, {5*time.Minute + 23400*time.Millisecond, 1}, {13*time.Minute + 21300*time.Millisecond, 1}, {13*time.Minute + 21400*time.Millisecond, 2}} {
			time.Sleep(c.at - time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
			synctest.Wait()
			if n := g.pongs(); n != c.want {
				t.Errorf("%d released after %v, want %d", n, c.at, c.want)
			}
		}
		if e := g.events(pus.EventPositionReleased); len(e) != 2 || !strings.HasSuffix(e[1], "at orbit 8, 30.0000°") {
			t.Errorf("events %q", e)
		}
	})
}

// Without elements nothing is released, nor without the time.
func TestPositionWaits(t *testing.T) {
	onBoard(t, func(g *ground) {
		if _, code := g.wait(8, 30, 0, 0); code != 0 {
			t.Fatal(code)
		}
		state := func(want byte) {
			t.Helper()
			g.ok(20, 1, pus.IDs{IDs: []uint16{23, 24}})
			v := g.last(20, 2).(pus.ParameterValues).Values
			if v[0].Value[0] != want || want == 2 != (v[1].Value[3] == 7) {
				t.Errorf("state %d, orbit %d, want state %d", v[0].Value, v[1].Value, want)
			}
		}
		state(0)
		if code := g.function(pus.FunctionOrbitSet, elements[0], strings.Replace(elements[1], "97.6", "97.7", 1)); code != pus.FailureBadData {
			t.Errorf("a wrong checksum: %v", code)
		}
		if code := g.function(pus.FunctionOrbitSet, elements...); code != 0 {
			t.Fatal(code)
		}
		state(1)
		if code := g.send(22, 28, pus.OrbitNumber{Orbit: 100}); code != pus.FailureNotNow {
			t.Errorf("numbered without a clock: %v", code)
		}
		time.Sleep(time.Minute)
		if e := g.events(pus.EventPositionWaits); len(e) != 1 || e[0] != "1 activities wait: the time is not set" {
			t.Errorf("events %q", e)
		}
		g.setTime()
		state(2)
		if _, code := g.wait(7, 300, 0, 0); code != pus.FailureNotNow {
			t.Errorf("a place that has passed: %v", code)
		}
		if _, code := g.wait(1<<31, 0, 0, 0); code != pus.FailureBadData {
			t.Errorf("an orbit that cannot be: %v", code)
		}
		if _, code := g.wait(1<<31-1, 0, 0, 0); code != 0 {
			t.Errorf("an orbit beyond the elements: %v", code)
		}
		if code := g.send(22, 4, pus.PositionInsert{}); code != pus.FailureBadData {
			t.Errorf("nothing to insert: %v", code)
		}
		nested := tc(g.t, 1, 0, pus.ServiceSchedule, pus.ScheduleEnable, nil)
		if code := g.send(22, 4, pus.PositionInsert{Activities: []pus.PositionActivity{{Release: pus.Position{Orbit: 9}, Request: nested}}}); code != pus.FailureIllegalType {
			t.Errorf("a schedule in a schedule: %v", code)
		}
		time.Sleep(14 * time.Minute)
		if g.pongs() != 1 {
			t.Errorf("%d released", g.pongs())
		}
	})
}

// What a craft that was down flew past is missed if that is long ago, else done late; the
// rest is still there.
func TestPositionRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		c.orbit = elements
		s, stop := c.launch()
		g := &ground{craft: c, s: s}
		g.setTime()
		// 0° is passed 5:23 after the beginning, 30° 7:58 later.
		for _, angle := range []float64{0, 30, 90} {
			if _, code := g.wait(8, angle, 0, 0); code != 0 {
				t.Fatal(code)
			}
		}
		stop()
		synctest.Wait()
		time.Sleep(14 * time.Minute)
		g.s, stop = c.launch()
		defer func() { stop(); synctest.Wait() }()
		time.Sleep(time.Second)
		if g.pongs() != 0 {
			t.Error("released before the time was set")
		}
		g.setTime()
		if e := g.events(pus.EventPositionMissed); len(e) != 1 || !strings.Contains(e[0], "at orbit 8, 0.0000°: 8m38s late, at most 1m0s") {
			t.Errorf("missed %q", e)
		}
		if g.pongs() != 1 {
			t.Errorf("%d released, want the one that is 40 s late", g.pongs())
		}
		time.Sleep(16 * time.Minute)
		if g.pongs() != 2 {
			t.Errorf("%d released after all", g.pongs())
		}
	})
}

// Orbits get other numbers from the next one on: what has a number that is skipped is
// missed, and one that comes again is the one to come.
func TestOrbitNumber(t *testing.T) {
	inOrbit(t, func(g *ground) {
		for _, orbit := range []uint32{8, 9, 21} {
			if _, code := g.wait(orbit, 10, 0, 0); code != 0 {
				t.Fatal(code)
			}
		}
		g.ok(22, 28, pus.OrbitNumber{Orbit: 20})
		if e := g.events(pus.EventPositionMissed); len(e) != 2 || !strings.Contains(e[0], "orbits have other numbers now") {
			t.Errorf("missed %q", e)
		}
		if _, code := g.wait(9, 0, 0, 0); code != pus.FailureNotNow {
			t.Errorf("a number that is skipped: %v", code)
		}
		if _, code := g.wait(20, 30, 0, 0); code != 0 {
			t.Fatal(code)
		}
		time.Sleep(14 * time.Minute)
		if g.pongs() != 1 {
			t.Errorf("%d released by 30° of orbit 20", g.pongs())
		}
		time.Sleep(100 * time.Minute)
		if g.pongs() != 2 {
			t.Errorf("%d released by orbit 21", g.pongs())
		}
		// Other elements go on with these numbers.
		if code := g.function(pus.FunctionOrbitSet, elements...); code != 0 {
			t.Fatal(code)
		}
		if e := g.events(pus.EventOrbitSet); len(e) != 2 || !strings.HasPrefix(e[1], "elements of 2000-01-01T00:00:00Z, now orbit 21, ") {
			t.Errorf("events %q", e)
		}
	})
}

func TestPositionsEdited(t *testing.T) {
	inOrbit(t, func(g *ground) {
		g.ok(22, 22, pus.ScheduleStates{States: []pus.ScheduleState{{ID: 1, Enabled: true}}})
		var seqs []uint16
		for i := range uint16(4) {
			seq, code := g.wait(9, 90*float64(i), i%2, i/2)
			if code != 0 {
				t.Fatal(code)
			}
			seqs = append(seqs, seq)
		}
		list := func(f pus.PositionFilter) (out []int) {
			g.ok(22, 14, f)
			for _, a := range g.last(22, 13).(pus.PositionSummary).Activities {
				out = append(out, slices.Index(seqs, a.Request.Seq))
			}
			return out
		}
		at := func(x float64) pus.Position { return pus.Position{Orbit: 9, Angle: degrees(x)} }
		for name, c := range map[string]struct {
			f    pus.PositionFilter
			want []int
		}{
			"all":        {pus.PositionFilter{}, []int{0, 1, 2, 3}},
			"sub":        {pus.PositionFilter{SubSchedules: []uint16{1}}, []int{1, 3}},
			"group":      {pus.PositionFilter{Groups: []uint16{1}}, []int{2, 3}},
			"within":     {pus.PositionFilter{Window: pus.PositionWindow{Type: pus.WindowWithin, From: at(90), To: at(180)}}, []int{1, 2}},
			"from":       {pus.PositionFilter{Window: pus.PositionWindow{Type: pus.WindowFrom, From: at(91)}}, []int{2, 3}},
			"all orbits": {pus.PositionFilter{Window: pus.PositionWindow{Type: pus.WindowWithin, To: pus.Position{Orbit: 1<<32 - 1, Angle: 1<<32 - 1}}}, []int{0, 1, 2, 3}},
			"too far":    {pus.PositionFilter{Window: pus.PositionWindow{Type: pus.WindowFrom, From: pus.Position{Orbit: 1 << 31}}}, nil},
			"up to":      {pus.PositionFilter{Window: pus.PositionWindow{Type: pus.WindowUpTo, To: at(89)}}, []int{0}},
		} {
			if got := list(c.f); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		name := pus.RequestName{Source: 7, APID: 1, Seq: seqs[0]}
		g.ok(22, 7, pus.PositionShift{Orbits: 1, Angle: -(1 << 30), Requests: []pus.RequestName{name}})
		if code := g.send(22, 7, pus.PositionShift{Orbits: -3, Requests: []pus.RequestName{name}}); code != pus.FailureNotNow {
			t.Errorf("into the past: %v", code)
		}
		if code := g.send(22, 15, pus.PositionShiftAll{Orbits: -100}); code != pus.FailureBadData {
			t.Errorf("below orbit 0: %v", code)
		}
		g.ok(22, 9, pus.RequestNames{Requests: []pus.RequestName{name}})
		d := g.last(22, 10).(pus.PositionDetails).Activities
		if len(d) != 1 || d[0].Release != (pus.Position{Orbit: 9, Angle: 3 << 30}) || d[0].SubSchedule != 0 {
			t.Errorf("a turn less a quarter: %+v", d)
		}
		g.ok(22, 8, pus.PositionShiftFilter{Orbits: 1, Filter: pus.PositionFilter{Groups: []uint16{1}}})
		g.ok(22, 6, pus.PositionFilter{SubSchedules: []uint16{1}})
		g.ok(22, 17, pus.None{})
		got := g.last(22, 13).(pus.PositionSummary).Activities
		if len(got) != 2 || got[0].Request.Seq != seqs[0] || got[1].Release != (pus.Position{Orbit: 10, Angle: 1 << 31}) {
			t.Errorf("summary %+v", got)
		}
		g.ok(22, 25, pus.IDs{})
		g.ok(22, 21, pus.IDs{IDs: []uint16{0}})
		g.ok(22, 18, pus.None{})
		g.ok(22, 26, pus.None{})
		if got := g.last(22, 27).(pus.ScheduleStates).States; !slices.Equal(got, []pus.ScheduleState{{ID: 1}}) {
			t.Errorf("groups %+v", got)
		}
		g.ok(22, 20, pus.IDs{})
		g.ok(22, 2, pus.None{})
		g.ok(11, 17, pus.None{})
		if got := g.last(11, 13).(pus.ActivitySummary).Activities; len(got) != 0 {
			t.Errorf("the two schedules are one: %+v", got)
		}
		time.Sleep(6 * time.Hour)
		if g.pongs() != 0 {
			t.Error("a disabled schedule released something")
		}
		g.ok(22, 1, pus.None{})
		if e := g.events(pus.EventPositionMissed); len(e) != 1 {
			t.Errorf("missed %q, want the one that its group does not hold back", e)
		}
		g.ok(22, 3, pus.None{})
		g.ok(22, 16, pus.None{})
		if got := g.last(22, 10).(pus.PositionDetails).Activities; len(got) != 0 {
			t.Errorf("after the reset %+v", got)
		}
	})
}

// A craft without elements keeps time-based activities going.
func TestSchedulesApart(t *testing.T) {
	onBoard(t, func(g *ground) {
		now := g.setTime()
		if _, code := g.wait(8, 30, 0, 0); code != 0 {
			t.Fatal(code)
		}
		g.s.Telecommand(insert(t, 900, now+timecode.Instant(time.Minute), tc(t, 901, pus.AckAll, 17, 1, nil)))
		time.Sleep(2 * time.Minute)
		if g.pongs() != 1 {
			t.Errorf("%d released", g.pongs())
		}
		if e := g.events(pus.EventPositionWaits); len(e) != 1 || !strings.Contains(e[0], "no elements") {
			t.Errorf("events %q", e)
		}
	})
}
