package conv_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

var rates = []conv.Rate{conv.Rate12, conv.Rate23, conv.Rate34, conv.Rate56, conv.Rate78}

func newPair(t testing.TB, r conv.Rate, o conv.Options) (*conv.Encoder, *conv.Decoder) {
	t.Helper()
	e, err := conv.NewEncoder(r, o)
	if err != nil {
		t.Fatal(err)
	}
	d, err := conv.NewDecoder(r, o)
	if err != nil {
		t.Fatal(err)
	}
	return e, d
}

// Whatever is encoded, at any rate and in pieces of any size, comes out again.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(rates).Draw(t, "rate")
		o := conv.Options{Inversion: rapid.SampledFrom([]conv.Inversion{conv.ByRate, conv.Inverted, conv.Straight}).Draw(t, "inversion")}
		e, err := conv.NewEncoder(r, o)
		if err != nil {
			t.Fatal(err)
		}
		d, err := conv.NewDecoder(r, o)
		if err != nil {
			t.Fatal(err)
		}
		data := rapid.SliceOfN(rapid.Byte(), 1, 600).Draw(t, "data")
		sent := e.Flush(e.Terminate(e.Encode(nil, data)))
		soft := coding.AppendSoft(nil, sent, int8(rapid.IntRange(8, 127).Draw(t, "size")))
		soft = soft[:r.SymbolsFor(8*len(data)+6)]
		d.Reset(true)
		var got []byte
		for len(soft) > 0 {
			n := rapid.IntRange(1, min(len(soft), 2000)).Draw(t, "piece")
			got = d.Decode(got, soft[:n])
			soft = soft[n:]
		}
		got = d.Flush(got, true)
		if !bytes.Equal(got, data) {
			t.Fatalf("rate %v: decoded %x, want %x", r, got, data)
		}
	})
}

// Errors that a code of this strength corrects are corrected, in a stream without end.
func TestCorrects(t *testing.T) {
	for _, c := range []struct {
		rate conv.Rate
		db   float64
	}{{conv.Rate12, 5.5}, {conv.Rate23, 6}, {conv.Rate34, 6.5}, {conv.Rate56, 7.5}, {conv.Rate78, 8.2}} {
		e, d := newPair(t, c.rate, conv.Options{})
		noise, err := channel.NewAWGN(1, c.db, c.rate.Ratio())
		if err != nil {
			t.Fatal(err)
		}
		data := layertest.Random(rand.New(rand.NewPCG(1, 2)), 20000)
		got := d.Flush(d.Decode(nil, noise.AppendSoft(nil, e.Encode(nil, data))), false)
		wrong := 0
		for i, v := range got {
			if i < len(data)-8 && v != data[i] {
				wrong++
			}
		}
		if len(got) < len(data)-8 || wrong > 3 {
			t.Errorf("rate %v at %.1f dB: %d of %d octets, %d wrong", c.rate, c.db, len(got), len(data), wrong)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []conv.Options{{Depth: 10}, {Depth: 1 << 20}, {Scale: -1}, {Scale: 200}, {Inversion: 9}} {
		if _, err := conv.NewDecoder(conv.Rate12, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	if _, err := conv.NewEncoder(conv.Rate(9), conv.Options{}); err == nil {
		t.Error("rate 9 is accepted")
	}
}

// A frame costs no allocation once the decoder exists.
func TestNoAllocation(t *testing.T) {
	e, d := newPair(t, conv.Rate34, conv.Options{})
	soft := coding.AppendSoft(nil, e.Encode(nil, make([]byte, 3000)), 50)
	dst := make([]byte, 0, 8000)
	if n := testing.AllocsPerRun(10, func() { d.Decode(dst, soft) }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(uint8(0), []byte{1, 2, 3, 200, 128, 127})
	f.Add(uint8(4), bytes.Repeat([]byte{0x80, 0x7F, 0}, 3000))
	f.Fuzz(func(t *testing.T, rate uint8, raw []byte) {
		r := conv.Rate(rate % 5)
		d, err := conv.NewDecoder(r, conv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		soft := make([]int8, len(raw))
		for i, v := range raw {
			soft[i] = int8(v)
		}
		whole := d.Flush(d.Decode(nil, soft), false)
		if len(whole) > len(soft)*r.Bits()/r.Symbols()/8+1 {
			t.Fatalf("%d symbols became %d octets", len(soft), len(whole))
		}
		d.Reset(false)
		var pieces []byte
		for len(soft) > 0 {
			n := min(len(soft), 7)
			pieces, soft = d.Decode(pieces, soft[:n]), soft[n:]
		}
		if pieces = d.Flush(pieces, false); !bytes.Equal(whole, pieces) {
			t.Fatal("pieces decode differently")
		}
	})
}

func BenchmarkViterbi(b *testing.B) {
	for _, r := range rates {
		b.Run(r.String()[:1]+"of"+r.String()[2:], func(b *testing.B) {
			e, d := newPair(b, r, conv.Options{})
			noise, err := channel.NewAWGN(1, 5, r.Ratio())
			if err != nil {
				b.Fatal(err)
			}
			data := layertest.Random(rand.New(rand.NewPCG(1, 2)), 10080)
			soft := noise.AppendSoft(nil, e.Encode(nil, data))
			dst := make([]byte, 0, 2*len(data))
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				d.Decode(dst, soft)
			}
		})
	}
}
