package cop1

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// explorations are the runs of TestModelChecked. In all of them both sides start again
// at any moment, frames and reports are lost, frames come twice and T1 runs out early.
var explorations = []exploration{
	{name: "limit 1", cfg: Config{Window: 1, Limit: 1}, window: 254, up: 1, down: 1, forged: true, limit: 3e6},
	{name: "limit 2", cfg: Config{Window: 2, Limit: 2}, window: 254, up: 1, down: 1, forged: true, limit: 3e6},
	{name: "limit 1, suspends", cfg: Config{Window: 2, Limit: 1, Suspend: true}, window: 254, up: 1, down: 1, limit: 3e6},
	{name: "limit 2, suspends", cfg: Config{Window: 2, Limit: 2, Suspend: true}, window: 254, up: 1, down: 1, forged: true, limit: 3e6},
	{name: "V(R) saved late", cfg: Config{Window: 2, Limit: 2}, window: 254, up: 1, down: 1, stale: 2, forged: true, limit: 3e6},
	{name: "narrow window", cfg: Config{Window: 2, Limit: 3}, window: 4, up: 2, down: 1, forged: true, limit: 3e6},
	{name: "long channel", cfg: Config{Window: 2, Limit: 2}, window: 4, up: 2, down: 2, limit: 3e6},
	{name: "longer up", cfg: Config{Window: 3, Limit: 2}, window: 6, up: 3, down: 1, limit: 3e6},
}

// TestModelChecked visits every pair of states and prints how many cells of both tables
// were entered on the way and led where the reference says.
func TestModelChecked(t *testing.T) {
	cells := newCoverage(t)
	for _, x := range explorations {
		t.Run(x.name, func(t *testing.T) {
			if testing.Short() && x.up+x.down > 2 {
				t.Skip("a long channel has too many states for a short run: leave out -short")
			}
			n, trouble := explore(x, cells)
			if trouble != "" {
				t.Fatal(trouble)
			}
			t.Logf("%d pairs of states: no deadlock, no gap, no duplicate", n)
		})
	}
	directives(t, cells)
	controlWords(t, cells)
	farmControls(cells)
	cells.report(t)
}

// TestModelCheckerFinds: a user that begins to send as soon as a lockout is over loses a
// frame when the lockout ended by a restart and an older directive was still on its way.
func TestModelCheckerFinds(t *testing.T) {
	x := exploration{cfg: Config{Window: 2, Limit: 3}, window: 4, up: 2, down: 1, forged: true, trusting: true, limit: 3e6}
	if _, trouble := explore(x, &coverage{}); !strings.Contains(trouble, "is confirmed and was not delivered") {
		t.Fatalf("the gap was not found: %q", trouble)
	}
}

// directives enters the cells of the events that are requests, in every state.
func directives(t *testing.T, cells *coverage) {
	t.Helper()
	now := t0
	requests := map[string]func(*FOP){
		"E19":  func(f *FOP) { f.wait = nil; _ = f.Send(&FDU{}) },
		"E20":  func(f *FOP) { f.wait = &FDU{}; _ = f.Send(&FDU{}) },
		"E23":  func(f *FOP) { _ = f.Initiate() },
		"E24":  func(f *FOP) { _ = f.InitiateCLCW(now) },
		"E25":  func(f *FOP) { _ = f.InitiateUnlock() },
		"E27":  func(f *FOP) { _ = f.InitiateSetVR(9) },
		"E29":  (*FOP).Terminate,
		"E30":  func(f *FOP) { f.ss = 0; _ = f.Resume(now) },
		"E35":  func(f *FOP) { _ = f.SetVS(7) },
		"E36":  func(f *FOP) { _ = f.SetWindow(3) },
		"E37":  func(f *FOP) { f.SetT1(time.Second) },
		"E38":  func(f *FOP) { _ = f.SetLimit(3) },
		"E39":  func(f *FOP) { f.SetSuspend(true) },
		"E40":  func(f *FOP) { _ = f.SetWindow(0) },
		"E41":  func(f *FOP) { f.Next(now) },
		"E43":  func(f *FOP) { f.Next(now) },
		"E44":  (*FOP).Reject,
		"E16":  func(f *FOP) { runOut(f, false, 9) },
		"E17":  func(f *FOP) { runOut(f, false, 1) },
		"E18":  func(f *FOP) { runOut(f, true, 1) },
		"E104": func(f *FOP) { runOut(f, true, 9) },
	}
	for i, name := range []string{"E31", "E32", "E33", "E34"} {
		requests[name] = func(f *FOP) { f.ss = State(i + 1); _ = f.Resume(now) }
	}
	for name, do := range requests {
		for s := Active; s <= Initial; s++ {
			if cells.reference[name][s-1] == "-" {
				continue
			}
			f, err := NewFOP(0, Config{Window: 4, Limit: 9}, nil)
			if err != nil {
				t.Fatal(err)
			}
			f.state = s
			if s == InitialisingWithBC {
				f.bc = &FDU{Data: Unlock()}
			}
			do(f)
			cells.fopCell(name, s, f.state)
		}
	}
}

// runOut lets T1 run out, with or without transmissions left.
func runOut(f *FOP, suspend bool, limit int) {
	f.cfg.Suspend, f.cfg.Limit = suspend, limit
	f.timer.start(t0)
	f.Tick(t0.Add(24 * time.Hour))
}

// controlWords enters the cells of control words in every state, those too that no FARM-1
// in order would send: all flags, with nothing, some or all of two frames acknowledged,
// and with more than were sent.
func controlWords(t *testing.T, cells *coverage) {
	t.Helper()
	for bits := range 8 * 6 * 3 * 2 * 3 {
		flags, s := bits%8, Active+State(bits/8%6)
		limit, sent := 1+bits/48%3, 2*(bits/144%2)
		for _, acked := range []uint8{0, 1, 2, 9} {
			f, err := NewFOP(0, Config{Window: 4, Limit: limit}, nil)
			if err != nil {
				t.Fatal(err)
			}
			f.state, f.count = s, 1+bits/288
			if s == InitialisingWithBC {
				f.bc = &FDU{Data: Unlock()}
			}
			if s < InitialisingWithoutBC || s == Initial { // a suspended one keeps its queue
				f.vs = uint8(sent)
				for i := range sent {
					f.sent = append(f.sent, outstanding(i))
				}
			}
			c := CLCW{COP: COPInEffect, Lockout: flags&1 != 0, Wait: flags&2 != 0, Retransmit: flags&4 != 0, ReportValue: acked}
			e := f.classify(c)
			if f.count > limit || cells.reference[eventNames[e]][s-1] == "-" {
				continue
			}
			cells.fop(f, e, func() { f.CLCW(c, t0) })
		}
	}
}

func outstanding(i int) sent { return sent{fdu: &FDU{Tag: i}, seq: uint8(i), first: t0} }

// farmControls enters the cells of FARM-1 that sequence numbers do not reach.
func farmControls(cells *coverage) {
	for s := FARMOpen; s <= FARMLockout; s++ {
		for e, do := range map[farmEvent]func(*FARM){
			farmBypass:  func(f *FARM) { f.BD() },
			farmInvalid: func(f *FARM) { f.Control([]byte{7}) },
			farmSetVR:   func(f *FARM) { f.Control(SetVR(9)) },
			farmUnlock:  func(f *FARM) { f.Control(Unlock()) },
			farmNoRoom:  func(f *FARM) { f.AD(f.vr, false) },
		} {
			f, _ := NewFARM(20, 4)
			f.state = s
			cells.farm(&f, e, func() { do(&f) })
		}
	}
}

// byConstruction are the events that this package has no cells for, with the reason.
var byConstruction = map[string]string{
	"E15": "an invalid control word is refused by its decoder and never reaches FOP-1",
	"E21": "Type-BD frames need no engine: accepted in every state", "E22": "as E21: BD_Out is ready when asked",
	"E26": "BC_Out is ready: Next asks when it is", "E28": "as E26",
	"E42": "Reject does not tell AD from BC: entered as E44",
	"E45": "as E21", "E46": "as E21",
}

// report prints the cells entered and fails when one led elsewhere or was never entered.
func (c *coverage) report(t *testing.T) {
	t.Helper()
	for _, w := range slices.Compact(slices.Sorted(slices.Values(c.wrong))) {
		t.Error(w)
	}
	cells, missing := 0, []string{}
	for _, name := range slices.Sorted(maps.Keys(c.reference)) {
		for i, want := range c.reference[name] {
			if want == "-" {
				continue
			}
			cells++
			cell := fmt.Sprintf("%s S%d", name, i+1)
			if c.fopSeen[cell] > 0 {
				continue
			}
			missing = append(missing, cell)
			if byConstruction[name] == "" {
				t.Errorf("%s was never entered", cell)
			}
		}
	}
	t.Logf("FOP-1: %d of %d cells tested", cells-len(missing), cells)
	for name, why := range byConstruction {
		t.Logf("FOP-1 %s: not tested: %s", name, why)
	}
	t.Logf("FARM-1: %d of %d cells tested", len(c.farmSeen), 3*len(farmNext))
}
