package coding

import (
	"crypto/subtle"
	"sync"
)

// The pseudo-randomisers of 8 bits repeat after 255 bits, so after 255 octets. The tables hold
// eight periods, more than any frame needs twice.
var (
	// h(x) = x^8 + x^7 + x^5 + x^3 + 1 (CCSDS 131.0-B-5 §10).
	tmSequence = sequence(func(s byte) byte { return s>>7 ^ s>>5 ^ s>>3 ^ s })
	// h(x) = x^8 + x^6 + x^4 + x^3 + x^2 + x + 1 (CCSDS 231.0-B-4).
	tcSequence = sequence(func(s byte) byte { return s>>6 ^ s>>4 ^ s>>3 ^ s>>2 ^ s>>1 ^ s })
)

// longSequence is made at its first use. It repeats after 131071 bits, longer than any
// frame here: the table holds 131071 octets, so that it repeats as octets as well.
var longSequence = sync.OnceValue(func() []byte {
	// h(x) = x^17 + x^14 + 1 (CCSDS 131.0-B-5 §10): bit n+17 is bit n+14 plus bit n.
	// The register is set to 11000111000111000, whose last bit leaves first.
	out := make([]byte, 1<<17-1)
	s := uint32(0b11000111000111000)
	for i := range out {
		for range 8 {
			out[i] = out[i]<<1 | byte(s&1)
			s = s>>1 | (s^s>>14)&1<<16
		}
	}
	return out
})

// sequence runs an 8-bit register from all ones. It holds the next eight bits to leave,
// the first in its bit 0; feedback gives the one to come after them in its bit 0.
func sequence(feedback func(byte) byte) []byte {
	out := make([]byte, 8*255)
	s := byte(0xFF)
	for i := range out {
		for range 8 {
			out[i] = out[i]<<1 | s&1
			s = s>>1 | feedback(s)<<7
		}
	}
	return out
}

// Randomise adds the telemetry pseudo-random sequence to b in place, from its beginning:
// a second call takes it away again. A CADU's sync marker is not randomised.
func Randomise(b []byte) { randomise(b, tmSequence) }

// RandomiseTC does the same with the telecommand sequence: over the frames of a CLTU before
// BCH encoding, where a mission chooses to, and over each LDPC codeword by itself.
func RandomiseTC(b []byte) { randomise(b, tcSequence) }

// RandomiseLong adds the sequence of 131071 bits to b in place, which later issues of the
// book prefer to that of 255, from its beginning.
func RandomiseLong(b []byte) { randomise(b, longSequence()) }

// RandomiseSoft is Randomise for soft bits: it turns those over where the sequence has a one.
func RandomiseSoft(soft []int8) { flipSoft(soft, tmSequence) }

// RandomiseLongSoft is RandomiseLong for soft bits.
func RandomiseLongSoft(soft []int8) { flipSoft(soft, longSequence()) }

// RandomiseTCSoft is RandomiseTC for soft bits.
func RandomiseTCSoft(soft []int8) { flipSoft(soft, tcSequence) }

func randomise(b, seq []byte) {
	for len(b) > 0 {
		n := subtle.XORBytes(b, b, seq)
		b = b[n:]
	}
}
