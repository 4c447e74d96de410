package initproto_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/initproto"
)

var messages = []initproto.Message{
	initproto.Welcome{},
	initproto.Welcome{Mode: initproto.Safe, Boots: 7, Restarts: 3, Cause: "three deaths", KeptSlots: 2},
	initproto.SlotReady{ID: 4, PID: 321, Name: "acme/beacon", Kept: true},
	initproto.SlotFailed{ID: 5, Reason: "no memory"},
	initproto.SlotExited{ID: 4, Status: 255, Signal: 9},
	initproto.SlotRequest{ID: 999, Name: "acme/beacon", MemoryMax: 64 << 20, CPUPercent: 50, Pids: 16},
	initproto.SlotRequest{MemoryMax: -1},
	initproto.SlotKill{ID: 4},
	initproto.Health{},
	initproto.SafeLeave{},
	initproto.Reboot{Reason: "commanded"},
}

func TestRoundTrip(t *testing.T) {
	for _, m := range messages {
		b, err := initproto.Encode(nil, m)
		if err != nil {
			t.Fatalf("encode %#v: %v", m, err)
		}
		got, err := initproto.Decode(b)
		if err != nil || got != m {
			t.Errorf("%#v came back as %#v, %v", m, got, err)
		}
		for n := range b {
			if _, err := initproto.Decode(b[:n]); !errors.Is(err, initproto.ErrMessage) {
				t.Errorf("%T cut to %d octets: %v", m, n, err)
			}
		}
		if _, err := initproto.Decode(append(b, 0)); !errors.Is(err, initproto.ErrMessage) {
			t.Errorf("%T with an octet too many: %v", m, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":      {},
		"unknown kind": {200},
		"mode 2":       {1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"flag 2":       {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
		"slot 1000":    {4, 0xe8, 3, 0, 0, 0, 0},
		"long string":  append([]byte{68, 1, 2}, make([]byte, 513)...),
		"too long":     make([]byte, initproto.MaxMessage+1),
	} {
		if _, err := initproto.Decode(b); !errors.Is(err, initproto.ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := initproto.Encode(nil, initproto.Reboot{Reason: strings.Repeat("x", 513)}); !errors.Is(err, initproto.ErrMessage) {
		t.Errorf("encode a long string: %v", err)
	}
}

func pair(t *testing.T) (a, b *initproto.Conn) {
	t.Helper()
	a, f, err := initproto.Pair()
	if err != nil {
		t.Fatal(err)
	}
	b, err = initproto.NewConn(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestConnFiles(t *testing.T) {
	a, b := pair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := a.Send(initproto.SlotReady{ID: 1, PID: 2, Name: "x"}, r, w); err != nil {
		t.Fatal(err)
	}
	w.Close()
	m, files, err := b.Receive()
	if err != nil || len(files) != 2 {
		t.Fatalf("received %#v, %d files, %v", m, len(files), err)
	}
	if _, err := files[1].WriteString("through"); err != nil {
		t.Fatal(err)
	}
	files[1].Close()
	text, err := io.ReadAll(files[0])
	files[0].Close()
	if err != nil || string(text) != "through" {
		t.Errorf("read %q, %v", text, err)
	}
	if err := a.Send(initproto.Health{}, r, r, r); !errors.Is(err, initproto.ErrMessage) {
		t.Errorf("three files: %v", err)
	}
}

func TestConnDeadlineAndEnd(t *testing.T) {
	a, b := pair(t)
	b.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, _, err := b.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
	b.SetReadDeadline(time.Time{})
	a.Close()
	if _, _, err := b.Receive(); err != io.EOF {
		t.Errorf("after close: %v", err)
	}
}

// A bad message must neither end the connection nor leak a descriptor.
func TestConnSurvivesGarbage(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	c, err := initproto.NewConn(os.NewFile(uintptr(fds[1]), "b"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, b := range [][]byte{{99}, bytes.Repeat([]byte{1}, 5000)} {
		if err := unix.Sendmsg(fds[0], b, unix.UnixRights(0), nil, 0); err != nil {
			t.Fatal(err)
		}
		if _, files, err := c.Receive(); !errors.Is(err, initproto.ErrMessage) || files != nil {
			t.Errorf("garbage: %v, %v", files, err)
		}
	}
	if _, err := unix.Write(fds[0], []byte{66}); err != nil {
		t.Fatal(err)
	}
	if m, _, err := c.Receive(); err != nil || m != (initproto.Health{}) {
		t.Errorf("after garbage: %#v, %v", m, err)
	}
}

func TestNewConnRefusesStream(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := initproto.NewConn(r); err == nil {
		t.Error("a pipe was taken for a socket")
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range messages {
		b, err := initproto.Encode(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := initproto.Decode(b)
		if err != nil {
			return
		}
		again, err := initproto.Encode(nil, m)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x decoded to %#v, encoded to %x, %v", b, m, again, err)
		}
	})
}
