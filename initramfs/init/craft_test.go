package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
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

// testTimes are short where a test waits for them, and so long that no busy machine needs them where
// they are to pass by nobody.
var testTimes = times{
	tick: 20 * time.Millisecond, health: time.Hour, feed: time.Hour, restart: 5 * time.Millisecond,
	maxRestart: 50 * time.Millisecond, stop: time.Hour, send: time.Minute,
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
	pid, err := syscall.ForkExec("/bin/sleep", []string{"sleep", "600"}, &syscall.ProcAttr{})
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
