package ldpc

import "math"

// The sum of two bits with log-likelihood ratios a and b has
//
//	sign(a)·sign(b)·min(|a|,|b|) + ln(1+e^-|a+b|) - ln(1+e^-|a-b|)
//
// correction holds ln(1+e^-x) at steps of 1/correctionSteps, each at its middle.
const (
	correctionSteps = 32
	correctionRange = 8
)

var correction = func() (t [correctionSteps*correctionRange + 1]float32) {
	for i := range t[:len(t)-1] {
		t[i] = float32(math.Log1p(math.Exp(-(float64(i) + 0.5) / correctionSteps)))
	}
	return t // 0 at the end: nothing to correct
}()

func correct(bits uint32) float32 {
	x := math.Float32frombits(bits &^ (1 << 31))
	return correction[uint32(min(x, correctionRange)*correctionSteps)]
}

// boxPlus returns the log-likelihood ratio of the sum of two bits.
func boxPlus(a, b float32) float32 {
	x, y := math.Float32bits(a), math.Float32bits(b)
	size := min(math.Float32frombits(x&^(1<<31)), math.Float32frombits(y&^(1<<31)))
	sign := (x ^ y) & (1 << 31)
	v := math.Float32frombits(math.Float32bits(size) | sign)
	return v + correct(math.Float32bits(a+b)) - correct(math.Float32bits(a-b))
}
