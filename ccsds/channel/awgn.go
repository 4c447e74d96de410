package channel

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// AWGN is a channel with additive white Gaussian noise behind BPSK: each bit is a symbol
// of +1 for 0 and -1 for 1, and comes out as a soft value. It is pure and deterministic by
// its seed, and not for several goroutines.
type AWGN struct {
	rnd   *rand.Rand
	sigma float64 // standard deviation of the noise
	llr   float32 // log-likelihood ratio of a received value of 1
}

// NewAWGN returns a channel with the given ratio Eb/N0 in dB for a code of the given rate,
// information bits for each symbol sent: Es/N0 = rate·Eb/N0, and the noise has the
// variance N0/(2 Es).
func NewAWGN(seed uint64, ebn0dB, rate float64) (*AWGN, error) {
	if !(ebn0dB >= -30 && ebn0dB <= 60) {
		return nil, fmt.Errorf("channel: Eb/N0 of %g dB, want -30 to 60", ebn0dB)
	}
	if !(rate > 0 && rate <= 1) {
		return nil, fmt.Errorf("channel: code rate %g, want above 0 and up to 1", rate)
	}
	variance := 1 / (2 * rate * math.Pow(10, ebn0dB/10))
	return &AWGN{
		rnd:   rand.New(rand.NewPCG(seed, 4)),
		sigma: math.Sqrt(variance),
		llr:   float32(2 / variance),
	}, nil
}

// Sigma is the standard deviation of the noise on a symbol of size 1.
func (a *AWGN) Sigma() float64 { return a.sigma }

// AppendLLR sends the bits of octets, most significant first, and appends the
// log-likelihood ratio ln(P(0)/P(1)) of each to dst.
func (a *AWGN) AppendLLR(dst []float32, octets []byte) []float32 {
	for _, v := range octets {
		for range 8 {
			dst = append(dst, a.llr*a.symbol(v))
			v <<= 1
		}
	}
	return dst
}

// AppendSoft does the same with soft bits as ccsds/coding takes them: eighths of the
// log-likelihood ratio, positive for 0, cut to ±127.
func (a *AWGN) AppendSoft(dst []int8, octets []byte) []int8 {
	scale := 8 * a.llr
	for _, v := range octets {
		for range 8 {
			dst = append(dst, quantise(scale*a.symbol(v)))
			v <<= 1
		}
	}
	return dst
}

// symbol sends the most significant bit of v.
func (a *AWGN) symbol(v byte) float32 {
	noise := float32(a.sigma * a.rnd.NormFloat64())
	if v&0x80 != 0 {
		return noise - 1
	}
	return noise + 1
}

// quantise rounds to the nearest step, away from 0 at the halves.
func quantise(x float32) int8 {
	switch {
	case x >= 127:
		return 127
	case x <= -127:
		return -127
	case x < 0:
		return int8(x - 0.5)
	}
	return int8(x + 0.5)
}
