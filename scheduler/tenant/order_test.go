package tenant

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/perilune/perilune/tender/wire"
)

// The power fails at each step of a suspension, once the guest's slot is gone: a snapshot that is whole
// is never lost, of another one nothing is left, and the mission can go on or start.
func TestPowerFailsInSuspension(t *testing.T) {
	c := newCraft(t, nil)
	if err := c.m.Start(t.Context(), beaconID); err != nil {
		t.Fatal(err)
	}
	c.records.change = c.copyStage
	if err := c.m.Suspend(t.Context(), beaconID); err != nil {
		t.Fatal(err)
	}
	c.records.change = func(string) {}
	c.copyStage("suspended")
	stages := c.stages
	if len(stages) < 10 {
		t.Fatalf("%d stages", len(stages))
	}
	for _, s := range stages {
		t.Run(s.name, func(t *testing.T) {
			c := newCraft(t, &s)
			if err := c.m.Adopt(nil); err != nil {
				t.Fatal(err)
			}
			_, ordered := s.records[bucketSaving][beaconID.String()]
			if _, is := s.records[bucketSuspended][beaconID.String()]; ordered && !is {
				if err := c.m.Start(t.Context(), beaconID); err == nil || !strings.Contains(err.Error(), "is looked at") {
					t.Errorf("started before its snapshot was looked at: %v", err)
				}
			}
			c.m.Recover(t.Context())
			if got := c.m.Suspended(beaconID); got != s.synced {
				t.Errorf("suspended: %v, want %v; %q", got, s.synced, c.events)
			}
			if len(c.records.all[bucketSaving]) > 0 {
				t.Error("the order is on record still")
			}
			if !s.synced {
				if left := c.files(); len(left) > 0 {
					t.Errorf("files are left: %v", left)
				}
				if ordered && !c.has("lost while it was being saved") {
					t.Errorf("no word of the loss: %q", c.events)
				}
				if err := c.m.Start(t.Context(), beaconID); err != nil {
					t.Error(err)
				}
				return
			}
			if got, err := os.ReadFile(c.m.snapshotFile(beaconID)); err != nil || !bytes.Equal(got, c.body) {
				t.Errorf("the snapshot has %d octets, want %d; %v", len(got), len(c.body), err)
			}
			if err := c.m.Resume(t.Context(), beaconID); err != nil || !c.claims[0].Restore {
				t.Errorf("resume: %v, %+v", err, c.claims)
			}
		})
	}
}

// A tender that ends without its last words, or lies, has saved its guest or has not: the file tells.
func TestTenderSilent(t *testing.T) {
	for name, answer := range map[string]func(c *craft, conn *wire.Conn, file *os.File){
		"whole": func(c *craft, _ *wire.Conn, file *os.File) { c.write(file, c.body) },
		"half":  func(c *craft, _ *wire.Conn, file *os.File) { c.write(file, c.body[:len(c.body)/2]) },
		"none":  func(*craft, *wire.Conn, *os.File) {},
		"liar":  func(_ *craft, conn *wire.Conn, _ *os.File) { _ = conn.Send(wire.Saved{Size: 1 << 40}) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCraft(t, nil)
			c.answer = func(conn *wire.Conn, file *os.File) { answer(c, conn, file) }
			if err := c.m.Start(t.Context(), beaconID); err != nil {
				t.Fatal(err)
			}
			err := c.m.Suspend(t.Context(), beaconID)
			if whole := name == "whole"; (err == nil) != whole || c.m.Suspended(beaconID) != whole || c.has("ended before it was saved") == whole {
				t.Errorf("%v, suspended: %v, %q", err, c.m.Suspended(beaconID), c.events)
			}
			if len(c.records.all[bucketSaving]) > 0 {
				t.Error("the order is on record still")
			}
		})
	}
}

// What is saved and cannot be put on record, because the disk is full, waits for the next program.
func TestSavedOnFullDisk(t *testing.T) {
	c := newCraft(t, nil)
	if err := c.m.Start(t.Context(), beaconID); err != nil {
		t.Fatal(err)
	}
	c.records.full = bucketSuspended
	if err := c.m.Suspend(t.Context(), beaconID); err == nil || !c.has("saved, but not on record") {
		t.Errorf("%v, %q", err, c.events)
	}
	if err := c.m.Start(t.Context(), beaconID); err == nil {
		t.Error("it begins anew, and its snapshot is lost")
	}
	c.copyStage("full")
	next := newCraft(t, &c.stages[len(c.stages)-1])
	if err := next.m.Adopt(nil); err != nil {
		t.Fatal(err)
	}
	next.m.Recover(t.Context())
	if err := next.m.Resume(t.Context(), beaconID); err != nil || !next.claims[0].Restore {
		t.Errorf("resume: %v, %+v, %q", err, next.claims, next.events)
	}
}
