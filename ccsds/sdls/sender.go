package sdls

import (
	"fmt"

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

// Apply appends security header, ciphertext and MAC to dst: SA.Overhead octets more
// than data. frameHeader is the primary header, with the frame length already that of
// the protected frame, followed by what stands between it and the security header: the
// segment header of a TC frame, the secondary header of a TM frame, the insert zone of
// an AOS or USLP frame. n is the anti-replay number, at least 1.
func (s *Sender) Apply(dst []byte, spi uint16, vc ccsds.VCID, n uint64, frameHeader, data []byte) ([]byte, error) {
	a := s.sas[spi]
	switch {
	case a == nil:
		return dst, fmt.Errorf("protect frame, SPI %d: %w", spi, ErrSPI)
	case !a.allows(vc):
		return dst, fmt.Errorf("protect frame, SPI %d, virtual channel %d: %w", spi, vc, ErrVC)
	case n == 0 || n > a.limit():
		return dst, fmt.Errorf("protect frame, SPI %d: %w", spi, ErrExhausted)
	}
	at := len(dst)
	dst = a.appendHeader(dst, n)
	header := dst[at:len(dst):len(dst)]
	return a.seal(dst, header, a.aad(frameHeader, header), data), nil
}

// Put adds an association, or puts it in the place of the one with the same SPI.
func (s *Sender) Put(sa SA) error {
	a, err := newAssociation(sa)
	if err != nil {
		return err
	}
	s.sas[sa.SPI] = a
	return nil
}

// Remove forgets an association.
func (s *Sender) Remove(spi uint16) { delete(s.sas, spi) }
