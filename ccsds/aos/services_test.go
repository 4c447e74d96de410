package aos_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
)

// packet makes a space packet, or an encapsulation packet, of about n octets that begins
// its data with its number.
func packet(number, n int, encap bool) []byte {
	b := make([]byte, max(n, 12))
	if encap {
		b[0] = 0xE0 | 4<<2 | 2
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	} else {
		b[1], b[2] = 100, 0xC0
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-7))
	}
	binary.BigEndian.PutUint32(b[6:], uint32(number))
	for i := 10; i < len(b); i++ {
		b[i] = byte(i * number)
	}
	return b
}

func newBuilder(t require, p aos.Params) *aos.Builder {
	b, err := aos.NewBuilder(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type require interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

func decode(t require, p aos.Params, octets []byte) *aos.Frame {
	f := &aos.Frame{Params: p}
	if err := f.DecodeFromBytes(octets, nil); err != nil {
		t.Fatal(err)
	}
	return f
}

// Packets of any size and version through frames of any form come out as they went in.
func TestPacketsThroughFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawParams(t)
		b, x := newBuilder(t, p), aos.NewExtractor(0, p.Encap)
		var sent, got [][]byte
		take := func(flush bool) {
			for {
				octets, ok := b.Next(nil, 2, [4]byte{1}, flush)
				if !ok {
					return
				}
				lost, err := x.Frame(decode(t, p, octets), func(q []byte) { got = append(got, bytes.Clone(q)) })
				if lost != 0 || err != nil {
					t.Fatalf("%d frames lost, %v", lost, err)
				}
			}
		}
		for i, n := range rapid.SliceOfN(rapid.IntRange(12, 700), 1, 30).Draw(t, "packets") {
			q := packet(i, n, p.Encap && i%2 == 1)
			sent = append(sent, q)
			if err := b.Append(2, q); err != nil {
				t.Fatal(err)
			}
			take(rapid.Bool().Draw(t, "flush"))
		}
		take(true)
		if b.Pending(2) != 0 || !slices.EqualFunc(sent, got, bytes.Equal) {
			t.Fatalf("sent %d packets, got %d, %d octets wait", len(sent), len(got), b.Pending(2))
		}
		if st := x.Stats(); st.Packets != uint64(len(sent)) || st.Dropped != 0 || st.Lost != 0 {
			t.Fatalf("stats %+v", st)
		}
	})
}

// After lost frames exactly the packets that were cut are missing.
func TestLostFrames(t *testing.T) {
	p := aos.Params{SCID: 1, FrameLength: 100, FECF: true, Cycle: true}
	rnd := rand.New(rand.NewPCG(732, 0))
	b, x := newBuilder(t, p), aos.NewExtractor(0, false)
	type span struct{ from, to int }
	var spans []span
	for i, at := 0, 0; i < 300; i++ {
		q := packet(i, 12+rnd.IntN(300), false)
		spans = append(spans, span{at, at + len(q)})
		at += len(q)
		if err := b.Append(0, q); err != nil {
			t.Fatal(err)
		}
	}
	cut, got := map[int]bool{}, map[int]bool{}
	lost, counted := 0, 0
	for n := 0; ; n++ {
		octets, ok := b.Next(nil, 0, [4]byte{}, true)
		if !ok {
			break
		}
		if n > 0 && b.Pending(0) > 0 && rnd.IntN(10) == 0 {
			lost++
			for i, s := range spans {
				if s.from < (n+1)*p.ZoneLength() && s.to > n*p.ZoneLength() {
					cut[i] = true
				}
			}
			continue
		}
		k, err := x.Frame(decode(t, p, octets), func(q []byte) { got[int(binary.BigEndian.Uint32(q[6:]))] = true })
		if err != nil {
			t.Fatal(err)
		}
		counted += k
	}
	if lost == 0 || counted != lost || x.Stats().Lost != uint64(lost) {
		t.Errorf("counted %d lost frames of %d", counted, lost)
	}
	for i := range spans {
		if cut[i] == got[i] {
			t.Errorf("packet %d: cut %t, received %t", i, cut[i], got[i])
		}
	}
}

// A stream of bits that is no whole number of octets arrives bit by bit.
func TestBitstream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawParams(t)
		b := newBuilder(t, p)
		stream := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "stream")
		n := rapid.IntRange(0, 8*len(stream)).Draw(t, "bits")
		octets, took, err := b.Bits(nil, 3, [4]byte{}, stream, n)
		if err != nil || took != min(n, 8*p.ZoneLength()) {
			t.Fatalf("took %d of %d bits (%v)", took, n, err)
		}
		pdu, err := aos.ParseBPDU(decode(t, p, octets).Payload)
		if err != nil || pdu.Bits != took {
			t.Fatalf("%d bits arrive of %d (%v)", pdu.Bits, took, err)
		}
		for i := range took {
			if (pdu.Zone[i/8]^stream[i/8])>>(7-i%8)&1 != 0 {
				t.Fatalf("bit %d differs", i)
			}
		}
	})
}

func TestPDUErrors(t *testing.T) {
	for name, data := range map[string][]byte{
		"no zone": {0, 0}, "spare": {0x08, 0, 1, 2}, "pointer": {0, 2, 1, 2}, "empty": nil,
	} {
		if m, err := aos.ParseMPDU(data); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
	for name, data := range map[string][]byte{"no zone": {0, 0}, "spare": {0x40, 0, 1, 2}, "pointer": {0, 16, 1, 2}} {
		if b, err := aos.ParseBPDU(data); err == nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
	if _, err := (aos.BPDU{Bits: 17, Zone: []byte{1, 2}}).Append(nil); err == nil {
		t.Error("17 bits in two octets")
	}
	if _, err := (aos.BPDU{Bits: 0x3FFF, Zone: make([]byte, 4000)}).Append(nil); err == nil {
		t.Error("the pointer counts 16383 bits")
	}
}

// Idle frames are those of VC 63 and full of noise; user data of fixed form passes.
func TestIdleAndAccess(t *testing.T) {
	p := aos.Params{SCID: 300, FrameLength: 64, InsertZone: 2, FHEC: true, FECF: true}
	b := newBuilder(t, p)
	if err := b.Insert([]byte{7, 8}); err != nil {
		t.Fatal(err)
	}
	idle := decode(t, p, b.Idle(nil, [4]byte{}))
	if !idle.Idle() || !bytes.HasPrefix(idle.Payload, []byte{0xFF, 0xFF, 0xFF, 0xFF, 0x6D, 0xB6, 0xD8, 0x61, 0x45, 0x1F}) || !bytes.Equal(idle.InsertZone, []byte{7, 8}) {
		t.Errorf("idle frame %+v", idle)
	}
	if next := decode(t, p, b.Idle(nil, [4]byte{})); next.VCFC != 1 {
		t.Errorf("second idle frame counts %d", next.VCFC)
	}
	sdu := bytes.Repeat([]byte{9}, p.DataLength())
	octets, err := b.Access(nil, 4, [4]byte{}, sdu)
	if err != nil || !bytes.Equal(decode(t, p, octets).Payload, sdu) {
		t.Errorf("access data: %v", err)
	}
	if lost, err := aos.NewExtractor(0, false).Frame(idle, nil); lost != 0 || err != nil {
		t.Errorf("idle frame: %d, %v", lost, err)
	}
	if _, err := aos.NewExtractor(0, false).Frame(decode(t, p, octets), nil); err == nil {
		t.Error("access data pass for packets")
	}
}

func TestBuilderRefuses(t *testing.T) {
	p := aos.Params{SCID: 1, FrameLength: 100}
	b := newBuilder(t, p)
	q := packet(1, 20, false)
	for name, err := range map[string]error{
		"idle channel": b.Append(63, q), "no channel": b.Append(64, q), "cut": b.Append(0, q[:19]),
		"encapsulation": b.Append(0, packet(1, 20, true)), "empty": b.Append(0, nil), "insert": b.Insert([]byte{1}),
	} {
		if err == nil {
			t.Errorf("%s: is taken", name)
		}
	}
	if _, err := b.Access(nil, 0, [4]byte{}, q); err == nil {
		t.Error("access data of any length are sent")
	}
	if _, _, err := b.Bits(nil, 63, [4]byte{}, q, 8); err == nil {
		t.Error("bits are sent on the idle channel")
	}
	if _, _, err := b.Bits(nil, 0, [4]byte{}, q, 161); err == nil {
		t.Error("more bits are sent than there are")
	}
	if err := newBuilder(t, aos.Params{FrameLength: 4000}).Append(0, q); err == nil {
		t.Error("the first header pointer does not reach through 4000 octets")
	}
	for {
		if err := b.Append(0, packet(1, 65000, false)); err != nil {
			if !errors.Is(err, aos.ErrFull) || b.Pending(0) > aos.MaxPending {
				t.Errorf("full at %d octets: %v", b.Pending(0), err)
			}
			break
		}
	}
}

// Any sequence of frames: no panic, and what comes out are whole packets in the limit.
func FuzzExtractor(f *testing.F) {
	p := aos.Params{SCID: 1, FrameLength: 26, Encap: true}
	b := newBuilder(f, p)
	for i, encap := range []bool{false, true} {
		if err := b.Append(0, packet(i, 50, encap)); err != nil {
			f.Fatal(err)
		}
	}
	var seed []byte
	for range 5 {
		seed, _ = b.Next(seed, 0, [4]byte{}, true)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, octets []byte) {
		x := aos.NewExtractor(60, true)
		for ; len(octets) >= 26; octets = octets[26:] {
			fr := aos.Frame{Params: p}
			fr.Params.SCID = ccsds.SCID(octets[0]&0x3F)<<2 | ccsds.SCID(octets[1])>>6 | ccsds.SCID(octets[5]>>4&3)<<8
			if fr.DecodeFromBytes(octets[:26], nil) != nil {
				continue
			}
			_, _ = x.Frame(&fr, func(q []byte) {
				if len(q) == 0 || len(q) > 60 {
					t.Fatalf("emitted %x", q)
				}
			})
		}
	})
}

func BenchmarkExtractor(b *testing.B) {
	p := aos.Params{SCID: 1, FrameLength: 1115, OCF: true, FECF: true}
	builder := newBuilder(b, p)
	for range 6 {
		if err := builder.Append(0, packet(1, 200, false)); err != nil {
			b.Fatal(err)
		}
	}
	octets, _ := builder.Next(nil, 0, [4]byte{}, false)
	f, x := aos.Frame{Params: p}, aos.NewExtractor(0, false)
	b.SetBytes(1115)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.DecodeFromBytes(octets, nil); err != nil {
			b.Fatal(err)
		}
		if _, err := x.Frame(&f, func([]byte) {}); err != nil {
			b.Fatal(err)
		}
	}
}
