package tm_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/tm"
)

// packet makes a space packet of n octets that begins its data with its number.
func packet(number, n int) []byte {
	b := make([]byte, max(n, 10))
	b[1], b[2] = 100, 0xC0
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-7))
	binary.BigEndian.PutUint32(b[6:], uint32(number))
	for i := 10; i < len(b); i++ {
		b[i] = byte(i * number)
	}
	return b
}

// decode reads a frame; its slices stay valid.
func decode(t testing.TB, p tm.Params, octets []byte) *tm.Frame {
	t.Helper()
	f := &tm.Frame{Params: p}
	if err := f.DecodeFromBytes(octets, nil); err != nil {
		t.Fatal(err)
	}
	return f
}

// Packets of any size through frames of any size come out as they went in; frames are
// flushed at random, which puts idle packets between them.
func TestPacketsThroughFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := tm.Params{SCID: 1, FrameLength: rapid.IntRange(20, 300).Draw(t, "frame"), OCF: rapid.Bool().Draw(t, "ocf"), FECF: true}
		b, err := tm.NewBuilder(p)
		if err != nil {
			t.Fatal(err)
		}
		var sent, got [][]byte
		x := tm.NewExtractor(0)
		take := func(flush bool) {
			for {
				octets, ok := b.Next(nil, 2, [4]byte{1}, flush)
				if !ok {
					return
				}
				f := tm.Frame{Params: p}
				if err := f.DecodeFromBytes(octets, nil); err != nil {
					t.Fatal(err)
				}
				if lost := x.Frame(&f, func(q []byte) { got = append(got, bytes.Clone(q)) }); lost != 0 {
					t.Fatalf("%d frames lost", lost)
				}
			}
		}
		for i, n := range rapid.SliceOfN(rapid.IntRange(10, 700), 1, 40).Draw(t, "packets") {
			q := packet(i, n)
			sent = append(sent, q)
			if err := b.Append(2, q); err != nil {
				t.Fatal(err)
			}
			take(rapid.Bool().Draw(t, "flush"))
		}
		take(true)
		if b.Pending(2) != 0 {
			t.Fatalf("%d octets still wait", b.Pending(2))
		}
		if !slices.EqualFunc(sent, got, bytes.Equal) {
			t.Fatalf("sent %d packets, got %d", len(sent), len(got))
		}
		if st := x.Stats(); st.Packets != uint64(len(sent)) || st.Dropped != 0 || st.Lost != 0 {
			t.Fatalf("stats %+v", st)
		}
	})
}

// After lost frames the packets that were not cut still arrive, nothing false does, and
// the count of lost frames is right.
func TestLostFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := tm.Params{SCID: 1, FrameLength: 100, FECF: true}
		b, err := tm.NewBuilder(p)
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		type span struct{ from, to int }
		var spans []span // of each packet, in octets of the channel
		at := 0
		for i := range 200 {
			q := packet(i, 10+rnd.IntN(300))
			spans = append(spans, span{at, at + len(q)})
			at += len(q)
			if err := b.Append(0, q); err != nil {
				t.Fatal(err)
			}
		}
		x := tm.NewExtractor(0)
		// A loss is counted by the next frame that arrives; the first one cannot know of any.
		lostFrames, counted, since, first := 0, 0, 0, true
		cut := map[int]bool{}
		var got []int
		for n := 0; ; n++ {
			octets, ok := b.Next(nil, 0, [4]byte{}, true)
			if !ok {
				break
			}
			if rnd.IntN(10) == 0 {
				for i, s := range spans {
					if s.from < (n+1)*p.DataLength() && s.to > n*p.DataLength() {
						cut[i] = true
					}
				}
				since++
				continue
			}
			f := tm.Frame{Params: p}
			if err := f.DecodeFromBytes(octets, nil); err != nil {
				t.Fatal(err)
			}
			counted += x.Frame(&f, func(q []byte) {
				i := int(binary.BigEndian.Uint32(q[6:]))
				if i >= len(spans) || !bytes.Equal(q, packet(i, spans[i].to-spans[i].from)) {
					t.Fatalf("a packet arrived that was never sent")
				}
				got = append(got, i)
			})
			if !first {
				lostFrames += since
			}
			since, first = 0, false
		}
		if counted != lostFrames {
			t.Fatalf("counted %d lost frames of %d", counted, lostFrames)
		}
		for i := range spans {
			if cut[i] == slices.Contains(got, i) {
				t.Fatalf("packet %d: cut %t, received %t", i, cut[i], !cut[i])
			}
		}
	})
}

// The pointer tells apart: a packet at the start, none, only idle data.
func TestFirstHeaderPointer(t *testing.T) {
	p := tm.Params{SCID: 1, FrameLength: 26, FECF: true} // 18 octets of data
	b := newBuilder(t, p)
	if err := b.Append(0, packet(1, 60)); err != nil {
		t.Fatal(err)
	}
	if b.Pending(0) != 60 || !b.Ready(0) {
		t.Errorf("pending %d, ready %t", b.Pending(0), b.Ready(0))
	}
	var got []uint16
	for {
		octets, ok := b.Next(nil, 0, [4]byte{}, true)
		if !ok {
			break
		}
		got = append(got, decode(t, p, octets).FirstHeaderPointer)
	}
	if want := []uint16{0, tm.NoPacketStart, tm.NoPacketStart, 6}; !slices.Equal(got, want) {
		t.Errorf("first header pointers %x, want %x", got, want)
	}
	idle := decode(t, p, b.Idle(nil, [4]byte{}))
	if !idle.Idle() || idle.VCID != tm.IdleVCID || idle.VCFC != 0 || idle.MCFC != 4 {
		t.Errorf("idle frame %+v", idle)
	}
	if next := decode(t, p, b.Idle(nil, [4]byte{})); next.VCFC != 1 || next.MCFC != 5 {
		t.Errorf("second idle frame counts %d, %d", next.VCFC, next.MCFC)
	}
}

// A packet longer than the limit is dropped, the next one is found.
func TestExtractorLimit(t *testing.T) {
	p := tm.Params{SCID: 1, FrameLength: 50}
	b := newBuilder(t, p)
	for i, n := range []int{30, 500, 30} {
		if err := b.Append(0, packet(i, n)); err != nil {
			t.Fatal(err)
		}
	}
	x := tm.NewExtractor(100)
	var got []byte
	for {
		octets, ok := b.Next(nil, 0, [4]byte{}, true)
		if !ok {
			break
		}
		x.Frame(decode(t, p, octets), func(q []byte) { got = append(got, q[9]) })
	}
	if !bytes.Equal(got, []byte{0, 2}) || x.Stats().Dropped != 1 {
		t.Errorf("packets %v, stats %+v", got, x.Stats())
	}
}

// Any sequence of frames: no panic, and what comes out are whole packets in the limit.
func FuzzExtractor(f *testing.F) {
	p := tm.Params{SCID: 1, FrameLength: 26}
	b, err := tm.NewBuilder(p)
	if err != nil {
		f.Fatal(err)
	}
	if err := b.Append(0, packet(1, 70)); err != nil {
		f.Fatal(err)
	}
	var seed []byte
	for range 4 {
		seed, _ = b.Next(seed, 0, [4]byte{}, true)
	}
	f.Add(seed)
	f.Add(bytes.Repeat([]byte{0}, 52))
	f.Fuzz(func(t *testing.T, octets []byte) {
		x := tm.NewExtractor(60)
		for ; len(octets) >= 26; octets = octets[26:] {
			fr := tm.Frame{Params: p}
			fr.Params.SCID = ccsds.SCID(octets[0])<<4&0x3F0 | ccsds.SCID(octets[1])>>4
			if fr.DecodeFromBytes(octets[:26], nil) != nil {
				continue
			}
			x.Frame(&fr, func(q []byte) {
				if n, err := ccsds.PacketLength(q); err != nil || n != len(q) || n > 60 || ccsds.PacketIsIdle(q) {
					t.Fatalf("emitted %x", q)
				}
			})
		}
	})
}

func BenchmarkExtractor(b *testing.B) {
	p := tm.Params{SCID: 1, FrameLength: 1115, OCF: true, FECF: true}
	builder := newBuilder(b, p)
	for range 6 {
		if err := builder.Append(0, packet(1, 200)); err != nil {
			b.Fatal(err)
		}
	}
	octets, _ := builder.Next(nil, 0, [4]byte{}, false)
	f, x := tm.Frame{Params: p}, tm.NewExtractor(0)
	b.SetBytes(1115)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.DecodeFromBytes(octets, nil); err != nil {
			b.Fatal(err)
		}
		x.Frame(&f, func([]byte) {})
	}
}
