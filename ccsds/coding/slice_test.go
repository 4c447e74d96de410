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

// told is the length of test frames that tell it: their first two octets.
func told(head []byte) int { return int(binary.BigEndian.Uint16(head)) }

// slicesOf cuts frames into slices of n octets.
func slicesOf(t interface{ Fatal(...any) }, frames [][]byte, n int) (slices [][]byte) {
	s, err := coding.NewSlicer(n)
	if err != nil {
		t.Fatal(err)
	}
	emit := func(slice []byte) error { slices = append(slices, bytes.Clone(slice)); return nil }
	for _, f := range frames {
		if err := s.Push(f, emit); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(emit); err != nil {
		t.Fatal(err)
	}
	return slices
}

// Whatever slices are lost, all frames arrive that no lost slice touches, each where it was, and
// no other: with frames of one length and with frames that tell theirs.
func TestSliceSyncLosses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slice := rapid.IntRange(8, 300).Draw(t, "slice")
		most := rapid.IntRange(coding.HeadLength, 500).Draw(t, "most")
		fixed := rapid.Bool().Draw(t, "fixed")
		var frames [][]byte
		var begins []int
		at := 0
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for range rapid.IntRange(1, 40).Draw(t, "frames") {
			n := most
			if !fixed {
				n = coding.HeadLength + rnd.IntN(most-coding.HeadLength+1)
			}
			f := make([]byte, n)
			for i := range f {
				f[i] = byte(rnd.Uint32()) &^ 0x80 // no ten ones in a row: no marker by chance
			}
			binary.BigEndian.PutUint16(f, uint16(n))
			frames, begins = append(frames, f), append(begins, at)
			at += coding.ASMLength + n
		}
		slices := slicesOf(t, frames, slice)
		lost := make([]bool, len(slices))
		for i := range lost {
			lost[i] = rnd.IntN(6) == 0
		}
		length := told
		if fixed {
			length = nil
		}
		s, err := coding.NewSliceSync(most, length)
		if err != nil {
			t.Fatal(err)
		}
		got := map[int][]byte{}
		take := func(f coding.Sliced) {
			if f.Frame != nil {
				got[int(f.Place-7000)/8] = bytes.Clone(f.Frame)
			}
		}
		for i, b := range slices {
			if lost[i] {
				s.Hole(slice, uint64(7000+8*i*slice), take)
			} else {
				s.Push(b, uint64(7000+8*i*slice), take)
			}
		}
		for i, f := range frames {
			touched := false
			for k := begins[i] / slice; k <= (begins[i]+coding.ASMLength+len(f)-1)/slice; k++ {
				touched = touched || lost[k]
			}
			if there := bytes.Equal(got[begins[i]], f); there == touched {
				t.Fatalf("frame %d at octet %d: there %t, touched by a lost slice %t; %+v", i, begins[i], there, touched, s.Stats())
			}
			delete(got, begins[i])
		}
		for at := range got {
			t.Fatalf("a frame at octet %d that nobody sent", at)
		}
	})
}

// Frames that hold the marker somewhere hide none of those behind them, and the markers may
// begin at any bit of a slice.
func TestSliceSyncFalseMarkers(t *testing.T) {
	var frames [][]byte
	rnd := rand.New(rand.NewPCG(3, 3))
	for i := range 20 {
		f := layertest.Random(rnd, 30)
		copy(f[1+rnd.IntN(22):], coding.AppendASM(nil))
		f[28], f[29] = byte(i), byte(i)
		frames = append(frames, f)
	}
	stream := bytes.Join(slicesOf(t, frames, 33), nil)
	for shift := range 8 {
		s, err := coding.NewSliceSync(len(frames[0]), nil)
		if err != nil {
			t.Fatal(err)
		}
		var moved []byte
		for i := range stream {
			var before byte
			if i > 0 {
				before = stream[i-1]
			}
			moved = append(moved, byte((uint16(before)<<8|uint16(stream[i]))>>shift))
		}
		got := map[byte]bool{}
		for i := 9; i < len(moved); i += 33 { // the first marker is cut
			s.Push(moved[i:min(i+33, len(moved))], 0, func(f coding.Sliced) {
				if f.State == coding.Lock && f.Frame[28] == f.Frame[29] {
					got[f.Frame[28]] = true
				}
			})
		}
		if len(got) < 18 { // all but the cut one and that behind a find
			t.Errorf("shifted by %d bits: %d of 20 frames, %v, %+v", shift, len(got), s.State(), s.Stats())
		}
	}
}

// A hole in the middle of a stream in lock is no loss of lock: the frames that it touches are
// reported as lost, each at its place, and nothing is searched.
func TestSliceSyncHole(t *testing.T) {
	var frames [][]byte
	for i := range 12 {
		frames = append(frames, bytes.Repeat([]byte{byte(i)}, 28)) // 32 octets with the marker
	}
	slices := slicesOf(t, frames, 48)
	s, err := coding.NewSliceSync(28, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lost []uint64
	take := func(f coding.Sliced) {
		if f.Frame == nil {
			lost = append(lost, f.Place)
		}
	}
	for i, b := range slices {
		if i == 3 { // octets 144 to 192: frames 4 and 5
			s.Hole(48, uint64(8*48*i), take)
			if s.State() != coding.Lock {
				t.Errorf("%v behind a hole", s.State())
			}
			continue
		}
		s.Push(b, uint64(8*48*i), take)
	}
	if len(lost) != 2 || lost[0] != 8*32*4 || lost[1] != 8*32*5 {
		t.Errorf("lost frames at %v, want bits 1024 and 1280", lost)
	}
	if st := s.Stats(); st.Frames != 10 || st.Lost != 2 || st.Finds != 1 || st.Missed != 0 || st.Holes != 1 {
		t.Errorf("%+v", st)
	}
}

func TestSliceSyncBreak(t *testing.T) {
	frames := [][]byte{bytes.Repeat([]byte{1}, 40), bytes.Repeat([]byte{2}, 40), bytes.Repeat([]byte{3}, 40)}
	slices := slicesOf(t, frames, 132)
	s, err := coding.NewSliceSync(40, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	count := func(coding.Sliced) { n++ }
	s.Break() // nothing to break yet
	s.Push(slices[0], 0, count)
	if s.State() != coding.Lock || n != 3 {
		t.Errorf("%v after %d frames", s.State(), n)
	}
	s.Push(slices[0][:20], 1056, count)
	s.Break()
	if s.State() != coding.Search {
		t.Errorf("%v after a break", s.State())
	}
	s.Push(slices[0], 5000, count)
	if st := s.Stats(); n != 6 || st.Frames != 6 || st.Breaks != 1 || st.Finds != 2 {
		t.Errorf("%d frames, %+v", n, st)
	}
}

func TestSliceParameters(t *testing.T) {
	for _, n := range []int{-1, 0, coding.HeadLength - 1, 1 << 20} {
		if _, err := coding.NewSliceSync(n, nil); err == nil {
			t.Errorf("frames of %d octets are accepted", n)
		}
	}
	for _, n := range []int{-1, 0, 1 << 20} {
		if _, err := coding.NewSlicer(n); err == nil {
			t.Errorf("slices of %d octets are accepted", n)
		}
	}
}

// FuzzSliceSync: any slices and holes: no panic, frames of a length that they tell, at
// places that rise but where the search went back; and good frames are found afterwards.
func FuzzSliceSync(f *testing.F) {
	asm := coding.AppendASM(nil)
	f.Add(bytes.Repeat(append(bytes.Clone(asm), 0, 8, 1, 2, 3, 4, 5, 6), 5), uint8(9), false)
	f.Add(bytes.Repeat(asm, 20), uint8(16), true)
	f.Add(append(bytes.Clone(asm), 0xFF, 0xFF, 0, 0, 0, 0), uint8(3), false)
	f.Fuzz(func(t *testing.T, octets []byte, size uint8, fixed bool) {
		const most = 40
		length := told
		if fixed {
			length = nil
		}
		s, err := coding.NewSliceSync(most, length)
		if err != nil {
			t.Fatal(err)
		}
		want, found := make([]byte, most), 0
		want[1] = most
		take := func(x coding.Sliced) {
			if x.Frame != nil && (len(x.Frame) > most || fixed && len(x.Frame) != most || !fixed && len(x.Frame) > 1 && len(x.Frame) != told(x.Frame)) {
				t.Fatalf("frame of %d octets", len(x.Frame))
			}
			if bytes.Equal(x.Frame, want) {
				found++
			}
		}
		n, place := int(size)+1, uint64(0)
		for i := 0; len(octets) > 0; i++ {
			b := octets[:min(n, len(octets))]
			octets = octets[len(b):]
			switch {
			case b[0]%7 == 3:
				s.Hole(len(b), place, take)
			case b[0]%31 == 5:
				s.Break()
			default:
				s.Push(b, place, take)
			}
			place += uint64(8 * len(b))
		}
		found = 0
		for range 4 {
			s.Push(append(coding.AppendASM(nil), want...), place, take)
			place += 8 * (coding.ASMLength + most)
		}
		if found < 2 {
			t.Errorf("%d of 4 good frames are found: %+v", found, s.Stats())
		}
	})
}
