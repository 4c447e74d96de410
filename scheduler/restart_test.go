package scheduler_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/tender/wire"
)

// restart orders a restart of the craft, and returns when init was asked for it and flight is gone.
func (c *craftT) restart(how string) {
	c.t.Helper()
	c.ground.forget()
	c.init.mu.Lock()
	before := len(c.init.reboots)
	c.init.mu.Unlock()
	c.ground.verified(c.ground.function(pus.FunctionCraftRestart, how), pus.CompletionSuccess)
	for until := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		c.init.mu.Lock()
		n := len(c.init.reboots)
		c.init.mu.Unlock()
		if n > before {
			break
		}
		if time.Now().After(until) {
			c.t.Fatal("init was not asked to restart the craft")
		}
	}
	c.halt()
}

// begins waits until a mission with the beacon's program counts from its beginning.
func (g *ground) begins(mission string) {
	g.t.Helper()
	g.wait(mission+" anew", func(tm pus.Telemetry) bool { n, ok := countOf(mission, tm); return ok && n < 2 })
}

// goesOn waits until it counts on from more than last.
func (g *ground) goesOn(mission string, last uint32) {
	g.t.Helper()
	g.wait(mission+" goes on", func(tm pus.Telemetry) bool {
		n, ok := countOf(mission, tm)
		if ok && n < last {
			g.t.Fatalf("%s: count %d after %d", mission, n, last)
		}
		return ok && n > last
	})
}

// Before an ordered restart of the craft the guests are saved; they go on after the boot, also those that
// do not start by themselves. One whose mission.toml says so begins anew, and so does one that cannot be
// saved, or whose snapshot is damaged, with an event. An operator can have all begin anew.
func TestRestartOnKVM(t *testing.T) {
	c := newCraft(t, 0)
	c.realSlots()
	c.example("beacon")
	c.exampleWith("beacon", "acme", "pulse.tar", `name = "beacon"`, `name = "pulse"`)
	c.exampleWith("beacon", "acme", "fresh.tar", `name = "beacon"`, `name = "fresh"`, "memory = 4", "memory = 4\nrestart = \"anew\"")
	c.boot()
	start := func(mission string) {
		t.Helper()
		c.ground.verified(c.ground.function(pus.FunctionMissionStart, "acme", mission), pus.CompletionSuccess)
	}
	start("pulse")
	start("fresh")
	last := map[string]uint32{}
	for _, mission := range []string{"beacon", "pulse", "fresh"} {
		c.ground.wait(mission, func(tm pus.Telemetry) bool {
			n, ok := countOf(mission, tm)
			last[mission] = n
			return ok && n >= 2
		})
	}
	if v := c.ground.verified(c.ground.function(pus.FunctionCraftRestart, "twice"), pus.CompletionFailure); v.Code != pus.FailureBadData {
		t.Errorf("restart with an odd argument: %v %q", v.Code, v.Text)
	}
	c.restart(pus.RestartResume)
	c.ground.event(pus.EventCraftRestarts, "guests saved 2, stopped 1")
	c.ground.event(pus.EventGuestExited, "acme/fresh: status 137")
	c.ground.forget()
	c.boot()
	c.ground.goesOn("beacon", last["beacon"])
	c.ground.goesOn("pulse", last["pulse"])
	if c.init.slot("acme/fresh") != nil {
		t.Error("what is to begin anew, and does not start by itself, runs")
	}

	// No room for snapshots: what starts by itself begins anew.
	filler := filepath.Join(c.cfg.Data, "products", "acme", "filler")
	if err := errors.Join(os.MkdirAll(filepath.Dir(filler), 0o755), os.WriteFile(filler, nil, 0o644), os.Truncate(filler, 1<<40)); err != nil {
		t.Fatal(err)
	}
	c.restart(pus.RestartResume)
	c.ground.event(pus.EventCraftRestarts, "guests saved 0, stopped 2")
	c.ground.event(pus.EventGuestRefused, "acme/beacon: is stopped, not saved: ")
	c.ground.forget()
	c.boot()
	c.ground.begins("beacon")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}

	// A snapshot that is damaged meanwhile is of no use: its mission begins anew, by itself or not.
	start("pulse")
	c.ground.begins("pulse")
	c.restart(pus.RestartResume)
	file := filepath.Join(c.cfg.Data, "snapshots", "acme", "pulse")
	info, err := os.Stat(file)
	if err == nil {
		err = os.Truncate(file, info.Size()-1)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.ground.forget()
	c.boot()
	c.ground.event(pus.EventGuestRefused, "acme/pulse: not permitted: snapshot.invalid: ")
	c.ground.begins("pulse")
	c.ground.wait("beacon", func(tm pus.Telemetry) bool { _, ok := beaconCount(tm); return ok })

	c.restart(pus.RestartAnew)
	c.ground.event(pus.EventCraftRestarts, "guests saved 0, stopped 2")
	c.ground.forget()
	c.boot()
	c.ground.begins("beacon")
}

// Flight dies in the middle of an ordered restart, which is then off: what was saved goes on, also what the
// next program still saves because the order was on record.
func TestFlightDiesInRestartOnKVM(t *testing.T) {
	c := tappedBeacon(t)
	n := c.ground.counted("beacon", 0, 2)
	for restarts, at := range []func(wire.Message) bool{isSave, isSaved} {
		c.haltAt(at, pus.FunctionCraftRestart, pus.RestartResume)
		c.fly(initproto.Welcome{Boots: 1, Restarts: uint32(restarts) + 1})
		c.ground.event(pus.EventGuestStarted, "resumed")
		n = c.ground.counted("beacon", n, n+2)
	}
	c.init.mu.Lock()
	defer c.init.mu.Unlock()
	if len(c.init.reboots) > 0 {
		t.Errorf("the craft was restarted: %s", strings.Join(c.init.reboots, ", "))
	}
}
