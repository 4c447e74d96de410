package sdls

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"slices"

	"github.com/perilune/perilune/ccsds"
)

// Why a frame is refused; each is counted apart by the caller.
var (
	ErrTruncated = errors.New("sdls: too short for header and MAC")
	ErrSPI       = errors.New("sdls: no security association with this SPI")
	ErrVC        = errors.New("sdls: security association is not for this virtual channel")
	ErrForged    = errors.New("sdls: MAC does not match")
	ErrReplayed  = errors.New("sdls: anti-replay number already used")
)

// Why an association cannot be made or used.
var (
	ErrBadSA     = errors.New("sdls: bad security association")
	ErrExhausted = errors.New("sdls: counter is used up")
)

// MaxWindow is the largest anti-replay window in frames.
const MaxWindow = 256

// headerMask is the default authentication mask over the TC primary header and the
// segment header. The frame sequence number (octet 4) is left out: the security
// function runs before FOP-1 has any say in it (CCSDS 355.0-B-2 §3.2.2).
var headerMask = [6]byte{0xff, 0xff, 0xff, 0xff, 0x00, 0xff}

// SA is a security association: key and rules behind one SPI (§3.2.1).
type SA struct {
	SPI uint16 // 1..65534: 0 and 65535 are reserved (§4.1.1.2)
	Key [32]byte
	VCs []ccsds.VCID // virtual channels it may protect
	// Window is how far below the highest number a frame may still be taken,
	// once; 0 asks for strictly rising numbers. At most MaxWindow.
	Window int
	// Mask selects by AND the bits of the headers of a frame that are authenticated:
	// primary header, and secondary header, insert zone or segment header behind it;
	// nil is the default mask for TC. Octets beyond it are not.
	Mask      []byte
	Service   Service
	Algorithm Algorithm
	Layout    Layout // zero: DefaultLayout
	// AnyIV takes vectors of a sender that does not put the SPI in front of its counter
	// and makes its own with zeros there. The key must then serve no other association.
	AnyIV bool
}

// Overhead is what protection under this association adds to a frame, in octets.
func (sa SA) Overhead() int {
	if sa.Layout == (Layout{}) {
		return DefaultLayout(sa.Algorithm, sa.Service).Overhead()
	}
	return sa.Layout.Overhead()
}

// association is an SA ready for use.
type association struct {
	SA
	block cipher.Block
	aead  cipher.AEAD // nil where the cipher is used without its MAC
}

func newAssociation(sa SA) (*association, error) {
	if sa.SPI == 0 || sa.SPI == 0xffff {
		return nil, fmt.Errorf("%w: SPI %d is reserved", ErrBadSA, sa.SPI)
	}
	if sa.Window < 0 || sa.Window > MaxWindow {
		return nil, fmt.Errorf("%w: SPI %d: window %d outside 0..%d", ErrBadSA, sa.SPI, sa.Window, MaxWindow)
	}
	if sa.Key == [32]byte{} {
		return nil, fmt.Errorf("%w: SPI %d: key is all zeros", ErrBadSA, sa.SPI)
	}
	if sa.Mask == nil {
		sa.Mask = headerMask[:]
	}
	if sa.Layout == (Layout{}) {
		sa.Layout = DefaultLayout(sa.Algorithm, sa.Service)
	}
	if err := sa.checkSuite(); err != nil {
		return nil, err
	}
	a := &association{SA: sa}
	if err := a.start(); err != nil {
		return nil, fmt.Errorf("sdls: SPI %d: %w", sa.SPI, err)
	}
	return a, nil
}

func associations(sas []SA) (map[uint16]*association, error) {
	out := make(map[uint16]*association, len(sas))
	for _, sa := range sas {
		if out[sa.SPI] != nil {
			return nil, fmt.Errorf("%w: SPI %d twice", ErrBadSA, sa.SPI)
		}
		a, err := newAssociation(sa)
		if err != nil {
			return nil, err
		}
		out[sa.SPI] = a
	}
	return out, nil
}

func (a *association) allows(vc ccsds.VCID) bool { return slices.Contains(a.VCs, vc) }

// aad is the authenticated part before the data: masked frame headers, then the
// security header (§4.2.3.2).
func (a *association) aad(frameHeader, securityHeader []byte) []byte {
	out := make([]byte, 0, len(frameHeader)+len(securityHeader))
	for i, b := range frameHeader {
		var m byte
		if i < len(a.Mask) {
			m = a.Mask[i]
		}
		out = append(out, b&m)
	}
	return append(out, securityHeader...)
}
