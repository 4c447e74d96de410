package tenant

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/wire"
)

// A snapshot that does not fit after the restart is given up, and its mission begins anew; one that is only
// not to be had now stays.
func TestGoOn(t *testing.T) {
	for rule, anew := range map[string]bool{"snapshot.mismatch": true, "snapshot.invalid": true, "tender.internal": false, "": false} {
		t.Run(rule, func(t *testing.T) {
			c := newCraft(t, nil)
			if err := c.m.Start(t.Context(), beaconID); err != nil {
				t.Fatal(err)
			}
			if saved, ended := c.m.PutAway(t.Context(), "restart", true); saved != 1 || ended != 0 || !c.m.Suspended(beaconID) {
				t.Fatalf("%d saved, %d ended; %q", saved, ended, c.events)
			}
			if err := c.m.Start(t.Context(), beaconID); err == nil {
				t.Error("a guest starts before the craft restarts")
			}
			c.copyStage("put away")
			c = newCraft(t, &c.stages[len(c.stages)-1])
			c.refuse = rule
			if err := c.m.Adopt(nil); err != nil {
				t.Fatal(err)
			}
			c.m.GoOn(t.Context())
			runs := anew || rule == ""
			if c.m.Active(beaconID) != runs || c.m.Suspended(beaconID) == runs {
				t.Errorf("runs: %v, suspended: %v; %q", c.m.Active(beaconID), c.m.Suspended(beaconID), c.events)
			}
			if last := c.claims[len(c.claims)-1]; last.Restore == anew {
				t.Errorf("the last claim: %+v", last)
			}
			if told := c.has(rule + ": for a test"); told != (rule != "") {
				t.Errorf("events: %q", c.events)
			}
		})
	}
}

// What cannot go on at once goes on later by itself.
func TestGoOnLater(t *testing.T) {
	c := newCraft(t, nil)
	if err := c.m.Start(t.Context(), beaconID); err != nil {
		t.Fatal(err)
	}
	if saved, _ := c.m.PutAway(t.Context(), "restart", true); saved != 1 {
		t.Fatalf("%d saved; %q", saved, c.events)
	}
	c.copyStage("put away")
	c = newCraft(t, &c.stages[len(c.stages)-1])
	if err := c.m.Adopt(nil); err != nil {
		t.Fatal(err)
	}
	c.refuse = "tender.internal"
	c.m.GoOn(t.Context())
	if c.m.Active(beaconID) || !c.m.Suspended(beaconID) {
		t.Fatalf("it goes on; %q", c.events)
	}
	c.mu.Lock()
	c.refuse = ""
	c.mu.Unlock()
	for deadline := time.Now().Add(5 * time.Minute); !c.m.Active(beaconID) || c.m.Suspended(beaconID); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not go on; %q", c.events)
		}
	}
}

// A tender that does not answer holds the restart up as long as it may, and no longer.
func TestPutAwayInTime(t *testing.T) {
	c := newCraft(t, nil)
	asked := make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	late := &deadline{Context: ctx, over: asked}
	c.answer = func(conn *wire.Conn, _ wire.Save, _ *os.File) {
		close(asked)
		for {
			if m, _, err := conn.Receive(); err != nil || m == (wire.Stop{}) {
				return
			}
		}
	}
	if err := c.m.Start(t.Context(), beaconID); err != nil {
		t.Fatal(err)
	}
	if saved, ended := c.m.PutAway(late, "restart", true); saved != 0 || ended != 1 || c.m.Active(beaconID) {
		t.Errorf("%d saved, %d ended, active: %v; %q", saved, ended, c.m.Active(beaconID), c.events)
	}
	if !c.has("is stopped, not saved") || len(c.records.all[bucketSaving]) > 0 {
		t.Errorf("events %q, orders %v", c.events, c.records.all[bucketSaving])
	}
}

// deadline is a context whose time is up when somebody says so.
type deadline struct {
	context.Context
	over <-chan struct{}
}

func (d *deadline) Done() <-chan struct{} { return d.over }

func (d *deadline) Err() error {
	select {
	case <-d.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
