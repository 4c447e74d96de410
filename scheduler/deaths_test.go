package scheduler_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/tender/wire"
)

// tappedBeacon is a craft whose beacon runs in a real slot; a tap is on what passes between flight and slot.
func tappedBeacon(t *testing.T) *craftT {
	t.Helper()
	c := newCraft(t, 0)
	c.realSlots()
	c.init.tap = newTap()
	c.example("beacon")
	c.boot()
	c.ground.event(pus.EventGuestStarted, "acme/beacon")
	return c
}

// Flight dies while the beacon is being saved: before its tender has the order, and after the
// tender's answer, with the slot still there and without. The next one carries on, and the beacon
// counts on from where it was. Damage to the file is found, and told.
func TestFlightDiesInSuspendOnKVM(t *testing.T) {
	c := tappedBeacon(t)
	restarts := uint32(0)
	// die lets flight die with a message on its way, which is lost; what happens before another
	// program starts.
	die := func(at func(wire.Message) bool, what func()) {
		t.Helper()
		c.haltAt(at, pus.FunctionMissionSuspend, "acme", "beacon")
		what()
		restarts++
		c.fly(initproto.Welcome{Boots: 1, Restarts: restarts})
	}
	resume := func(count uint32) uint32 {
		t.Helper()
		c.ground.event(pus.EventGuestSuspended, "acme/beacon")
		c.ground.verified(c.ground.function(pus.FunctionMissionResume, "acme", "beacon"), pus.CompletionSuccess)
		c.ground.forget()
		return c.ground.counted("beacon resumed", count, count+2)
	}
	gone := func() {
		t.Helper()
		for until := time.Now().Add(patience); c.init.slot("acme/beacon") != nil; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatal("the slot has not ended")
			}
		}
	}
	n := c.ground.counted("beacon", 0, 2)

	die(isSave, func() {}) // the order has not reached the tender
	n = resume(n)

	c.init.tap.ended.Lock() // init has not heard yet that the slot has ended
	die(isSaved, func() {})
	c.init.tap.ended.Unlock()
	n = resume(n)

	die(isSaved, gone)
	c.ground.event(pus.EventGuestSuspended, "found after a restart")
	resume(n)

	part := filepath.Join(c.cfg.Data, "snapshots", "acme", "beacon~")
	die(isSaved, func() {
		gone()
		info, err := os.Stat(part)
		if err == nil {
			err = os.Truncate(part, info.Size()-1)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	c.ground.event(pus.EventGuestRefused, "acme/beacon: lost while it was being saved: snapshot is truncated")
	c.ground.verified(c.ground.function(pus.FunctionMissionStart, "acme", "beacon"), pus.CompletionSuccess)
	c.ground.wait("beacon anew", func(tm pus.Telemetry) bool { n, ok := beaconCount(tm); return ok && n < 2 })
	left, err := filepath.Glob(filepath.Join(c.cfg.Data, "snapshots", "*", "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "beacon~" {
		t.Errorf("files of snapshots: %v, %v", left, err)
	}
}

// The tender's word that the beacon was not saved is under way when flight dies, and the next program
// repeats the order: it is the same order, and has the same answer. No snapshot begins that nobody
// waits for, and the beacon goes on until it is told to be saved again.
func TestOrderCrossesItsAnswerOnKVM(t *testing.T) {
	c := tappedBeacon(t)
	n := c.ground.counted("beacon", 0, 2)
	filler := filepath.Join(c.cfg.Data, "products", "acme", "filler")
	if err := errors.Join(os.MkdirAll(filepath.Dir(filler), 0o755), os.WriteFile(filler, nil, 0o644), os.Truncate(filler, 1<<40)); err != nil {
		t.Fatal(err)
	}
	c.init.tap.hold(isUnsaved)
	c.ground.function(pus.FunctionMissionSuspend, "acme", "beacon")
	c.init.tap.await(t)
	c.halt()
	c.ground.forget()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	c.init.tap.hold(isSave)
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	c.init.tap.await(t)
	c.init.tap.pass <- true
	c.init.tap.pass <- true
	c.ground.event(pus.EventGuestRefused, "acme/beacon: not suspended, it goes on: ")
	n = c.ground.counted("beacon goes on", n, n+2)
	c.ground.verified(c.ground.function(pus.FunctionMissionSuspend, "acme", "beacon"), pus.CompletionSuccess)
	c.ground.verified(c.ground.function(pus.FunctionMissionResume, "acme", "beacon"), pus.CompletionSuccess)
	c.ground.forget()
	c.ground.counted("beacon resumed", n, n+2)
}
