package scheduler_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/initproto"
)

// beaconCount is the count of the example beacon, which goes up by one with each of its packets.
func beaconCount(tm pus.Telemetry) (uint32, bool) { return countOf("beacon", tm) }

// countOf is that of a mission with the beacon's program.
func countOf(mission string, tm pus.Telemetry) (uint32, bool) {
	d, err := pus.DecodeTenantData(tm.Payload)
	if !isBeacon(tm) || err != nil || d.Mission != mission || len(d.Data) != 18 || string(d.Data[12:]) != "beacon" {
		return 0, false
	}
	return binary.BigEndian.Uint32(d.Data), true
}

// counted waits for a count of at least least, and sees none below floor before it.
func (g *ground) counted(what string, floor, least uint32) uint32 {
	g.t.Helper()
	n, _ := beaconCount(g.wait(what, func(tm pus.Telemetry) bool {
		n, ok := beaconCount(tm)
		if ok && n < floor {
			g.t.Fatalf("%s: count %d, want %d and more", what, n, floor)
		}
		return ok && n >= least
	}))
	return n
}

// state waits until the craft's table says it of its one mission.
func (g *ground) state(want uint8) {
	g.t.Helper()
	g.wait("state of the beacon", func(tm pus.Telemetry) bool {
		sid, data, err := pus.DecodeReport(tm.Payload)
		if tm.Service != pus.ServiceHousekeeping || err != nil || sid != pus.SIDGuests {
			return false
		}
		rows, err := pus.DecodeGuests(data)
		return err == nil && len(rows) == 1 && rows[0].State == want && rows[0].Digest != [8]byte{}
	})
}

// The beacon is suspended, the craft restarts, and the beacon counts on from where it was.
// It is suspended under a restarted flight program too, and resumed by telecommand. What
// does not fit is refused and stays; what is stopped is gone.
func TestSuspendOnKVM(t *testing.T) {
	c := newCraft(t, 0)
	c.realSlots()
	c.example("beacon")
	c.boot()
	c.ground.event(pus.EventGuestStarted, "acme/beacon")
	order := func(function string, want uint8) pus.Verification {
		t.Helper()
		c.ground.forget()
		return c.ground.verified(c.ground.function(function, "acme", "beacon"), want)
	}
	first := c.ground.counted("beacon", 0, 2)
	order(pus.FunctionMissionSuspend, pus.CompletionSuccess)
	c.ground.event(pus.EventGuestSuspended, "acme/beacon")
	c.ground.state(pus.GuestSuspended)
	if v := order(pus.FunctionMissionStart, pus.CompletionFailure); v.Code != pus.FailureRefused || !strings.HasPrefix(v.Text, "it is suspended") {
		t.Errorf("start: %v %q", v.Code, v.Text)
	}
	if v := order(pus.FunctionMissionSuspend, pus.CompletionFailure); v.Code != pus.FailureUnknownName {
		t.Errorf("suspended twice: %v %q", v.Code, v.Text)
	}

	// It starts by itself at each boot: this time from where it was.
	c.halt()
	c.ground.forget()
	c.boot()
	c.ground.event(pus.EventGuestStarted, "resumed")
	next := c.ground.counted("beacon after the boot", first, first+3)
	if v := order(pus.FunctionMissionResume, pus.CompletionFailure); v.Code != pus.FailureRefused {
		t.Errorf("resume of what runs: %v %q", v.Code, v.Text)
	}

	// No room: it goes on. A new flight program saves what an earlier one has started.
	filler := filepath.Join(c.cfg.Data, "products", "acme", "filler")
	if err := errors.Join(os.MkdirAll(filepath.Dir(filler), 0o755), os.WriteFile(filler, nil, 0o644), os.Truncate(filler, 1<<40)); err != nil {
		t.Fatal(err)
	}
	if v := order(pus.FunctionMissionSuspend, pus.CompletionFailure); !strings.Contains(v.Text, "the tenant has 0 octets of storage left") {
		t.Errorf("suspend without storage: %q", v.Text)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	c.halt()
	c.ground.forget()
	c.fly(initproto.Welcome{Boots: 2, Restarts: 1})
	last := c.ground.counted("beacon after the restart", next, next+1)
	order(pus.FunctionMissionSuspend, pus.CompletionSuccess)

	// Damage is found; the file made whole again, it goes on.
	file := filepath.Join(c.cfg.Data, "snapshots", "acme", "beacon")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, int64(len(whole)-1)); err != nil {
		t.Fatal(err)
	}
	if v := order(pus.FunctionMissionResume, pus.CompletionFailure); !strings.HasPrefix(v.Text, "snapshot.invalid: ") {
		t.Errorf("resume of a damaged snapshot: %v %q", v.Code, v.Text)
	}
	c.ground.state(pus.GuestSuspended)
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	order(pus.FunctionMissionResume, pus.CompletionSuccess)
	c.ground.counted("beacon resumed", last, last+3)

	order(pus.FunctionMissionSuspend, pus.CompletionSuccess)
	order(pus.FunctionMissionStop, pus.CompletionSuccess)
	if v := order(pus.FunctionMissionResume, pus.CompletionFailure); v.Code != pus.FailureUnknownName {
		t.Errorf("resume of what was given up: %v %q", v.Code, v.Text)
	}
	order(pus.FunctionMissionStart, pus.CompletionSuccess)
	c.ground.wait("beacon anew", func(tm pus.Telemetry) bool { n, ok := beaconCount(tm); return ok && n < 2 })
	left, err := filepath.Glob(filepath.Join(c.cfg.Data, "snapshots", "*", "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "beacon~" {
		t.Errorf("files of snapshots: %v, %v", left, err)
	}
}

// Another version of a mission than the one that was suspended begins anew.
func TestSuspendedVersion(t *testing.T) {
	c := newCraft(t, 0)
	c.realSlots()
	c.example("beacon")
	c.boot()
	c.ground.event(pus.EventGuestStarted, "acme/beacon 1.0.0")
	first := c.ground.counted("beacon", 0, 2)
	c.ground.verified(c.ground.function(pus.FunctionMissionSuspend, "acme", "beacon"), pus.CompletionSuccess)
	c.halt()
	c.exampleWith("beacon", "acme", "beacon.tar", `version = "1.0.0"`, `version = "1.0.1"`)
	c.ground.forget()
	c.boot()
	c.ground.event(pus.EventGuestStarted, "acme/beacon 1.0.1")
	c.ground.wait("beacon anew", func(tm pus.Telemetry) bool { n, ok := beaconCount(tm); return ok && n < first })
	if left, err := filepath.Glob(filepath.Join(c.cfg.Data, "snapshots", "acme", "beacon")); err != nil || len(left) > 0 {
		t.Errorf("the snapshot is there still: %v, %v", left, err)
	}
}
