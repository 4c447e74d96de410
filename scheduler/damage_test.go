package scheduler_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/initproto"
)

func TestSafeMode(t *testing.T) {
	c := newCraft(t, 0)
	c.boot()
	c.ground.wait("beacon", isBeacon)
	c.ground.verified(c.ground.function(pus.FunctionSafeEnter), pus.CompletionSuccess)
	c.ground.event(pus.EventGuestExited, "acme/beacon")
	v := c.ground.verified(c.ground.function(pus.FunctionMissionStart, "acme", "beacon"), pus.CompletionFailure)
	if v.Code != pus.FailureNotNow {
		t.Errorf("start in safe mode: %v %q", v.Code, v.Text)
	}
	c.halt()
	c.ground.forget()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	c.ground.event(pus.EventFlightRestarted, "safe")
	c.ground.verified(c.ground.command(1, 17, 1, nil), pus.CompletionSuccess)
	c.ground.verified(c.ground.function(pus.FunctionSafeLeave), pus.CompletionSuccess)
	c.halt()
	c.ground.forget()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 2})
	c.ground.event(pus.EventFlightRestarted, "normal")
	c.ground.wait("beacon", isBeacon)
	c.init.mu.Lock()
	defer c.init.mu.Unlock()
	if c.init.leaves != 1 {
		t.Errorf("init was asked %d times to leave safe mode", c.init.leaves)
	}
}

// Missions that cannot be loaded are left out with an event; the others fly.
func TestDamagedMissions(t *testing.T) {
	c := newCraft(t, 0)
	if err := os.WriteFile(filepath.Join(c.cfg.Missions, "rubbish.tar"), []byte("rubbish"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.boot()
	c.ground.event(pus.EventBundleRefused, "image: rubbish.tar: open bundle: bundle.layout: ")
	c.ground.wait("beacon", isBeacon)
	c.halt()
	kernels, err := filepath.Glob(filepath.Join(c.cfg.Data, "missions", "active", "acme", "beacon", "*", "kernel"))
	if err != nil || len(kernels) != 1 {
		t.Fatalf("%q, %v", kernels, err)
	}
	if err := os.Truncate(kernels[0], 10); err != nil {
		t.Fatal(err)
	}
	c.ground.forget()
	c.boot()
	c.ground.event(pus.EventBundleRefused, "acme/beacon: kernel.elf: ")
	// The image has it still.
	c.ground.wait("beacon", isBeacon)
}

// Health goes to init again and again while the parts move.
func TestHealth(t *testing.T) {
	c := newCraft(t, 0)
	c.boot()
	healthy := func() int {
		c.init.mu.Lock()
		defer c.init.mu.Unlock()
		return c.init.healthy
	}
	for until := time.Now().Add(patience); healthy() < 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("no health")
		}
	}
}

func TestWithoutData(t *testing.T) {
	c := newCraft(t, 0)
	c.cfg.Data = filepath.Join(c.dir, "data", "missing")
	c.boots++
	c.fly(initproto.Welcome{Mode: initproto.Safe, Cause: "data partition: not there"})
	c.ground.event(pus.EventSafeEntered, "")
	c.ground.verified(c.ground.command(1, 17, 1, nil), pus.CompletionSuccess)
	c.ground.setTime()
	v := c.ground.verified(c.ground.function(pus.FunctionBundleActivate, "a", "b"), pus.CompletionFailure)
	if v.Code != pus.FailureNotNow {
		t.Errorf("activate without a disk: %v %q", v.Code, v.Text)
	}
}

// Damaged records lead to safe mode, and a telecommand leads out of it.
func TestDamagedRecords(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, file string){
		"file": func(t *testing.T, file string) {
			if err := os.WriteFile(file, bytes.Repeat([]byte("garbage!"), 4096), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"replay floor": func(t *testing.T, file string) {
			db, err := bolt.Open(file, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Update(func(tx *bolt.Tx) error {
				b, err := tx.CreateBucket([]byte("sdls-floor"))
				if err != nil {
					return err
				}
				return b.Put([]byte("1"), []byte("\x01a bit fell over"))
			}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCraft(t, 0)
			damage(t, filepath.Join(c.cfg.Data, "records.db"))
			c.boot()
			c.ground.event(pus.EventSafeEntered, "records")
			c.ground.verified(c.ground.command(1, 17, 1, nil), pus.CompletionSuccess)
			c.ground.verified(c.ground.function(pus.FunctionSafeLeave), pus.CompletionSuccess)
			c.halt()
			c.ground.forget()
			c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
			c.ground.event(pus.EventFlightRestarted, "normal")
			c.ground.wait("beacon", isBeacon)
		})
	}
}
