package coding

import "crypto/subtle"

// Both pseudo-randomisers repeat after 255 bits, so after 255 octets. The tables hold
// eight periods, more than any frame needs twice.
var (
	// h(x) = x^8 + x^7 + x^5 + x^3 + 1 (CCSDS 131.0-B-5 §10).
	tmSequence = sequence(func(s byte) byte { return s>>7 ^ s>>5 ^ s>>3 ^ s })
	// h(x) = x^8 + x^6 + x^4 + x^3 + x^2 + x + 1 (CCSDS 231.0-B-4).
	tcSequence = sequence(func(s byte) byte { return s>>6 ^ s>>4 ^ s>>3 ^ s>>2 ^ s>>1 ^ s })
)

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

// RandomiseTC does the same with the telecommand sequence, over the frames of a CLTU
// before BCH encoding, where a mission chooses to.
func RandomiseTC(b []byte) { randomise(b, tcSequence) }

func randomise(b, seq []byte) {
	for len(b) > 0 {
		n := subtle.XORBytes(b, b, seq)
		b = b[n:]
	}
}
