package coding_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/ccsds/coding/turbo"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

func newAWGN(t testing.TB, seed uint64, db, rate float64) *channel.AWGN {
	t.Helper()
	a, err := channel.NewAWGN(seed, db, rate)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Turbo codewords, of a length that no octet measures, behind their own markers: found in
// noise at any alignment, upside down too, across a slip, and decoded.
func TestSoftSyncTurbo(t *testing.T) {
	for _, x := range []struct {
		rate   turbo.Rate
		marker coding.Marker
		db     float64
	}{{turbo.Rate12, coding.MarkerTurbo12, 1.8}, {turbo.Rate13, coding.MarkerTurbo13, 1.2}, {turbo.Rate14, coding.MarkerTurbo14, 1}, {turbo.Rate16, coding.MarkerTurbo16, 0.8}} {
		c, err := turbo.New(1784, x.rate)
		if err != nil {
			t.Fatal(err)
		}
		d, err := turbo.NewDecoder(c, turbo.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := coding.NewSoftSync(c.Bits(), coding.SyncOptions{Marker: x.marker})
		if err != nil {
			t.Fatal(err)
		}
		rnd, noise := rand.New(rand.NewPCG(1, uint64(x.rate))), newAWGN(t, 5, x.db, c.Ratio())
		stream := noise.AppendSoft(nil, layertest.Random(rnd, 37))[:291]
		var sent [][]byte
		for i := range 8 {
			data := layertest.Random(rnd, 223)
			sent = append(sent, data)
			word, err := c.Encode(nil, data)
			if err != nil {
				t.Fatal(err)
			}
			soft := noise.AppendSoft(nil, word)[:c.Bits()]
			coding.RandomiseSoft(soft)
			if i == 4 { // three bits more in between
				stream = append(stream, 9, -9, 9)
			}
			stream = append(append(stream, noise.AppendSoft(nil, x.marker)...), soft...)
		}
		for i := range stream { // upside down
			stream[i] = -max(stream[i], -127)
		}
		stream = append(stream, make([]int8, 8)...)
		good := 0
		for len(stream) > 0 {
			n := min(len(stream), 1+rnd.IntN(3000))
			s.Push(stream[:n], func(frame []int8, bit uint64, _ coding.State) {
				coding.RandomiseSoft(frame)
				got, err := d.Decode(nil, frame)
				if err != nil {
					t.Error(err)
				}
				if good < len(sent) && bytes.Equal(got, sent[good]) {
					good++
				}
			})
			stream = stream[n:]
		}
		if good < 8 || !s.Inverted() || s.State() != coding.Lock {
			t.Errorf("rate %v: %d of 8 frames, inverted %t, %v, %+v", x.rate, good, s.Inverted(), s.State(), s.Stats())
		}
	}
}

// Telecommands in either LDPC code, with noise between and over them.
func TestSoftCLTU(t *testing.T) {
	for _, x := range []struct {
		name ldpc.Name
		tail bool
		db   float64
	}{{ldpc.TC64, true, 6}, {ldpc.TC64, false, 6}, {ldpc.TC256, false, 4}} {
		c, err := ldpc.New(x.name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := coding.NewSoftCLTUDecoder(c, x.tail, ldpc.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rnd, noise := rand.New(rand.NewPCG(2, uint64(x.name))), newAWGN(t, 6, x.db, 0.5)
		var stream []int8
		var sent [][]byte
		for i := range 12 {
			stream = append(stream, noise.AppendSoft(nil, layertest.Random(rnd, 30))[:170+i]...)
			frame := layertest.Random(rnd, 5+rnd.IntN(251))
			sent = append(sent, frame)
			cltu, err := coding.EncodeSoftCLTU(nil, frame, c, x.tail)
			if err != nil {
				t.Fatal(err)
			}
			stream = noise.AppendSoft(stream, cltu)
		}
		stream = noise.AppendSoft(stream, layertest.Random(rnd, 100))
		var got [][]byte
		corrected := 0
		for len(stream) > 0 {
			n := min(len(stream), 1+rnd.IntN(900))
			d.Push(stream[:n], func(frame []byte, info coding.CLTUInfo) {
				got = append(got, bytes.Clone(frame))
				corrected += info.Corrected
			})
			stream = stream[n:]
		}
		good := 0
		for _, frame := range got {
			if good < len(sent) && bytes.HasPrefix(frame, sent[good]) {
				good++
			}
		}
		if good != len(sent) || corrected == 0 || x.tail && d.Stats().Tails != 12 {
			t.Errorf("%v: %d of %d frames, %d bits corrected, %+v", x.name, good, len(sent), corrected, d.Stats())
		}
	}
}

func TestSoftCLTURefuses(t *testing.T) {
	c, err := ldpc.New(ldpc.TM1024R12)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := coding.EncodeSoftCLTU(nil, []byte{1}, c, false); err == nil {
		t.Error("a telemetry code is accepted")
	}
	if c, err = ldpc.New(ldpc.TC256); err != nil {
		t.Fatal(err)
	}
	if _, err := coding.NewSoftCLTUDecoder(c, true, ldpc.Options{}); err == nil {
		t.Error("a tail behind (512,256) is accepted")
	}
}

func TestSoftSyncRefuses(t *testing.T) {
	for _, o := range []coding.SyncOptions{{Marker: coding.Marker{1, 2, 3}}, {Marker: make(coding.Marker, 28)}, {Threshold: 16}} {
		if _, err := coding.NewSoftSync(100, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	if _, err := coding.NewSoftSync(0, coding.SyncOptions{}); err == nil {
		t.Error("frames of no bits are accepted")
	}
}

// Frames in Reed–Solomon blocks inside a convolutional code, the markers too, at any rate.
func TestConcatenated(t *testing.T) {
	rs := newRS(t, 16, 5, true)
	for _, r := range []conv.Rate{conv.Rate12, conv.Rate34, conv.Rate78} {
		e, err := conv.NewEncoder(r, conv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := conv.NewDecoder(r, conv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := coding.NewSync(rs.BlockLength(), coding.SyncOptions{})
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(4, uint64(r)))
		db := map[conv.Rate]float64{conv.Rate12: 2.8, conv.Rate34: 4.2, conv.Rate78: 5.2}[r]
		noise := newAWGN(t, 7, db, r.Ratio()*223/255)
		var symbols []byte
		var sent [][]byte
		for range 6 {
			frame := layertest.Random(rnd, rs.DataLength())
			sent = append(sent, frame)
			cadu, err := rs.Encode(coding.AppendASM(nil), frame)
			if err != nil {
				t.Fatal(err)
			}
			coding.Randomise(cadu[coding.ASMLength:])
			symbols = e.Encode(symbols, cadu)
		}
		symbols = e.Encode(symbols, make([]byte, 300)) // what the decoder still looks ahead to
		good, corrected := 0, 0
		s.Push(d.Decode(nil, noise.AppendSoft(nil, symbols)), func(block []byte, _ uint64, _ coding.State) {
			coding.Randomise(block)
			n, err := rs.Decode(block)
			corrected += n
			if err == nil && good < 6 && bytes.Equal(block[:rs.DataLength()], sent[good]) {
				good++
			}
		})
		if good != 6 || corrected == 0 {
			t.Errorf("rate %v: %d of 6 frames, %d symbols corrected", r, good, corrected)
		}
	}
}

// Frames of any length behind any marker come out of a soft stream as they went in.
func TestSoftSyncFrames(t *testing.T) {
	markers := []coding.Marker{coding.MarkerASM, coding.MarkerLDPC, coding.MarkerTurbo13, coding.MarkerTurbo14, coding.MarkerTurbo16}
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(markers).Draw(t, "marker")
		n := rapid.IntRange(1, 3000).Draw(t, "bits")
		s, err := coding.NewSoftSync(n, coding.SyncOptions{Marker: m, Threshold: -1, Slip: -1})
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 8))
		stream := coding.AppendSoft(nil, make([]byte, 8), 1)[:rapid.IntRange(0, 64).Draw(t, "lead")]
		lead := len(stream)
		var frames [][]int8
		for range 3 {
			frame := coding.AppendSoft(nil, layertest.Random(rnd, n/8+1), int8(1+rnd.IntN(127)))[:n]
			frames = append(frames, frame)
			stream = append(append(stream, coding.AppendSoft(nil, m, 50)...), frame...)
		}
		stream = append(stream, make([]int8, 8)...)
		got := 0
		for at := 0; at < len(stream); {
			k := min(len(stream)-at, 1+rnd.IntN(2000))
			s.Push(stream[at:at+k], func(frame []int8, bit uint64, _ coding.State) {
				if got < 3 && bit == uint64(lead+got*(8*len(m)+n)) && string(asBytes(frame)) == string(asBytes(frames[got])) {
					got++
				}
			})
			at += k
		}
		if got != 3 {
			t.Fatalf("%d of 3 frames of %d bits", got, n)
		}
	})
}

func asBytes(soft []int8) []byte {
	b := make([]byte, len(soft))
	for i, v := range soft {
		b[i] = byte(v)
	}
	return b
}

func FuzzSoftSync(f *testing.F) {
	f.Add(asBytes(coding.AppendSoft(nil, coding.MarkerLDPC, 5)), uint16(7))
	f.Add([]byte{0x80}, uint16(1))
	f.Fuzz(func(t *testing.T, raw []byte, bits uint16) {
		s, err := coding.NewSoftSync(1+int(bits%5000), coding.SyncOptions{Marker: coding.MarkerLDPC, Threshold: 20})
		if err != nil {
			t.Fatal(err)
		}
		soft := make([]int8, len(raw))
		for i, v := range raw {
			soft[i] = int8(v)
		}
		for len(soft) > 0 {
			n := min(len(soft), 13)
			s.Push(soft[:n], func(frame []int8, _ uint64, _ coding.State) {
				if len(frame) != 1+int(bits%5000) {
					t.Fatal("a frame of another length")
				}
			})
			soft = soft[n:]
		}
	})
}

func FuzzSoftCLTU(f *testing.F) {
	c, err := ldpc.New(ldpc.TC64)
	if err != nil {
		f.Fatal(err)
	}
	good, err := coding.EncodeSoftCLTU(nil, []byte("perilune"), c, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(asBytes(coding.AppendSoft(nil, good, 30)), true)
	f.Add([]byte{1, 2, 128}, false)
	f.Fuzz(func(t *testing.T, raw []byte, tail bool) {
		d, err := coding.NewSoftCLTUDecoder(c, tail, ldpc.Options{Iterations: 5})
		if err != nil {
			t.Fatal(err)
		}
		soft := make([]int8, len(raw))
		for i, v := range raw {
			soft[i] = int8(v)
		}
		d.Push(soft, func(frame []byte, info coding.CLTUInfo) {
			if len(frame) != 8*info.Blocks || info.Blocks == 0 || len(frame) > coding.MaxCLTUData {
				t.Fatalf("%d octets, %+v", len(frame), info)
			}
		})
	})
}
