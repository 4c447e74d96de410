package conv

import (
	"math/rand/v2"
	"testing"
)

// The quick steps do to the last bit what the plain ones do.
func TestSixSteps(t *testing.T) {
	if !hasSix {
		t.Log("this machine has only the plain steps")
		return
	}
	for _, r := range []Rate{Rate12, Rate34} {
		plain, err := NewDecoder(r, Options{})
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(1, uint64(r)))
		quick := *plain
		for range 50 {
			pairs := make([]uint8, 2*phases*(1+rnd.IntN(9)))
			for i := range pairs {
				pairs[i] = uint8(rnd.IntN(levels))
			}
			got := make([]uint64, len(pairs)/2)
			sixSteps(&quick.metrics, quick.tables, &sizes, &pairs[0], &got[0], len(got)/phases)
			for i, v := range got {
				if want := plain.step(i%phases, pairs[2*i], pairs[2*i+1]); v != want {
					t.Fatalf("bit %d: decisions %016x, want %016x", i, v, want)
				}
			}
			if plain.metrics != quick.metrics {
				t.Fatal("metrics differ")
			}
		}
	}
}

// No two metrics get further apart than comparing modulo 256 allows, whatever is received.
func TestSpread(t *testing.T) {
	d, err := NewDecoder(Rate12, Options{})
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(2, 2))
	for i := range 200000 {
		l0, l1 := uint8(rnd.IntN(2)*(levels-1)), uint8(rnd.IntN(2)*(levels-1))
		d.step(i%phases, l0, l1)
		best := d.best()
		low := uint8(d.metrics[best/8] >> (best % 8 * 8))
		for p := range 64 {
			if v := uint8(d.metrics[p/8]>>(p%8*8)) - low; v > 8*maxSymbol {
				t.Fatalf("bit %d: place %d is %d behind", i, p, v)
			}
		}
	}
}
