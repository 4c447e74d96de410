package turbo_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/turbo"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

var rates = []turbo.Rate{turbo.Rate12, turbo.Rate13, turbo.Rate14, turbo.Rate16}

func newCode(t testing.TB, k int, r turbo.Rate) *turbo.Code {
	t.Helper()
	c, err := turbo.New(k, r)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newDecoder(t testing.TB, c *turbo.Code, o turbo.Options) *turbo.Decoder {
	t.Helper()
	d, err := turbo.NewDecoder(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Every code decodes what it encodes, clean and some tenths of a dB above its threshold.
func TestDecodes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 6))
	for _, k := range turbo.Lengths {
		for _, r := range rates {
			c := newCode(t, k, r)
			noise, err := channel.NewAWGN(uint64(k), map[turbo.Rate]float64{turbo.Rate12: 1.8, turbo.Rate13: 1.2, turbo.Rate14: 1, turbo.Rate16: 0.8}[r], c.Ratio())
			if err != nil {
				t.Fatal(err)
			}
			data := layertest.Random(rnd, k/8)
			sent, err := c.Encode(nil, data)
			if err != nil || len(sent) != c.Octets() {
				t.Fatalf("%d octets, %v", len(sent), err)
			}
			for _, quick := range []bool{false, true} {
				d := newDecoder(t, c, turbo.Options{MaxLog: quick})
				for _, soft := range [][]int8{coding.AppendSoft(nil, sent, 40), noise.AppendSoft(nil, sent)} {
					got, err := d.Decode(nil, soft[:c.Bits()])
					if err != nil || !bytes.Equal(got, data) || !d.Agreed() {
						t.Errorf("k=%d rate %v quick %t: wrong after %d iterations, agreed %t, %v", k, r, quick, d.Iterations(), d.Agreed(), err)
					}
				}
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	decoders := map[turbo.Rate]*turbo.Decoder{}
	for _, r := range rates {
		decoders[r] = newDecoder(t, newCode(t, 1784, r), turbo.Options{})
	}
	rapid.Check(t, func(t *rapid.T) {
		d := decoders[rapid.SampledFrom(rates).Draw(t, "rate")]
		data := rapid.SliceOfN(rapid.Byte(), 223, 223).Draw(t, "data")
		sent, err := d.Code().Encode(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		soft := coding.AppendSoft(nil, sent, 20)[:d.Code().Bits()]
		// What is far from any other code word by its values is decoded, wherever they are: some
		// symbols are surer, three say the opposite. A few that are much surer of the opposite can be
		// nearer to another word, and no decoder knows that.
		for range 30 {
			p := rapid.IntRange(0, len(soft)-1).Draw(t, "place")
			v := rapid.IntRange(20, 127).Draw(t, "value")
			if soft[p] < 0 {
				v = -v
			}
			soft[p] = int8(v)
		}
		for range 3 {
			soft[rapid.IntRange(0, len(soft)-1).Draw(t, "wrong")] = int8(rapid.IntRange(-20, 20).Draw(t, "value"))
		}
		if got, err := d.Decode(nil, soft); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("decoded something else, %v", err)
		}
	})
}

func TestRefuses(t *testing.T) {
	for _, k := range []int{0, 1785, 16384} {
		if _, err := turbo.New(k, turbo.Rate12); !errors.Is(err, turbo.ErrCode) {
			t.Errorf("k=%d: %v", k, err)
		}
	}
	if _, err := turbo.New(1784, 9); !errors.Is(err, turbo.ErrCode) {
		t.Errorf("rate 9: %v", err)
	}
	c := newCode(t, 1784, turbo.Rate13)
	if c.Bits() != 5364 || c.DataBits() != 1784 {
		t.Errorf("%d and %d bits", c.DataBits(), c.Bits())
	}
	if _, err := c.Encode(nil, make([]byte, 222)); !errors.Is(err, turbo.ErrLength) {
		t.Error(err)
	}
	if _, err := newDecoder(t, c, turbo.Options{}).Decode(nil, make([]int8, 5363)); !errors.Is(err, turbo.ErrLength) {
		t.Error(err)
	}
	if _, err := turbo.NewDecoder(c, turbo.Options{Iterations: -1}); err == nil {
		t.Error("-1 iterations are accepted")
	}
}

func TestNoAllocation(t *testing.T) {
	c := newCode(t, 1784, turbo.Rate12)
	d := newDecoder(t, c, turbo.Options{})
	soft, dst := make([]int8, c.Bits()), make([]byte, 0, 300)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := d.Decode(dst, soft); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a codeword", n)
	}
}

func FuzzDecode(f *testing.F) {
	c, err := turbo.New(1784, turbo.Rate12)
	if err != nil {
		f.Fatal(err)
	}
	d, err := turbo.NewDecoder(c, turbo.Options{Iterations: 2})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{127, 128, 0, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		soft := make([]int8, c.Bits())
		for i := range soft {
			if len(raw) > 0 {
				soft[i] = int8(raw[i%len(raw)])
			}
		}
		if got, err := d.Decode(nil, soft); err != nil || len(got) != 223 {
			t.Fatal(len(got), err)
		}
		if len(raw) != c.Bits() {
			if _, err := d.Decode(nil, soft[:len(raw)%c.Bits()]); !errors.Is(err, turbo.ErrLength) {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, quick := range []bool{false, true} {
		for _, k := range []int{1784, 8920} {
			b.Run(fmt.Sprint(k, map[bool]string{false: "logmap", true: "maxlog"}[quick]), func(b *testing.B) {
				c := newCode(b, k, turbo.Rate13)
				d := newDecoder(b, c, turbo.Options{MaxLog: quick})
				noise, err := channel.NewAWGN(1, 0.8, c.Ratio())
				if err != nil {
					b.Fatal(err)
				}
				sent, err := c.Encode(nil, layertest.Random(rand.New(rand.NewPCG(1, 1)), k/8))
				if err != nil {
					b.Fatal(err)
				}
				soft, dst := noise.AppendSoft(nil, sent)[:c.Bits()], make([]byte, 0, k/8)
				b.SetBytes(int64(k / 8))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := d.Decode(dst, soft); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(d.Iterations()), "iterations")
			})
		}
	}
}
