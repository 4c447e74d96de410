package channel_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/perilune/perilune/ccsds/channel"
)

func newAWGN(t testing.TB, seed uint64, db, rate float64) *channel.AWGN {
	t.Helper()
	a, err := channel.NewAWGN(seed, db, rate)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Hard decisions are wrong as often as theory says: Q(sqrt(2·rate·Eb/N0)).
func TestAWGNErrorRate(t *testing.T) {
	for _, c := range []struct{ db, rate float64 }{{0, 1}, {4, 1}, {2, 0.5}, {0.7, 1.0 / 3}} {
		soft := newAWGN(t, 1, c.db, c.rate).AppendSoft(nil, make([]byte, 1<<16))
		wrong := 0
		for _, s := range soft {
			switch {
			case s < 0:
				wrong += 2
			case s == 0:
				wrong++
			}
		}
		n := float64(len(soft))
		want := n * math.Erfc(math.Sqrt(c.rate*math.Pow(10, c.db/10))) / 2
		if got := float64(wrong) / 2; math.Abs(got-want) > 5*math.Sqrt(want) {
			t.Errorf("%.1f dB at rate %.2f: %.0f wrong bits of %.0f, want near %.0f", c.db, c.rate, got, n, want)
		}
	}
}

// Log-likelihood ratios mean what they say: of the bits received with a ratio near L, one
// in 1+e^L is wrong. Their mean is 4·Es/N0 and their variance twice that.
func TestAWGNRatios(t *testing.T) {
	llr := newAWGN(t, 2, 1, 0.5).AppendLLR(nil, make([]byte, 1<<17))
	var sum, squares float64
	bins := map[int][2]int{}
	for _, v := range llr {
		sum, squares = sum+float64(v), squares+float64(v)*float64(v)
		bin := int(math.Round(math.Abs(float64(v)) * 2))
		b := bins[bin]
		b[0]++
		if v < 0 {
			b[1]++
		}
		bins[bin] = b
	}
	n, want := float64(len(llr)), 4*0.5*math.Pow(10, 0.1)
	mean := sum / n
	if variance := squares/n - mean*mean; math.Abs(mean-want) > 0.02 || math.Abs(variance-2*want) > 0.05 {
		t.Errorf("mean %.3f and variance %.3f, want %.3f and %.3f", mean, variance, want, 2*want)
	}
	for bin := 1; bin < 8; bin++ {
		b := bins[bin]
		expect := float64(b[0]) / (1 + math.Exp(float64(bin)/2))
		if math.Abs(float64(b[1])-expect) > 6*math.Sqrt(expect)+0.03*expect {
			t.Errorf("ratio %.1f: %d of %d wrong, want near %.0f", float64(bin)/2, b[1], b[0], expect)
		}
	}
}

// The same seed gives the same noise, in pieces of any size; soft bits are the ratios in
// eighths, and the sign follows the bits.
func TestAWGNDeterministic(t *testing.T) {
	data := bytes.Repeat([]byte{0x35, 0xF0, 0x00}, 100)
	a, b := newAWGN(t, 9, 3, 0.5), newAWGN(t, 9, 3, 0.5)
	whole := a.AppendSoft(nil, data)
	var pieces []int8
	for i := range data {
		pieces = b.AppendSoft(pieces, data[i:i+1])
	}
	if !slices.Equal(whole, pieces) {
		t.Error("pieces get other noise")
	}
	for i, l := range newAWGN(t, 9, 3, 0.5).AppendLLR(nil, data) {
		if want := max(min(8*float64(l), 127), -127); math.Abs(want-float64(whole[i])) > 0.51 {
			t.Fatalf("bit %d: ratio %g is soft bit %d", i, l, whole[i])
		}
	}
	if slices.Equal(whole, newAWGN(t, 10, 3, 0.5).AppendSoft(nil, data)) {
		t.Error("another seed gives the same noise")
	}
	clean := newAWGN(t, 1, 40, 1)
	for i, s := range clean.AppendSoft(nil, data) {
		if bit := data[i/8] >> (7 - i%8) & 1; int(s) != 127-254*int(bit) {
			t.Fatalf("bit %d is %d and came as %d", i, bit, s)
		}
	}
	if clean.Sigma() > 0.01 {
		t.Errorf("sigma %g at 40 dB", clean.Sigma())
	}
}

func TestAWGNRefuses(t *testing.T) {
	for _, c := range [][2]float64{{math.NaN(), 1}, {99, 1}, {1, 0}, {1, 1.1}, {1, math.NaN()}} {
		if _, err := channel.NewAWGN(1, c[0], c[1]); err == nil {
			t.Errorf("Eb/N0 %g dB, rate %g is accepted", c[0], c[1])
		}
	}
}

func BenchmarkAWGN(b *testing.B) {
	a := newAWGN(b, 1, 3, 0.5)
	in, dst := make([]byte, 1024), make([]int8, 0, 8192)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		a.AppendSoft(dst, in)
	}
}
