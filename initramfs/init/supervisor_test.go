package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/tender/spawn"
)

// roleEnv makes this test's binary play the flight program: it connects to
// the socket named there, reports what init tells it and does as it is told.
const roleEnv = "PERILUNE_TEST_FLIGHT"

func TestMain(m *testing.M) {
	if path := os.Getenv(roleEnv); path != "" {
		playFlight(path)
		return
	}
	os.Exit(m.Run())
}

func playFlight(path string) {
	test, err := net.Dial("unix", path)
	if err != nil {
		os.Exit(1)
	}
	conn, err := initproto.Inherited()
	if err != nil {
		os.Exit(1)
	}
	go func() {
		for {
			m, files, err := conn.Receive()
			if err != nil {
				os.Exit(2)
			}
			line := fmt.Sprintf("%T%+v files=%d", m, m, len(files))
			for i, f := range files {
				line += fmt.Sprintf(" %d=%d", i, mustRead(f))
			}
			fmt.Fprintln(test, line)
		}
	}()
	for lines := bufio.NewScanner(test); lines.Scan(); {
		switch word, arg, _ := strings.Cut(lines.Text(), " "); word {
		case "health":
			_ = conn.Send(initproto.Health{})
		case "slot":
			id := uint32(0)
			fmt.Sscan(arg, &id)
			_ = conn.Send(initproto.SlotRequest{ID: id, Name: "acme/x", MemoryMax: 1<<20 + int64(id)})
		case "limited":
			_ = conn.Send(initproto.SlotRequest{ID: 1, Name: "acme/x", MemoryMax: 1 << 20, IOMax: 5000})
		case "pool":
			size := uint32(0)
			fmt.Sscan(arg, &size)
			_ = conn.Send(initproto.Pool{Size: size})
		case "request-nothing":
			_ = conn.Send(initproto.SlotRequest{ID: 3})
		case "kill":
			_ = conn.Send(initproto.SlotKill{ID: 1})
		case "leave":
			_ = conn.Send(initproto.SafeLeave{})
		case "reboot":
			_ = conn.Send(initproto.Reboot{Reason: arg})
		case "exit":
			os.Exit(7)
		}
	}
	os.Exit(3)
}

// mustRead takes one datagram that waits in a slot's socket.
func mustRead(f *os.File) int {
	b := make([]byte, 10)
	n, err := f.Read(b)
	if err != nil {
		return -1
	}
	return n
}

// craft is a supervisor at work, and the test's side of its flight program.
type craft struct {
	t      *testing.T
	s      *supervisor
	listen net.Listener
	conn   net.Conn
	lines  *bufio.Scanner
	ended  chan struct{} // closed when run has returned why
	why    string
	stop   chan os.Signal
}

var testTimes = times{
	tick: 20 * time.Millisecond, health: time.Minute, feed: time.Minute, restart: 5 * time.Millisecond,
	maxRestart: 50 * time.Millisecond, stop: time.Minute, send: 5 * time.Second,
	refill: time.Millisecond, maxRefill: 10 * time.Millisecond,
}

func launch(t *testing.T, change func(*supervisor)) *craft {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &craft{t: t, listen: l, ended: make(chan struct{}), stop: make(chan os.Signal, 1)}
	c.s = &supervisor{
		flightPath: self, env: []string{roleEnv + "=" + path}, console: os.Stderr, kvm: os.Stdin,
		spawn: spawnSleep, mountData: func() error { return nil }, feed: func() {},
		times: testTimes, slots: newSlots(), boots: 5,
	}
	if change != nil {
		change(c.s)
	}
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	go func() {
		defer close(c.ended)
		c.why = c.s.run(children, c.stop)
	}()
	t.Cleanup(func() {
		signal.Stop(children)
		select {
		case c.stop <- unix.SIGTERM:
		default:
		}
		<-c.ended
		l.Close()
		if c.conn != nil {
			c.conn.Close()
		}
		for _, s := range c.s.slots {
			_ = unix.Kill(s.pid, unix.SIGKILL)
		}
		for _, s := range c.s.pool.idle {
			_ = unix.Kill(s.pid, unix.SIGKILL)
		}
	})
	return c
}

// spawnSleep stands for a tender: a process that does nothing, with two
// datagrams waiting in its sockets.
func spawnSleep(spec spawn.Spec) (*spawn.Slot, error) {
	if spec.Limits.MemoryMax == 1<<20+66 {
		return nil, errors.New("out of luck")
	}
	pid, err := syscall.ForkExec("/bin/sleep", []string{"sleep", "60"}, &syscall.ProcAttr{})
	if err != nil {
		return nil, err
	}
	slot := &spawn.Slot{PID: pid}
	for _, f := range []**os.File{&slot.Control, &slot.Data} {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		for range 3 { // for each life of flight
			_, _ = unix.Write(fds[1], []byte("abc"))
		}
		*f = os.NewFile(uintptr(fds[0]), "slot")
	}
	return slot, nil
}

// life waits for flight's next life.
func (c *craft) life() {
	c.t.Helper()
	_ = c.listen.(*net.UnixListener).SetDeadline(time.Now().Add(2 * time.Minute))
	conn, err := c.listen.Accept()
	if err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.lines = conn, bufio.NewScanner(conn)
}

func (c *craft) say(line string) { fmt.Fprintln(c.conn, line) }

// hear wants the next line to hold all of the given parts.
func (c *craft) hear(parts ...string) string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if !c.lines.Scan() {
		c.t.Fatalf("flight says nothing, want %q: %v", parts, c.lines.Err())
	}
	for _, p := range parts {
		if !strings.Contains(c.lines.Text(), p) {
			c.t.Fatalf("flight hears %q, want %q", c.lines.Text(), p)
		}
	}
	return c.lines.Text()
}

// dead waits for the end of this life.
func (c *craft) dead() {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
	for c.lines.Scan() {
	}
	if err := c.lines.Err(); err != nil && err != io.EOF && !errors.Is(err, unix.ECONNRESET) {
		c.t.Fatal(err)
	}
}

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
	c := launch(t, func(s *supervisor) { s.times.health = 3 * time.Second }) // a busy machine starts it in less
	c.life()
	c.hear("Welcome")
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
