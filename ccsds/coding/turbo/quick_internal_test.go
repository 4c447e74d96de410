package turbo

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The quick passes do to the last bit what the plain ones do.
func TestQuickPasses(t *testing.T) {
	if !hasQuick {
		t.Skip("needs an amd64 processor with AVX2: the quick passes are written for that alone")
	}
	rnd := rand.New(rand.NewPCG(4, 4))
	for _, r := range []rule{logMAP, maxLog} {
		for _, size := range []int{3, 60, knownLimit} {
			const k = 1784
			var plain, quick component
			plain.init(k+tail, r)
			quick.init(k+tail, r)
			for s := range plain.known {
				plain.known[s] = int16(rnd.IntN(2*size+1) - size)
				for i := range plain.coded[s] {
					plain.coded[s][i] = int16(rnd.IntN(2*min(size, 127)+1) - min(size, 127))
				}
			}
			copy(quick.known, plain.known)
			copy(quick.coded, plain.coded)
			plain.forwardsPlain()
			plain.backwardsPlain()
			plain.comparePlain(k)
			quick.decode(k)
			if !slices.Equal(plain.forward, quick.forward) || !slices.Equal(plain.weights, quick.weights) {
				t.Fatalf("rule %+v, size %d: metrics differ", r, size)
			}
			if !slices.Equal(plain.paths, quick.paths) {
				t.Fatalf("rule %+v, size %d: paths differ", r, size)
			}
			if !slices.Equal(plain.extrinsic, quick.extrinsic) {
				t.Fatalf("rule %+v, size %d: what is found differs", r, size)
			}
		}
	}
}

// Metrics modulo 2^16 stay true to those without a modulus, whatever is received.
func TestModulus(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	const steps = 500
	var c component
	c.init(steps, logMAP)
	for s := range steps {
		sign := func() int16 { return int16(2*rnd.IntN(2) - 1) }
		c.known[s], c.coded[s] = sign()*knownLimit, [3]int16{sign() * 127, sign() * 127, sign() * 127}
	}
	c.forwardsPlain()
	var now [states]int
	for s := 1; s < states; s++ {
		now[s] = unlikely
	}
	for s, f := range c.forward {
		for i := range now {
			if now[i]-now[0] != int(f[i]-f[0]) {
				t.Fatalf("time %d: state %d is %d above state 0, modulo 2^16 %d", s, i, now[i]-now[0], f[i]-f[0])
			}
		}
		add := func(a, b int) int { return max(a, b) + max(int(c.rule.knee)-max(a-b, b-a), 0)>>2 }
		var next [states]int
		for i := range half {
			w, v := int(c.weights[s][i]), int(c.weights[s][i+half])
			next[i] = add(now[2*i]+w, now[2*i+1]-w)
			next[i+half] = add(now[2*i]+v, now[2*i+1]-v)
		}
		now = next
	}
}
