package tenant

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
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
	for name, answer := range map[string]func(c *craft, conn *wire.Conn, order wire.Save, file *os.File){
		"whole": func(c *craft, _ *wire.Conn, _ wire.Save, file *os.File) { c.write(file, c.body) },
		"half":  func(c *craft, _ *wire.Conn, _ wire.Save, file *os.File) { c.write(file, c.body[:len(c.body)/2]) },
		"none":  func(*craft, *wire.Conn, wire.Save, *os.File) {},
		"liar": func(_ *craft, conn *wire.Conn, order wire.Save, _ *os.File) {
			_ = conn.Send(wire.Saved{Order: order.Order, Size: 1 << 40})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCraft(t, nil)
			c.answer = func(conn *wire.Conn, order wire.Save, file *os.File) { answer(c, conn, order, file) }
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

// Answers that are late, to an order that has had one, or to none, mean nothing; the one that is to the
// order counts. Orders have numbers of their own.
func TestLateAnswers(t *testing.T) {
	c := newCraft(t, nil)
	var numbers []uint64
	c.answer = func(conn *wire.Conn, order wire.Save, file *os.File) {
		for {
			numbers = append(numbers, order.Order)
			if len(numbers) == 3 {
				for _, late := range numbers[:2] {
					_ = conn.Send(wire.Unsaved{Order: late, Reason: "late"})
					_ = conn.Send(wire.Saved{Order: late + 1, Size: 1})
				}
				c.save(conn, order, file)
				return
			}
			_ = conn.Send(wire.Unsaved{Order: order.Order, Reason: "no room"})
			m, _, err := conn.Receive()
			if err != nil {
				t.Error(err)
				return
			}
			order = m.(wire.Save)
		}
	}
	if err := c.m.Start(t.Context(), beaconID); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var refused *pus.Refusal
		if err := c.m.Suspend(t.Context(), beaconID); !errors.As(err, &refused) || !strings.HasPrefix(refused.Text, "it goes on: no room; the tenant has ") {
			t.Fatal(err)
		}
	}
	if err := c.m.Suspend(t.Context(), beaconID); err != nil || !c.m.Suspended(beaconID) {
		t.Errorf("%v, %q", err, c.events)
	}
	if numbers[0] == numbers[1] || numbers[1] == numbers[2] || numbers[0] == numbers[2] {
		t.Errorf("orders have the numbers %d", numbers)
	}
}

// Two wait for a guest to be saved: by one order, whose answer both have.
func TestTwoWaitForOneAnswer(t *testing.T) {
	c := newCraft(t, nil)
	c.answer = func(conn *wire.Conn, order wire.Save, _ *os.File) {
		m, _, err := conn.Receive()
		if err != nil || m.(wire.Save).Order != order.Order {
			t.Errorf("then comes %#v, %v; the order was %#v", m, err, order)
		}
		_ = conn.Send(wire.Unsaved{Order: order.Order, Reason: "no room"})
		_, _, _ = conn.Receive() // until flight hangs up
	}
	if err := c.m.Start(t.Context(), beaconID); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 2)
	for range 2 {
		go func() { told <- c.m.Suspend(t.Context(), beaconID) }()
	}
	for range 2 {
		if err := <-told; err == nil || !strings.Contains(err.Error(), "it goes on: no room") {
			t.Error(err)
		}
	}
	if c.has("not suspended") {
		t.Errorf("an event for those who have the answer: %q", c.events)
	}
}

// One who asks while the order is not on record yet waits for that: a tender that saved its guest
// before, and ended, would be forgotten if this program died then.
func TestSecondWaitsForRecord(t *testing.T) {
	c := newCraft(t, nil)
	early := make(chan struct{})
	c.answer = func(conn *wire.Conn, order wire.Save, file *os.File) {
		c.records.mu.Lock()
		on := len(c.records.all[bucketSaving])
		c.records.mu.Unlock()
		if on == 0 {
			t.Error("the tender is told before the order is on record")
			close(early)
		}
		c.save(conn, order, file)
	}
	if err := c.m.Start(t.Context(), beaconID); err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	c.records.change = func(name string) {
		if name != "before put "+bucketSaving {
			return
		}
		go func() { second <- c.m.Suspend(t.Context(), beaconID) }()
		for waiting := 1; waiting < 2; {
			c.m.mu.Lock()
			waiting = c.m.guests[beaconID].saving.waiting
			c.m.mu.Unlock()
		}
		select { // its chance
		case <-early:
		case <-time.After(100 * time.Millisecond):
		}
	}
	if err := errors.Join(c.m.Suspend(t.Context(), beaconID), <-second); err != nil || !c.m.Suspended(beaconID) {
		t.Errorf("%v, %q", err, c.events)
	}
}

// Tenders of another version are refused, in words that say so: new ones, and those that an
// earlier program has left.
func TestMixedVersions(t *testing.T) {
	c := newCraft(t, nil)
	c.speaks = wire.Version - 1
	if err := c.m.Start(t.Context(), beaconID); err == nil || !strings.Contains(err.Error(), "want Hello of version 4") {
		t.Errorf("a tender that says Hello of another version: %v", err)
	}
	for name, version := range map[string]uint32{"earlier": wire.Version - 1, "later": wire.Version + 1, "this": wire.Version} {
		t.Run(name, func(t *testing.T) {
			c := newCraft(t, nil)
			e := entry{Tenant: "acme", Mission: "beacon", Digest: "sha256:12", Version: "1", MemoryMiB: 8, Running: true, Wire: version}
			if err := c.records.Put(bucketSlots, "3", e); err != nil {
				t.Fatal(err)
			}
			control, tender := socketpair(t)
			data, packets := socketpair(t)
			defer tender.Close()
			defer packets.Close()
			err := c.m.Adopt([]*Slot{{ID: 3, PID: 1, Name: "acme/beacon", Control: control, Data: data}})
			if same := version == wire.Version; (err == nil) != same || c.m.Active(beaconID) != same || c.has("acme/beacon: its tender speaks version") == same {
				t.Errorf("%v, active: %v, events %q", err, c.m.Active(beaconID), c.events)
			}
		})
	}
}
