package sdls

import (
	"fmt"
	"math"

	"github.com/perilune/perilune/ccsds"
)

// Sender applies security (CCSDS 355.0-B-2 §3.2.2, ApplySecurity). It keeps no
// counter: the caller hands in numbers that are never used twice.
type Sender struct {
	sas map[uint16]*association
}

// NewSender returns a Sender for the given associations.
func NewSender(sas []SA) (*Sender, error) {
	m, err := associations(sas)
	if err != nil {
		return nil, err
	}
	return &Sender{sas: m}, nil
}

// Apply appends security header, ciphertext and MAC to dst: Overhead octets more
// than data. frameHeader is the TC primary header, with the frame length already
// that of the protected frame, followed by the segment header if there is one. n
// is the anti-replay number, at least 1.
func (s *Sender) Apply(dst []byte, spi uint16, vc ccsds.VCID, n uint64, frameHeader, data []byte) ([]byte, error) {
	a := s.sas[spi]
	switch {
	case a == nil:
		return dst, fmt.Errorf("protect frame, SPI %d: %w", spi, ErrSPI)
	case !a.allows(vc):
		return dst, fmt.Errorf("protect frame, SPI %d, virtual channel %d: %w", spi, vc, ErrVC)
	case n == 0 || n == math.MaxUint64:
		return dst, fmt.Errorf("protect frame, SPI %d: %w", spi, ErrExhausted)
	}
	at := len(dst)
	dst = appendHeader(dst, spi, n)
	header := dst[at : at+HeaderLength]
	return a.aead.Seal(dst, header[HeaderLength-ivLength:], data, a.aad(frameHeader, header)), nil
}
