package coding_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

const syncFrame = 120 // octets

type found struct {
	frame []byte
	bit   uint64
	state coding.State
}

func newSync(t testing.TB, o coding.SyncOptions) *coding.Sync {
	t.Helper()
	s, err := coding.NewSync(syncFrame, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// push sends octets in uneven pieces.
func push(s *coding.Sync, octets []byte) (got []found) {
	for n := 1; len(octets) > 0; n = n*31%257 + 1 {
		n = min(n, len(octets))
		s.Push(octets[:n], func(frame []byte, bit uint64, st coding.State) {
			got = append(got, found{bytes.Clone(frame), bit, st})
		})
		octets = octets[n:]
	}
	return got
}

// sender makes a stream of CADUs and remembers where each began.
type sender struct {
	stream
	rnd    *rand.Rand
	frames [][]byte
	bits   []int
}

func newSender(seed uint64) *sender { return &sender{rnd: rand.New(rand.NewPCG(seed, 7))} }

func (s *sender) send(n int) {
	for range n {
		f := layertest.Random(s.rnd, syncFrame)
		s.frames, s.bits = append(s.frames, f), append(s.bits, s.n)
		s.put(append(coding.AppendASM(nil), f...), 32+8*syncFrame)
	}
}

func (s *sender) noise(bits int) { s.put(layertest.Random(s.rnd, bits/8+1), bits) }

// missing returns the frames that got does not hold at their places.
func (s *sender) missing(got []found) (lost []int) {
	at := map[uint64][]byte{}
	for _, f := range got {
		at[f.bit] = f.frame
	}
	for i, f := range s.frames {
		if !bytes.Equal(at[uint64(s.bits[i])], f) {
			lost = append(lost, i)
		}
	}
	return lost
}

// deceives reports whether chance has put two things like markers before the first true one
// where a frame would begin and end, so that a synchroniser cannot but take them for those.
func (s *sender) deceives() bool {
	wrong := func(at int) (n int) {
		for i := range 32 {
			n += int(s.b[(at+i)/8]>>(7-(at+i)%8)&1 ^ byte(uint32(coding.ASM)>>(31-i)&1))
		}
		return n
	}
	for at := range s.bits[0] {
		first, second := wrong(at), wrong(at+32+8*syncFrame)
		if first <= 3 && second <= 6 || first >= 29 && second >= 26 {
			return true
		}
	}
	return false
}

// Frames are found at any bit behind any noise, in both senses of the data, each at its
// true offset, the first one included.
func TestSyncAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSender(rapid.Uint64().Draw(t, "seed"))
		s.noise(rapid.IntRange(0, 5000).Draw(t, "lead"))
		s.send(rapid.IntRange(2, 8).Draw(t, "frames"))
		s.noise(100)
		if s.deceives() {
			t.Skip("two false markers a frame apart, once in a million draws")
		}
		inverted := rapid.Bool().Draw(t, "inverted")
		if inverted {
			for i := range s.b {
				s.b[i] = ^s.b[i]
			}
		}
		rx, err := coding.NewSync(syncFrame, coding.SyncOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := push(rx, s.b)
		if lost := s.missing(got); len(lost) > 0 {
			t.Fatalf("lost frames %v of %d", lost, len(s.frames))
		}
		if rx.State() != coding.Lock || rx.Inverted() != inverted {
			t.Fatalf("state %v, inverted %t", rx.State(), rx.Inverted())
		}
		if rx.Bits() != 8*uint64(len(s.b)) {
			t.Fatalf("counted %d bits of %d", rx.Bits(), 8*len(s.b))
		}
	})
}

// A marker in front of the true one, at every distance, hides nothing.
func TestSyncFalseMarker(t *testing.T) {
	for distance := 1; distance < 32+8*syncFrame+40; distance += 3 {
		s := newSender(uint64(distance))
		s.put(coding.AppendASM(nil), min(32, distance))
		s.noise(max(distance-32, 0))
		s.send(4)
		if lost := s.missing(push(newSync(t, coding.SyncOptions{}), s.b)); len(lost) > 0 {
			t.Fatalf("distance %d: lost frames %v", distance, lost)
		}
	}
}

// At a bit error rate of 5e-3 no frame is lost for want of its marker.
func TestSyncNoise(t *testing.T) {
	s := newSender(9)
	s.noise(3001)
	s.send(300)
	for i := range s.frames { // errors in markers only, so that frames compare
		for bit := range 32 {
			if s.rnd.Float64() < 5e-3 {
				flip(s.b, s.bits[i]+bit)
			}
		}
	}
	rx := newSync(t, coding.SyncOptions{})
	if lost := s.missing(push(rx, s.b)); len(lost) > 0 {
		t.Errorf("lost frames %v", lost)
	}
	if st := rx.Stats(); st.BitErrors < 20 || st.BitErrors > 90 || st.Losses != 0 {
		t.Errorf("stats %+v, expected near 48 bit errors", st)
	}
}

// In lock the flywheel carries frames over destroyed markers.
func TestSyncFlywheel(t *testing.T) {
	s := newSender(10)
	s.send(12)
	for _, i := range []int{4, 5, 6} {
		for bit := range 32 {
			if bit%2 == 0 {
				flip(s.b, s.bits[i]+bit)
			}
		}
	}
	rx := newSync(t, coding.SyncOptions{Flywheel: 3})
	if lost := s.missing(push(rx, s.b)); len(lost) > 0 {
		t.Errorf("lost frames %v", lost)
	}
	if st := rx.Stats(); st.Missed != 3 || st.Losses != 0 {
		t.Errorf("stats %+v", st)
	}
}

// When lock is lost for good, the bits since the first missing marker are searched again:
// only the frames cut by the break are lost.
func TestSyncBreak(t *testing.T) {
	for _, gap := range []int{9, 17, 333, 20001} {
		s := newSender(uint64(gap))
		s.send(5)
		s.noise(gap)
		s.send(5)
		rx := newSync(t, coding.SyncOptions{})
		if lost := s.missing(push(rx, s.b)); len(lost) > 0 {
			t.Errorf("gap of %d bits: lost frames %v", gap, lost)
		}
		if st := rx.Stats(); st.Losses != 1 {
			t.Errorf("gap of %d bits: stats %+v", gap, st)
		}
	}
}

// A slip of a few bits is followed without leaving lock.
func TestSyncSlip(t *testing.T) {
	for slip := 1; slip <= 4; slip++ {
		s := newSender(uint64(slip))
		s.send(4)
		s.noise(slip)
		s.send(3)
		s.n -= slip // the last bits are overwritten: a slip the other way
		s.b = s.b[:(s.n+7)/8]
		s.b[len(s.b)-1] &= 0xFF << (7 - (s.n-1)%8)
		s.send(3)
		rx := newSync(t, coding.SyncOptions{})
		got := push(rx, s.b)
		if lost := s.missing(got); len(lost) > 1 || len(lost) == 1 && lost[0] != 6 {
			t.Errorf("slip of %d: lost %v, want at most frame 6, whose end is gone", slip, lost)
		}
		if st := rx.Stats(); st.Slips != 2 || st.Losses != 0 {
			t.Errorf("slip of %d: stats %+v", slip, st)
		}
	}
}

// The data turn over in the middle: nothing but the frame it happens in is lost.
func TestSyncPhaseReversal(t *testing.T) {
	s := newSender(11)
	s.send(10)
	for i := s.bits[5]; i < s.n; i++ {
		flip(s.b, i)
	}
	if lost := s.missing(push(newSync(t, coding.SyncOptions{}), s.b)); len(lost) > 0 {
		t.Errorf("lost frames %v", lost)
	}
}

// Noise alone must not lock, and finds little.
func TestSyncNoiseOnly(t *testing.T) {
	rnd := rand.New(rand.NewPCG(12, 0))
	rx := newSync(t, coding.SyncOptions{})
	got := push(rx, layertest.Random(rnd, 1<<20))
	// 11978 of 2^32 words lie within three bits of the marker or its complement: 23 finds
	// in 8 Mbit.
	if len(got) > 60 || rx.Stats().Losses > 0 {
		t.Errorf("%d frames in noise, stats %+v", len(got), rx.Stats())
	}
}

func TestSyncReset(t *testing.T) {
	s := newSender(13)
	s.send(3)
	rx := newSync(t, coding.SyncOptions{})
	push(rx, s.b)
	rx.Reset()
	if rx.State() != coding.Search || rx.Stats().Losses != 1 {
		t.Errorf("after reset: %v, %+v", rx.State(), rx.Stats())
	}
	got := push(rx, s.b)
	if len(got) == 0 || got[0].bit != uint64(8*len(s.b)) {
		t.Errorf("after reset: %d frames, the offsets do not go on", len(got))
	}
}

func TestSyncParameters(t *testing.T) {
	for _, n := range []int{-1, 0, 1 << 20} {
		if _, err := coding.NewSync(n, coding.SyncOptions{}); err == nil {
			t.Errorf("frame of %d octets is accepted", n)
		}
	}
}

// Any octets: no panic, offsets inside the stream and rising, and the same frames in one
// piece as in many.
func FuzzSync(f *testing.F) {
	asm := binary.BigEndian.AppendUint32(nil, coding.ASM)
	f.Add(bytes.Repeat(append(asm, 1, 2, 3, 4, 5, 6), 5), uint8(3))
	f.Add(bytes.Repeat(asm, 9), uint8(0))
	f.Add([]byte{}, uint8(7))
	f.Fuzz(func(t *testing.T, octets []byte, shift uint8) {
		var st stream
		st.put([]byte{0}, int(shift%8))
		st.put(octets, 8*len(octets))
		make6 := func() *coding.Sync {
			s, err := coding.NewSync(6, coding.SyncOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		pieces := push(make6(), st.b)
		i := 0
		make6().Push(st.b, func(frame []byte, bit uint64, state coding.State) {
			if bit+32+48 > 8*uint64(len(st.b)) || len(frame) != 6 {
				t.Fatalf("%d octets at bit %d of %d", len(frame), bit, 8*len(st.b))
			}
			if i >= len(pieces) || pieces[i].bit != bit || pieces[i].state != state || !bytes.Equal(pieces[i].frame, frame) {
				t.Fatalf("frame %d at bit %d differs in pieces", i, bit)
			}
			i++
		})
		if i != len(pieces) {
			t.Fatalf("%d frames in pieces, %d in one", len(pieces), i)
		}
	})
}

func BenchmarkSyncLock(b *testing.B) {
	s := newSender(1)
	s.put([]byte{0}, 3)
	s.send(64)
	s.put([]byte{0}, 5)
	rx := newSync(b, coding.SyncOptions{})
	b.SetBytes(int64(len(s.b)))
	b.ReportAllocs()
	for b.Loop() {
		rx.Push(s.b, func([]byte, uint64, coding.State) {})
	}
}

func BenchmarkSyncSearchNoise(b *testing.B) {
	noise := layertest.Random(rand.New(rand.NewPCG(1, 1)), 4096)
	rx := newSync(b, coding.SyncOptions{})
	b.SetBytes(int64(len(noise)))
	for b.Loop() {
		rx.Push(noise, func([]byte, uint64, coding.State) {})
	}
}
