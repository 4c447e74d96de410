package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/tender/spawn"
)

// withPool is a craft that tells the test of each slot it starts.
func withPool(t *testing.T, spawnOne func(spawn.Spec) (*spawn.Slot, error), change func(*supervisor)) (*craft, <-chan spawn.Slot) {
	t.Helper()
	started := make(chan spawn.Slot, 1000)
	c := launch(t, func(s *supervisor) {
		s.spawn = func(spec spawn.Spec) (*spawn.Slot, error) {
			slot, err := spawnOne(spec)
			if err == nil {
				started <- *slot
			}
			return slot, err
		}
		if change != nil {
			change(s)
		}
	})
	c.life()
	c.hear("Welcome")
	return c, started
}

func next(t *testing.T, started <-chan spawn.Slot) int {
	t.Helper()
	select {
	case s := <-started:
		return s.PID
	case <-time.After(2 * time.Minute):
		t.Fatal("no slot was started")
		return 0
	}
}

func TestPoolAnswersFirstComeFirst(t *testing.T) {
	uids := map[int]bool{}
	c, started := withPool(t, func(s spawn.Spec) (*spawn.Slot, error) {
		if uids[s.UID] {
			return nil, fmt.Errorf("uid %d is taken", s.UID)
		}
		uids[s.UID] = true
		return spawnSleep(s)
	}, nil)
	c.say("pool 2")
	first, second := next(t, started), next(t, started)
	c.say("slot 7")
	c.hear("SlotReady", "ID:7", fmt.Sprintf("PID:%d ", first), "Name:acme/x", "files=2 0=3 1=3")
	third := next(t, started)
	c.say("exit") // neither the pool nor its size is flight's
	c.life()
	c.hear("Welcome", "KeptSlots:1")
	c.hear("SlotReady", "ID:7", "Kept:true")
	c.say("slot 8")
	c.hear("SlotReady", "ID:8", fmt.Sprintf("PID:%d ", second))
	next(t, started)
	c.say("slot 9")
	c.hear("SlotReady", "ID:9", fmt.Sprintf("PID:%d ", third))
	if err := unix.Kill(third, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.hear("SlotExited", "ID:9", "Signal:9")
}

func TestPoolReplacesTheDead(t *testing.T) {
	c, started := withPool(t, spawnSleep, nil)
	c.say("pool 1")
	dead := next(t, started)
	if err := unix.Kill(dead, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	alive := next(t, started)
	c.say("slot 1") // flight has heard nothing of all this
	c.hear("SlotReady", "ID:1", fmt.Sprintf("PID:%d ", alive))
}

func TestPoolOutOfLuck(t *testing.T) {
	failures := 0
	c, started := withPool(t, func(s spawn.Spec) (*spawn.Slot, error) {
		if failures++; failures < 6 {
			return nil, errors.New("out of luck")
		}
		return spawnSleep(s)
	}, nil)
	c.say("pool 1")
	pid := next(t, started)
	c.say("slot 1")
	c.hear("SlotReady", fmt.Sprintf("PID:%d ", pid))
}

func TestPoolIsEmptyInSafeMode(t *testing.T) {
	c, started := withPool(t, spawnSleep, nil)
	c.say("pool 1")
	idle := next(t, started)
	for range maxDeaths {
		c.say("exit")
		c.life()
	}
	c.hear("Welcome", "Mode:safe")
	for end := time.Now().Add(2 * time.Minute); unix.Kill(idle, 0) == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the idle slot %d lives on", idle)
		}
	}
	c.say("pool 1")
	c.say("slot 1")
	c.hear("SlotFailed", "safe mode")
	select {
	case s := <-started:
		t.Errorf("slot %d was started in safe mode", s.PID)
	default:
	}
}

// What a guest may use is written when it claims the slot.
func TestPoolLimits(t *testing.T) {
	dir := t.TempDir()
	c, started := withPool(t, func(s spawn.Spec) (*spawn.Slot, error) {
		if s.Limits != idleLimits {
			return nil, fmt.Errorf("an idle slot with %+v", s.Limits)
		}
		for _, name := range []string{"memory.max", "pids.max", "io.max", "cpu.weight"} {
			if err := errors.Join(os.MkdirAll(s.Cgroup, 0o755), os.WriteFile(filepath.Join(s.Cgroup, name), nil, 0o600)); err != nil {
				return nil, err
			}
		}
		return spawnSleep(s)
	}, func(s *supervisor) {
		s.cgroups.tenders = dir
		s.disk = func() (string, error) { return "254:0", nil }
	})
	c.say("pool 1")
	next(t, started)
	c.say("limited")
	c.hear("SlotReady")
	for name, want := range map[string]string{"memory.max": "1048576", "pids.max": "64", "io.max": "254:0 rbps=5000 wbps=5000"} {
		if got, err := os.ReadFile(filepath.Join(dir, "1", name)); err != nil || string(got) != want {
			t.Errorf("%s is %q, want %q, %v", name, got, want, err)
		}
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Millisecond) {
		got, err := os.ReadFile(filepath.Join(dir, "1", "cpu.weight"))
		if err != nil || time.Now().After(end) {
			t.Fatalf("cpu.weight is %q, %v", got, err)
		}
		if string(got) == "100" {
			break
		}
	}
}

func TestDiskOf(t *testing.T) {
	dir := t.TempDir()
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		t.Fatal(err)
	}
	numbers, disk := filepath.Join(dir, "dev"), filepath.Join(dir, "devices", "vda")
	part := filepath.Join(disk, "vda3")
	link := filepath.Join(numbers, fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev)))
	err := errors.Join(os.MkdirAll(part, 0o755), os.Mkdir(numbers, 0o755), os.Symlink(part, link),
		os.WriteFile(filepath.Join(disk, "dev"), []byte("254:0\n"), 0o600),
		os.WriteFile(filepath.Join(part, "dev"), []byte("254:3\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := diskOf(dir, numbers); err != nil || got != "254:3" {
		t.Errorf("a whole disk is %q, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(part, "partition"), []byte("3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := diskOf(dir, numbers); err != nil || got != "254:0" {
		t.Errorf("the disk of a partition is %q, %v", got, err)
	}
	if _, err := diskOf(dir, dir); err == nil {
		t.Error("an unknown device has a disk")
	}
}
