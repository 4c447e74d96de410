package ldpc_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

func newCode(t testing.TB, n ldpc.Name) *ldpc.Code {
	t.Helper()
	c, err := ldpc.New(n)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newDecoder(t testing.TB, n ldpc.Name, o ldpc.Options) *ldpc.Decoder {
	t.Helper()
	d, err := ldpc.NewDecoder(newCode(t, n), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var both = []ldpc.Algorithm{ldpc.SumProduct, ldpc.MinSum}

// Clean codewords decode without an iteration where all bits are sent, and noisy ones
// well above the threshold decode too.
func TestDecodes(t *testing.T) {
	for _, n := range ldpc.Names() {
		c := newCode(t, n)
		for _, a := range both {
			d := newDecoder(t, n, ldpc.Options{Algorithm: a})
			rnd := rand.New(rand.NewPCG(uint64(n), 1))
			noise, err := channel.NewAWGN(3, map[bool]float64{true: 6.5, false: 4.2}[n <= ldpc.TC256], c.Ratio())
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				data := layertest.Random(rnd, c.DataBits()/8)
				sent, err := c.Encode(nil, data)
				if err != nil || 8*len(sent) != c.Bits() {
					t.Fatalf("%v: %d bits, %v", n, 8*len(sent), err)
				}
				for _, soft := range [][]int8{coding.AppendSoft(nil, sent, 60), noise.AppendSoft(nil, sent)} {
					if got, err := d.Decode(nil, soft); err != nil || !bytes.Equal(got, data) {
						t.Errorf("%v, algorithm %d: %v, after %d iterations", n, a, err, d.Iterations())
					}
				}
			}
		}
	}
}

// Short codes round-trip whatever is encoded, with the errors they surely correct.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom(ldpc.Names()[:5]).Draw(t, "code")
		c, err := ldpc.New(n)
		if err != nil {
			t.Fatal(err)
		}
		d, err := ldpc.NewDecoder(c, ldpc.Options{Algorithm: rapid.SampledFrom(both).Draw(t, "algorithm")})
		if err != nil {
			t.Fatal(err)
		}
		data := rapid.SliceOfN(rapid.Byte(), c.DataBits()/8, c.DataBits()/8).Draw(t, "data")
		sent, err := c.Encode(nil, data)
		if err != nil || !c.Valid(sent) {
			t.Fatalf("encoded %x, %v", sent, err)
		}
		soft := coding.AppendSoft(nil, sent, 40)
		for range 3 {
			i := rapid.IntRange(0, len(soft)-1).Draw(t, "place")
			soft[i] = int8(rapid.IntRange(-20, 20).Draw(t, "value"))
		}
		if got, err := d.Decode(nil, soft); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%v: %x, %v; want %x", n, got, err, data)
		}
	})
}

func TestRefuses(t *testing.T) {
	d := newDecoder(t, ldpc.TC64, ldpc.Options{Iterations: 20})
	if _, err := d.Decode(nil, make([]int8, 127)); !errors.Is(err, ldpc.ErrLength) {
		t.Errorf("127 soft bits: %v", err)
	}
	if got, err := d.Decode(nil, make([]int8, 128)); !errors.Is(err, ldpc.ErrNotFound) || len(got) != 0 {
		t.Errorf("nothing known: %x, %v", got, err)
	}
	if _, err := d.Code().Encode(nil, make([]byte, 9)); !errors.Is(err, ldpc.ErrLength) {
		t.Errorf("9 octets: %v", err)
	}
	if _, err := ldpc.New(99); !errors.Is(err, ldpc.ErrName) {
		t.Errorf("code 99: %v", err)
	}
	if _, err := ldpc.ByLength(100, 200); !errors.Is(err, ldpc.ErrName) {
		t.Errorf("code (200,100): %v", err)
	}
	for _, o := range []ldpc.Options{{Algorithm: 7}, {Iterations: -1}, {Scale: -1}} {
		if _, err := ldpc.NewDecoder(d.Code(), o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestNames(t *testing.T) {
	for _, n := range ldpc.Names() {
		c := newCode(t, n)
		again, err := ldpc.ByLength(c.DataBits(), c.Bits())
		if err != nil || again != n || !strings.Contains(n.String(), "(") {
			t.Errorf("%v: by length %v, %v", n, again, err)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	for _, a := range both {
		d := newDecoder(t, ldpc.TC256, ldpc.Options{Algorithm: a})
		sent, err := d.Code().Encode(nil, make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		soft, dst := coding.AppendSoft(nil, sent, 20), make([]byte, 0, 64)
		for i := range 10 {
			soft[7*i] = -9
		}
		if n := testing.AllocsPerRun(10, func() { _, err = d.Decode(dst, soft) }); n != 0 || err != nil {
			t.Errorf("%v allocations a codeword, %v", n, err)
		}
		clear(soft)
		if n := testing.AllocsPerRun(10, func() { _, err = d.Decode(dst, soft) }); n != 0 || err == nil {
			t.Errorf("%v allocations for what is none, %v", n, err)
		}
	}
}

// What a decoder accepts is the information of a codeword near what it was given.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	f.Add(bytes.Repeat([]byte{30, 200}, 64), uint8(1))
	c, err := ldpc.New(ldpc.TC64)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte, algorithm uint8) {
		d, err := ldpc.NewDecoder(c, ldpc.Options{Algorithm: ldpc.Algorithm(algorithm % 2), Iterations: 10})
		if err != nil {
			t.Fatal(err)
		}
		soft := make([]int8, len(raw))
		for i, v := range raw {
			soft[i] = int8(v)
		}
		data, err := d.Decode(nil, soft)
		if err != nil {
			if len(data) != 0 {
				t.Fatal("an error and data")
			}
			return
		}
		again, err := c.Encode(nil, data)
		if err != nil || !c.Valid(again) {
			t.Fatalf("decoded %x, %v", data, err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, n := range []ldpc.Name{ldpc.TC64, ldpc.TM1024R12, ldpc.TM16384R12, ldpc.TM7136R78} {
		b.Run(strings.ReplaceAll(n.String(), " ", ""), func(b *testing.B) {
			c := newCode(b, n)
			data := layertest.Random(rand.New(rand.NewPCG(1, 1)), c.DataBits()/8)
			dst := make([]byte, 0, c.Bits()/8)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := c.Encode(dst, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, x := range []struct {
		n  ldpc.Name
		db float64
	}{{ldpc.TC64, 5}, {ldpc.TC256, 3.5}, {ldpc.TM1024R12, 2}, {ldpc.TM1024R45, 3.5}, {ldpc.TM16384R12, 1.5}, {ldpc.TM7136R78, 4.2}} {
		for _, a := range both {
			b.Run(strings.ReplaceAll(x.n.String(), " ", "")+[]string{"sumproduct", "minsum"}[a], func(b *testing.B) {
				d := newDecoder(b, x.n, ldpc.Options{Algorithm: a})
				c := d.Code()
				noise, err := channel.NewAWGN(1, x.db, c.Ratio())
				if err != nil {
					b.Fatal(err)
				}
				rnd := rand.New(rand.NewPCG(1, 1))
				var words [8][]int8
				for i := range words {
					sent, err := c.Encode(nil, layertest.Random(rnd, c.DataBits()/8))
					if err != nil {
						b.Fatal(err)
					}
					words[i] = noise.AppendSoft(nil, sent)
				}
				dst := make([]byte, 0, c.DataBits()/8)
				b.SetBytes(int64(c.DataBits() / 8))
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if _, err := d.Decode(dst, words[i%8]); err != nil && !errors.Is(err, ldpc.ErrNotFound) {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
