package ldpc

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The quick passes do to the last bit what the plain ones do, on noise of every size.
func TestQuickPass(t *testing.T) {
	if !hasQuick {
		t.Skip("needs an amd64 processor with AVX2: the quick passes are written for that alone")
	}
	for _, n := range Names() {
		c, err := New(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []Algorithm{SumProduct, MinSum} {
			var two [2]*Decoder
			for i := range two {
				if two[i], err = NewDecoder(c, Options{Algorithm: a}); err != nil {
					t.Fatal(err)
				}
			}
			plain, quick := two[0], two[1]
			rnd := rand.New(rand.NewPCG(uint64(n), uint64(a)))
			soft := make([]int8, c.Bits())
			for i := range soft {
				soft[i] = int8(rnd.IntN(8+int(n)*20)) >> (rnd.IntN(4))
			}
			plain.load(soft)
			quick.load(soft)
			for round := range 6 {
				for i := range plain.layers {
					plain.passPlain(&plain.layers[i])
					quick.pass(&quick.layers[i])
					for at := 0; at < len(plain.belief); at += c.shape.stride() {
						if p, q := plain.belief[at:][:2*c.shape.size], quick.belief[at:][:2*c.shape.size]; !slices.Equal(p, q) {
							t.Fatalf("%v, algorithm %d, round %d, layer %d: beliefs differ", n, a, round, i)
						}
					}
					if quick.meets(&quick.layers[i]) != plain.meetsPlain(&plain.layers[i]) {
						t.Fatalf("%v, algorithm %d, round %d, layer %d: one has its checks met", n, a, round, i)
					}
				}
			}
		}
	}
}
