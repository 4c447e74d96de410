package initproto_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/perilune/perilune/internal/initproto"
)

var messages = []initproto.Message{
	initproto.Welcome{},
	initproto.Welcome{Mode: initproto.Safe, Boots: 7, Restarts: 3, Cause: "three deaths", KeptSlots: 2},
	initproto.SlotReady{ID: 4, PID: 321, Name: "acme/beacon", Kept: true},
	initproto.SlotFailed{ID: 5, Reason: "no memory"},
	initproto.SlotExited{ID: 4, Status: 255, Signal: 9},
	initproto.SlotRequest{ID: 999, Name: "acme/beacon", MemoryMax: 64 << 20, CPUPercent: 50, Pids: 16, IOMax: 5 << 20},
	initproto.SlotRequest{MemoryMax: -1},
	initproto.SlotKill{ID: 4},
	initproto.Pool{Size: 3},
	initproto.Keep{Name: "acme/notes"},
	initproto.Forget{Name: "acme/notes"},
	initproto.Kept{Name: "acme/notes"},
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

// Flight's end is a file that it inherits.
func TestPair(t *testing.T) {
	ours, theirs, err := initproto.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	flight, err := initproto.NewConn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	defer flight.Close()
	for _, m := range messages {
		if err := ours.Send(m, os.Stdin, os.Stdin); err != nil {
			t.Fatal(err)
		}
		got, files, err := flight.Receive()
		if err != nil || got != m || len(files) != 2 {
			t.Fatalf("%#v with %d files, %v", got, len(files), err)
		}
		files[0].Close()
		files[1].Close()
	}
	if err := ours.Send(initproto.Health{}, os.Stdin, os.Stdin, os.Stdin); !errors.Is(err, initproto.ErrMessage) {
		t.Errorf("three files: %v", err)
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
