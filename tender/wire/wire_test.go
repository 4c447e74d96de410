package wire_test

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/perilune/perilune/internal/seqpacket"
	"github.com/perilune/perilune/tender/wire"
)

var messages = []wire.Message{
	wire.Hello{Version: wire.Version, ABI: 2},
	wire.Claimed{},
	wire.Refused{Rule: "elf.header", Reason: "invalid executable"},
	wire.Started{},
	wire.Console{Data: []byte("hello\n"), Offset: 1 << 40},
	wire.Recalled{Start: 3, Offset: 5, End: 10, Last: true, Data: []byte("hello")},
	wire.Recall{Offset: 1 << 41},
	wire.Exited{Status: 255, Kind: wire.Abort, Reason: "abort"},
	wire.Claim{Guest: "acme/beacon", MemMiB: 16, Cmdline: "a b", Devices: []wire.Device{
		{Name: "storage", Type: 1, SectorSize: 512, ReadOnly: true, Source: wire.File},
		{Name: "radio", Type: 2, Source: wire.SlotPacket, MTU: 4096, MAC: [6]byte{2, 1}},
	}},
	wire.Claim{Guest: "acme/beacon", MemMiB: 2, Restore: true, Save: true},
	wire.Save{Order: 1 << 61, Max: 1 << 42},
	wire.Saved{Order: 1 << 62, Size: 1 << 43},
	wire.Unsaved{Order: 1 << 63, Reason: "no space left"},
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

// Messages of earlier versions are not taken for those of this one: their kinds are not used again.
func TestEarlierKinds(t *testing.T) {
	for name, b := range map[string][]byte{
		"console": {5, 1, 0, 'x'}, "saved": {9, 1, 0, 0, 0, 0, 0, 0, 0}, "unsaved": {10, 1, 0, 'x'},
		"claim": {64, 0}, "save": {68, 1, 0, 0, 0, 0, 0, 0, 0},
	} {
		if m, err := wire.Decode(b); !errors.Is(err, wire.ErrMessage) || !strings.Contains(err.Error(), "unknown kind") {
			t.Errorf("%s: %#v, %v", name, m, err)
		}
	}
}

func TestEncodeLimits(t *testing.T) {
	long := strings.Repeat("x", wire.MaxString+1)
	for _, m := range []wire.Message{
		wire.Console{Data: make([]byte, wire.MaxConsole+1)},
		wire.Recalled{End: 1 << 20, Data: make([]byte, wire.MaxConsole+1)},
		wire.Refused{Rule: long},
		wire.Unsaved{Reason: long},
		wire.Claim{Cmdline: long},
		wire.Claim{Devices: make([]wire.Device, wire.MaxDevices+1)},
	} {
		if _, err := wire.Encode(nil, m); !errors.Is(err, wire.ErrMessage) {
			t.Errorf("%T: %v", m, err)
		}
	}
}

// Every message with a file beside it, through a socket.
func TestConn(t *testing.T) {
	near, far, err := seqpacket.Pair("control")
	if err != nil {
		t.Fatal(err)
	}
	a, errA := wire.NewConn(near)
	b, errB := wire.NewConn(far)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	for _, m := range messages {
		if err := a.Send(m, os.Stdin); err != nil {
			t.Fatal(err)
		}
		got, files, err := b.Receive()
		if err != nil || !reflect.DeepEqual(got, m) || len(files) != 1 {
			t.Fatalf("%#v with %d files, %v", got, len(files), err)
		}
		files[0].Close()
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
