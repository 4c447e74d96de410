package coding

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// Marker is the pattern in front of each frame, a multiple of 32 bits up to 192.
type Marker []byte

// Markers of CCSDS 131.0-B-5 §9, by what follows them.
var (
	// MarkerASM: uncoded, convolutional, Reed–Solomon, concatenated, LDPC of rate 7/8.
	MarkerASM = Marker{0x1A, 0xCF, 0xFC, 0x1D}
	// MarkerLDPC: the AR4JA codes; the start sequence of an LDPC-coded CLTU too.
	MarkerLDPC    = Marker{0x03, 0x47, 0x76, 0xC7, 0x27, 0x28, 0x95, 0xB0}
	MarkerTurbo12 = MarkerLDPC
	MarkerTurbo13 = Marker{0x25, 0xD5, 0xC0, 0xCE, 0x89, 0x90, 0xF6, 0xC9, 0x46, 0x1B, 0xF7, 0x9C}
	MarkerTurbo14 = Marker{0x03, 0x47, 0x76, 0xC7, 0x27, 0x28, 0x95, 0xB0, 0xFC, 0xB8, 0x89, 0x38, 0xD8, 0xD7, 0x6A, 0x4F}
	MarkerTurbo16 = Marker{0x25, 0xD5, 0xC0, 0xCE, 0x89, 0x90, 0xF6, 0xC9, 0x46, 0x1B, 0xF7, 0x9C, 0xDA, 0x2A, 0x3F, 0x31, 0x76, 0x6F, 0x09, 0x36, 0xB9, 0xE4, 0x08, 0x63}
)

// thresholds are the errors to allow in a marker searched and one expected. For markers that are
// longer than the first they keep 4.4 and 3 standard deviations from what noise agrees
// with by chance.
func (m Marker) thresholds() (search, lock int) {
	n := 8 * len(m)
	if n <= 32 {
		return 3, 6
	}
	root := math.Sqrt(float64(n))
	return int(float64(n)/2 - 2.2*root), int(float64(n)/2 - 1.5*root)
}

// marker is a Marker ready to be compared.
type marker struct {
	bits uint64
	word [3]uint64
	mask [3]uint64
	n    int // words
}

func (m Marker) words() (marker, error) {
	if len(m) == 0 || len(m)%4 != 0 || len(m) > 24 {
		return marker{}, fmt.Errorf("marker of %d octets, want a multiple of 4 up to 24", len(m))
	}
	w := marker{bits: 8 * uint64(len(m)), n: (len(m) + 7) / 8}
	for i := range w.n {
		var b, mask [8]byte
		for k := range copy(b[:], m[8*i:]) {
			mask[k] = 0xFF
		}
		w.word[i], w.mask[i] = binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(mask[:])
	}
	return w, nil
}

// errors counts the bits from pos on that differ from the marker.
func (m *marker) errors(b *bitBuffer, pos uint64) int {
	n := bits.OnesCount64((b.word(pos) ^ m.word[0]) & m.mask[0])
	for i := 1; i < m.n; i++ {
		n += bits.OnesCount64((b.word(pos+64*uint64(i)) ^ m.word[i]) & m.mask[i])
	}
	return n
}
