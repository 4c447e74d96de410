package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/initproto"
)

func TestSlotOutlivesFlight(t *testing.T) {
	c := launch(t, nil)
	c.life()
	c.hear("Welcome", "Mode:normal", "Boots:5", "Restarts:0", "KeptSlots:0")
	c.say("slot 1")
	first := c.hear("SlotReady", "ID:1", "Name:acme/x", "Kept:false", "files=2 0=3 1=3")
	c.say("exit")
	c.life()
	c.hear("Welcome", "Mode:normal", "Restarts:1", "Cause:flight ended with status 7", "KeptSlots:1")
	second := c.hear("SlotReady", "Kept:true", "files=2 0=3 1=3")
	pid := func(line string) string { _, s, _ := strings.Cut(line, "PID:"); return strings.Fields(s)[0] }
	if pid(first) != pid(second) {
		t.Errorf("another slot: %q, then %q", first, second)
	}
	c.say("kill")
	c.hear("SlotExited", "ID:1", "Signal:9")
	c.say("slot 1")
	c.hear("SlotReady", "Kept:false")
}

func TestSlotRefused(t *testing.T) {
	c := launch(t, nil)
	c.life()
	c.hear("Welcome")
	c.say("slot 1000")
	c.hear("SlotFailed", "above 999")
	c.say("request-nothing")
	c.hear("SlotFailed", "memory of 0")
	c.say("slot 66")
	c.hear("SlotFailed", "out of luck")
	c.say("slot 1")
	c.hear("SlotReady")
	c.say("slot 1")
	c.hear("SlotFailed", "in use")
}

func TestThreeDeathsMakeSafe(t *testing.T) {
	c := launch(t, nil)
	for n := range 3 {
		c.life()
		c.hear("Welcome", "Mode:normal", fmt.Sprintf("Restarts:%d", n))
		if n == 1 {
			c.say("slot 1")
			c.hear("SlotReady")
		}
		if n == 2 {
			c.hear("SlotReady", "Kept:true")
		}
		c.say("exit")
	}
	c.life()
	c.hear("Welcome", "Mode:safe", "Cause:flight died 3 times in 10m0s", "KeptSlots:0")
	c.say("slot 2")
	c.hear("SlotFailed", "safe mode")
	c.say("exit") // it comes back in safe mode too
	c.life()
	c.hear("Welcome", "Mode:safe")
	c.say("leave")
	c.life()
	c.hear("Welcome", "Mode:normal", "KeptSlots:0")
	c.say("slot 1")
	c.hear("SlotReady", "Kept:false")
	c.say("exit") // the deaths before are forgotten
	c.life()
	c.hear("Welcome", "Mode:normal")
}

func TestNoDataMakesSafe(t *testing.T) {
	mounts := 0
	c := launch(t, func(s *supervisor) {
		s.dataErr = errors.New("no such partition")
		s.mountData = func() error {
			if mounts++; mounts == 1 {
				return errors.New("still not there")
			}
			return nil
		}
	})
	c.life()
	c.hear("Welcome", "Mode:safe", "Cause:data partition: no such partition")
	c.say("leave")
	c.life()
	c.hear("Welcome", "Mode:safe", "Cause:data partition: still not there")
	c.say("leave")
	c.life()
	c.hear("Welcome", "Mode:normal")
}

func TestSilentFlightIsKilled(t *testing.T) {
	var silent atomic.Bool // flight is up, and its time is over: a busy machine starts it as slowly as it likes
	c := launch(t, func(s *supervisor) {
		s.feed = func() {
			if silent.CompareAndSwap(true, false) {
				s.flight.lastSign = s.flight.lastSign.Add(-s.times.health)
			}
		}
	})
	c.life()
	c.hear("Welcome")
	silent.Store(true)
	c.dead()
	c.life()
	c.hear("Welcome", "Cause:flight killed by signal 9 (SIGKILL)")
}

// A sign of health keeps flight alive and the watchdog fed for their times, and no longer.
func TestHealth(t *testing.T) {
	child := exec.Command("/bin/sleep", "3600")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	fed, began := 0, time.Now()
	s := &supervisor{times: flightTimes, feed: func() { fed++ }}
	s.flight = &flight{pid: child.Process.Pid, lastSign: began.Add(-time.Hour)}
	s.receive(received{from: s.flight, message: initproto.Health{}})
	if s.healthy.Before(began) || s.flight.lastSign.Before(began) {
		t.Errorf("health was heard at %v, flight's at %v, not after %v", s.healthy, s.flight.lastSign, began)
	}
	for _, c := range []struct {
		after time.Duration
		fed   int
	}{{0, 1}, {s.times.health, 2}, {s.times.feed - 1, 3}, {s.times.feed, 3}, {2 * s.times.feed, 3}, {1, 4}} {
		if c.after > s.times.health {
			s.flight = nil // it is looked at above all while there is none
		}
		if s.look(s.healthy.Add(c.after)); fed != c.fed {
			t.Errorf("%v after a sign of health the watchdog was fed %d times, want %d", c.after, fed, c.fed)
		}
	}
	if err := child.Process.Signal(unix.Signal(0)); err != nil {
		t.Fatalf("flight was killed before its time: %v", err)
	}
	s.flight = &flight{pid: child.Process.Pid, lastSign: began}
	s.look(began.Add(s.times.health + 1))
	if err := child.Wait(); err == nil || child.ProcessState.Sys().(syscall.WaitStatus).Signal() != unix.SIGKILL {
		t.Errorf("silent flight: %v", err)
	}
}

// A sign of health comes by flight's socket.
func TestHealthIsHeard(t *testing.T) {
	heard := make(chan time.Time, 1)
	c := launch(t, func(s *supervisor) {
		s.feed = func() {
			select {
			case heard <- s.healthy:
			default:
			}
		}
	})
	start := <-heard // its own counts as one
	c.life()
	c.say("health")
	for late := time.After(2 * time.Minute); ; {
		select {
		case at := <-heard:
			if at.After(start) {
				return
			}
		case <-late:
			t.Fatal("no sign of health has come")
		}
	}
}

func TestReboot(t *testing.T) {
	c := launch(t, nil)
	c.life()
	c.hear("Welcome")
	c.say("reboot new image")
	<-c.ended
	if !strings.Contains(c.why, "new image") {
		t.Errorf("reason %q", c.why)
	}
}

func TestSignalEnds(t *testing.T) {
	c := launch(t, nil)
	c.life()
	c.hear("Welcome")
	c.stop <- unix.SIGTERM
	<-c.ended
	if c.why != "terminated" {
		t.Errorf("reason %q", c.why)
	}
}
