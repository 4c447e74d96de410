package coding_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

func newRS(t testing.TB, e, depth int, dual bool) *coding.RS {
	t.Helper()
	rs, err := coding.NewRS(e, depth, dual)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// hurt changes exactly n symbols of one codeword.
func hurt(rnd *rand.Rand, block []byte, depth, word, n int) {
	for _, place := range rnd.Perm(len(block) / depth)[:n] {
		block[place*depth+word] ^= byte(1 + rnd.IntN(255))
	}
}

func TestReedSolomonParameters(t *testing.T) {
	for _, c := range []struct{ e, depth int }{{4, 1}, {16, 0}, {16, 6}, {16, 7}, {8, 9}} {
		if _, err := coding.NewRS(c.e, c.depth, true); err == nil {
			t.Errorf("E=%d I=%d is accepted", c.e, c.depth)
		}
	}
	rs := newRS(t, 16, 5, true)
	if rs.DataLength() != 1115 || rs.BlockLength() != 1275 || rs.CheckLength() != 160 {
		t.Errorf("I=5: %d data, %d block, %d check octets", rs.DataLength(), rs.BlockLength(), rs.CheckLength())
	}
	for _, n := range []int{0, 1114, 1116, 1120} {
		if _, err := rs.Encode(nil, make([]byte, n)); err == nil {
			t.Errorf("encodes %d octets at I=5", n)
		}
	}
	for _, n := range []int{0, 160, 1274, 1280} {
		if _, err := rs.Decode(make([]byte, n)); err == nil {
			t.Errorf("decodes %d octets at I=5", n)
		}
	}
}

// Any errors up to E in each codeword are corrected, also in shortened blocks.
func TestReedSolomonCorrects(t *testing.T) {
	codes := map[string]*coding.RS{}
	for _, e := range []int{8, 16} {
		for _, depth := range []int{1, 2, 3, 4, 5, 8} {
			for _, dual := range []bool{false, true} {
				codes[fmt.Sprint(e, depth, dual)] = newRS(t, e, depth, dual)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom([]int{8, 16}).Draw(t, "e")
		depth := rapid.SampledFrom([]int{1, 2, 3, 4, 5, 8}).Draw(t, "depth")
		rs := codes[fmt.Sprint(e, depth, rapid.Bool().Draw(t, "dual"))]
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		data := layertest.Random(rnd, depth*rapid.IntRange(1, 255-2*e).Draw(t, "symbols"))
		block, err := rs.Encode(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		sent, total := bytes.Clone(block), 0
		for word := range depth {
			n := rapid.IntRange(0, min(e, len(block)/depth)).Draw(t, "errors")
			hurt(rnd, block, depth, word, n)
			total += n
		}
		n, err := rs.Decode(block)
		if err != nil || n != total || !bytes.Equal(block, sent) {
			t.Fatalf("%d errors: corrected %d, %v", total, n, err)
		}
	})
}

// One error too many must be refused. A decoder that corrects E errors takes a random
// word for a codeword with probability near 1/E!, 5e-14 for 16 and 2.5e-5 for 8.
func TestReedSolomonRefuses(t *testing.T) {
	rnd := rand.New(rand.NewPCG(17, 0))
	for _, c := range []struct{ e, trials, allowed int }{{16, 3000, 0}, {8, 3000, 2}} {
		rs := newRS(t, c.e, 1, true)
		wrong := 0
		for range c.trials {
			block, _ := rs.Encode(nil, layertest.Random(rnd, rs.DataLength()))
			hurt(rnd, block, 1, 0, c.e+1+rnd.IntN(20))
			before := bytes.Clone(block)
			if _, err := rs.Decode(block); err == nil {
				wrong++
			} else if !errors.Is(err, coding.ErrUncorrectable) || !bytes.Equal(block, before) {
				t.Fatalf("E=%d: refused with %v, block changed: %t", c.e, err, !bytes.Equal(block, before))
			}
		}
		if wrong > c.allowed {
			t.Errorf("E=%d: %d of %d words beyond repair were repaired", c.e, wrong, c.trials)
		}
	}
}

// A codeword beyond repair leaves its neighbours repaired.
func TestReedSolomonOtherCodewords(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 0))
	rs := newRS(t, 16, 5, true)
	data := layertest.Random(rnd, rs.DataLength())
	block, _ := rs.Encode(nil, data)
	for word, n := range []int{16, 1, 17, 0, 9} {
		hurt(rnd, block, 5, word, n)
	}
	n, err := rs.Decode(block)
	if n != 26 || !errors.Is(err, coding.ErrUncorrectable) {
		t.Fatalf("corrected %d, %v; want 26 and ErrUncorrectable", n, err)
	}
	for i, v := range data {
		if i%5 != 2 && block[i] != v {
			t.Fatalf("octet %d of a good codeword is wrong", i)
		}
	}
}

// What a decoder accepts is a codeword: encoding its data gives its check symbols.
func FuzzRSDecode(f *testing.F) {
	rs := newRS(f, 16, 1, true)
	good, _ := rs.Encode(nil, []byte("perilune"))
	f.Add(good)
	good[3] ^= 0xFF
	f.Add(good)
	f.Add(make([]byte, 255))
	f.Fuzz(func(t *testing.T, block []byte) {
		if _, err := rs.Decode(block); err != nil {
			return
		}
		again, err := rs.Encode(nil, block[:len(block)-32])
		if err != nil || !bytes.Equal(again, block) {
			t.Fatalf("accepted what is no codeword (%v)", err)
		}
	})
}

func BenchmarkRSEncode(b *testing.B) {
	rs := newRS(b, 16, 5, true)
	data := layertest.Random(rand.New(rand.NewPCG(1, 1)), rs.DataLength())
	dst := make([]byte, 0, rs.BlockLength())
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := rs.Encode(dst, data); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkRSDecode(b *testing.B, errs int) {
	rnd := rand.New(rand.NewPCG(1, 1))
	rs := newRS(b, 16, 5, true)
	good, err := rs.Encode(nil, layertest.Random(rnd, rs.DataLength()))
	if err != nil {
		b.Fatal(err)
	}
	bad := bytes.Clone(good)
	for word := range 5 {
		hurt(rnd, bad, 5, word, errs)
	}
	block := make([]byte, len(bad))
	b.SetBytes(int64(len(bad)))
	b.ReportAllocs()
	for b.Loop() {
		copy(block, bad)
		if n, err := rs.Decode(block); n != 5*errs || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkRSDecode0Errors(b *testing.B)  { benchmarkRSDecode(b, 0) }
func BenchmarkRSDecode8Errors(b *testing.B)  { benchmarkRSDecode(b, 8) }
func BenchmarkRSDecode16Errors(b *testing.B) { benchmarkRSDecode(b, 16) }
