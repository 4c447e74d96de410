package tm_test

import (
	"errors"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/tm"
)

func newBuilder(t testing.TB, p tm.Params) *tm.Builder {
	t.Helper()
	b, err := tm.NewBuilder(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// An idle packet that does not fit ends in the next frame, and alone makes no frame.
func TestFlushShortRest(t *testing.T) {
	p := tm.Params{SCID: 1, FrameLength: 26, FECF: true}
	b := newBuilder(t, p)
	if err := b.Append(0, packet(1, 15)); err != nil {
		t.Fatal(err)
	}
	x, got := tm.NewExtractor(0), 0
	octets, ok := b.Next(nil, 0, [4]byte{}, true)
	if !ok {
		t.Fatal("no frame")
	}
	x.Frame(decode(t, p, octets), func([]byte) { got++ })
	if _, ok := b.Next(nil, 0, [4]byte{}, true); ok || b.Pending(0) != 0 || got != 1 {
		t.Fatalf("the rest of an idle packet makes a frame; %d octets wait, %d packets came", b.Pending(0), got)
	}
	if err := b.Append(0, packet(2, 14)); err != nil {
		t.Fatal(err)
	}
	octets, _ = b.Next(nil, 0, [4]byte{}, false)
	f := decode(t, p, octets)
	x.Frame(f, func([]byte) { got++ })
	if f.FirstHeaderPointer != 4 || got != 2 || x.Stats().Idle != 1 || x.Stats().Dropped != 0 {
		t.Errorf("pointer %d, packets %d, stats %+v", f.FirstHeaderPointer, got, x.Stats())
	}
}

func TestBuilderRefuses(t *testing.T) {
	b := newBuilder(t, tm.Params{SCID: 1, FrameLength: 100})
	for name, c := range map[string]struct {
		vc     ccsds.VCID
		packet []byte
	}{
		"idle channel": {7, packet(1, 20)}, "no channel": {8, packet(1, 20)},
		"cut packet": {0, packet(1, 20)[:19]}, "header only": {0, packet(1, 20)[:5]}, "two packets": {0, append(packet(1, 20), 0)},
	} {
		if err := b.Append(c.vc, c.packet); err == nil {
			t.Errorf("%s: is queued", name)
		}
	}
	big := packet(1, 65000)
	for {
		if err := b.Append(0, big); err != nil {
			if !errors.Is(err, tm.ErrFull) || b.Pending(0) > tm.MaxPending || b.Pending(0) < tm.MaxPending-65000 {
				t.Errorf("full at %d octets: %v", b.Pending(0), err)
			}
			break
		}
	}
	if _, err := tm.NewBuilder(tm.Params{FrameLength: 10}); err == nil {
		t.Error("frames of 10 octets are possible")
	}
}

func BenchmarkBuilder(b *testing.B) {
	p := tm.Params{SCID: 1, FrameLength: 1115, OCF: true, FECF: true}
	builder := newBuilder(b, p)
	q := packet(1, 200)
	var dst []byte
	b.SetBytes(1115)
	b.ReportAllocs()
	for b.Loop() {
		for !builder.Ready(0) {
			if err := builder.Append(0, q); err != nil {
				b.Fatal(err)
			}
		}
		dst, _ = builder.Next(dst[:0], 0, [4]byte{}, false)
	}
}
