package wire_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/wire"
	"golang.org/x/sys/unix"
)

var messages = []wire.Message{
	wire.Hello{Version: wire.Version, ABI: 2},
	wire.Claimed{},
	wire.Refused{Rule: "elf.header", Reason: "invalid executable"},
	wire.Started{},
	wire.Console{Data: []byte("hello\n"), Dropped: 7},
	wire.Exited{Status: 255, Kind: wire.Abort, Reason: "abort"},
	wire.Claim{Guest: "acme/beacon", MemMiB: 16, Cmdline: "a b", Devices: []wire.Device{
		{Name: "storage", Type: 1, SectorSize: 512, ReadOnly: true, Source: wire.File},
		{Name: "radio", Type: 2, Source: wire.SlotPacket, MTU: 4096, MAC: [6]byte{2, 1}},
	}},
	wire.Stop{},
}

func TestRoundTrip(t *testing.T) {
	for _, m := range messages {
		b, err := wire.Encode(nil, m)
		if err != nil {
			t.Fatalf("encode %T: %v", m, err)
		}
		got, err := wire.Decode(b)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("decode %T = %#v, %v", m, got, err)
		}
		for n := range b {
			if _, err := wire.Decode(b[:n]); !errors.Is(err, wire.ErrMessage) {
				t.Errorf("%T cut to %d octets: %v", m, n, err)
			}
		}
		if _, err := wire.Decode(append(b, 0)); !errors.Is(err, wire.ErrMessage) {
			t.Errorf("%T with an octet too many: %v", m, err)
		}
	}
}

func TestEncodeLimits(t *testing.T) {
	long := strings.Repeat("x", wire.MaxString+1)
	for _, m := range []wire.Message{
		wire.Console{Data: make([]byte, wire.MaxConsole+1)},
		wire.Refused{Rule: long},
		wire.Claim{Cmdline: long},
		wire.Claim{Devices: make([]wire.Device, wire.MaxDevices+1)},
	} {
		if _, err := wire.Encode(nil, m); !errors.Is(err, wire.ErrMessage) {
			t.Errorf("%T: %v", m, err)
		}
	}
}

func pair(t *testing.T) (a, b *wire.Conn, rawB *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, err = wire.NewConn(os.NewFile(uintptr(fds[0]), "a"))
	if err != nil {
		t.Fatal(err)
	}
	b, err = wire.NewConn(os.NewFile(uintptr(fds[1]), "b"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b, b.File()
}

func TestConn(t *testing.T) {
	a, b, _ := pair(t)
	f, err := os.Create(t.TempDir() + "/kernel")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "content")
	for _, m := range messages {
		if err := a.Send(m, f); err != nil {
			t.Fatal(err)
		}
		got, files, err := b.Receive()
		if err != nil || !reflect.DeepEqual(got, m) || len(files) != 1 {
			t.Fatalf("%#v with %d files, %v", got, len(files), err)
		}
		text := make([]byte, 7)
		if _, err := files[0].ReadAt(text, 0); err != nil || string(text) != "content" {
			t.Errorf("file says %q, %v", text, err)
		}
		files[0].Close()
	}
	f.Close()

	b.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, _, err := b.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
	b.SetReadDeadline(time.Time{})
	if err := a.Send(wire.Stop{}); err != nil {
		t.Fatal(err)
	}
	if m, err := b.ReceivePlain(); err != nil || m != (wire.Stop{}) {
		t.Errorf("ReceivePlain = %v, %v", m, err)
	}
	a.Close()
	if _, _, err := b.Receive(); err != io.EOF {
		t.Errorf("after close: %v", err)
	}
	if _, err := b.ReceivePlain(); err != io.EOF {
		t.Errorf("after close: %v", err)
	}
}

// A full socket must not block the sender of console text.
func TestTrySendDoesNotBlock(t *testing.T) {
	a, _, _ := pair(t)
	text := wire.Console{Data: bytes.Repeat([]byte("x"), wire.MaxConsole)}
	for i := range 1000 {
		if err := a.TrySend(text); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) || i == 0 {
				t.Fatalf("message %d: %v", i, err)
			}
			return
		}
	}
	t.Fatal("the socket never filled")
}

func TestNewConnRefusesOthers(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := wire.NewConn(f); err == nil {
		t.Fatal("a file passed for a socket")
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range messages {
		b, _ := wire.Encode(nil, m)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := wire.Decode(b)
		if err != nil {
			if !errors.Is(err, wire.ErrMessage) {
				t.Fatalf("unnamed error %v", err)
			}
			return
		}
		again, err := wire.Encode(nil, m)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%#v encodes to %x, %v; came from %x", m, again, err, b)
		}
	})
}
