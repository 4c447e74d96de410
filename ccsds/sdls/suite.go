package sdls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math"
)

// Service is what an association does for its frames (CCSDS 355.0-B-2 §2.2).
type Service uint8

// The security services.
const (
	AuthenticatedEncryption Service = 0
	Authentication          Service = 1
	Encryption              Service = 2 // nothing is authenticated, so replays pass too
)

// Algorithm is the cipher of an association, always with a key of 256 bits.
type Algorithm uint8

// The algorithms.
const (
	AESGCM  Algorithm = 0
	AESCMAC Algorithm = 1 // authentication only
)

// Layout says how long the fields of security header and trailer are, in octets (§4.1).
// Behind the SPI come the initialisation vector, the sequence number and the pad length.
type Layout struct {
	IV  int // 12 with AES-GCM, 0 with AES-CMAC
	SN  int // 0, or 2 to 8: the anti-replay number; without it the vector carries it
	Pad int // 0 to 2; nothing is ever padded, so the field is zero
	MAC int // 12 to 16 with AES-GCM, 8 to 16 with AES-CMAC, 0 with encryption alone
}

const spiLength = 2

// Header is the security header in octets.
func (l Layout) Header() int { return spiLength + l.IV + l.SN + l.Pad }

// Overhead is what protection adds to a frame, in octets.
func (l Layout) Overhead() int { return l.Header() + l.MAC }

// DefaultLayout is that of the book's baseline modes (355.0-B-2 annex E): AES-GCM with a
// vector and no sequence number, AES-CMAC with a sequence number of 32 bits.
func DefaultLayout(a Algorithm, s Service) Layout {
	switch {
	case a == AESCMAC:
		return Layout{SN: 4, MAC: TrailerLength}
	case s == Encryption:
		return Layout{IV: ivLength}
	}
	return Layout{IV: ivLength, MAC: TrailerLength}
}

func (sa *SA) checkSuite() error {
	l := sa.Layout
	bad := func(what string) error { return fmt.Errorf("%w: SPI %d: %s", ErrBadSA, sa.SPI, what) }
	switch {
	case sa.Service > Encryption || sa.Algorithm > AESCMAC:
		return bad("no such service or algorithm")
	case sa.Algorithm == AESCMAC && sa.Service != Authentication:
		return bad("AES-CMAC only authenticates")
	case sa.Algorithm == AESGCM && l.IV != ivLength || sa.Algorithm == AESCMAC && l.IV != 0:
		return bad(fmt.Sprintf("vector of %d octets", l.IV))
	case l.SN != 0 && (l.SN < 2 || l.SN > 8) || l.SN == 0 && l.IV == 0:
		return bad(fmt.Sprintf("sequence number of %d octets", l.SN))
	case l.Pad < 0 || l.Pad > 2:
		return bad(fmt.Sprintf("pad length of %d octets", l.Pad))
	case sa.Service == Encryption && l.MAC != 0:
		return bad("encryption alone has no MAC")
	case sa.Service != Encryption && (l.MAC > TrailerLength || l.MAC < 8 || sa.Algorithm == AESGCM && l.MAC < 12):
		return bad(fmt.Sprintf("MAC of %d octets", l.MAC))
	}
	return nil
}

// start makes the cipher ready.
func (a *association) start() (err error) {
	if a.block, err = aes.NewCipher(a.Key[:]); err != nil {
		return err
	}
	if a.Algorithm == AESGCM && a.Service != Encryption {
		a.aead, err = cipher.NewGCMWithTagSize(a.block, a.Layout.MAC)
	}
	return err
}

// limit is the largest anti-replay number.
func (a *association) limit() uint64 {
	if a.Layout.SN > 0 && a.Layout.SN < 8 {
		return 1<<(8*a.Layout.SN) - 1
	}
	return math.MaxUint64 - 1
}

// appendHeader appends the security header of frame n.
func (a *association) appendHeader(dst []byte, n uint64) []byte {
	dst = binary.BigEndian.AppendUint16(dst, a.SPI)
	if a.Layout.IV > 0 {
		dst = binary.BigEndian.AppendUint32(dst, a.fixed())
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	for i := a.Layout.SN - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return append(dst, make([]byte, a.Layout.Pad)...)
}

// fixed is the high part of the vectors that this side makes.
func (a *association) fixed() uint32 {
	if a.AnyIV {
		return 0
	}
	return uint32(a.SPI)
}

// number reads the anti-replay number of a security header.
func (a *association) number(header []byte) (n uint64) {
	from := spiLength + a.Layout.IV
	to := from + a.Layout.SN
	if a.Layout.SN == 0 {
		from = to - 8
	}
	for _, b := range header[from:to] {
		n = n<<8 | uint64(b)
	}
	return n
}

// strange reports a header that no sender of this association makes.
func (a *association) strange(header []byte) bool {
	if a.Layout.IV > 0 && !a.AnyIV && binary.BigEndian.Uint32(header[spiLength:]) != uint32(a.SPI) {
		return true
	}
	for _, b := range header[len(header)-a.Layout.Pad:] {
		if b != 0 {
			return true
		}
	}
	return false
}

// seal appends data, protected, and the MAC to dst.
func (a *association) seal(dst, header, aad, data []byte) []byte {
	iv := header[spiLength : spiLength+a.Layout.IV]
	switch {
	case a.Algorithm == AESCMAC:
		mac := cmac(a.block, aad, data)
		return append(append(dst, data...), mac[:a.Layout.MAC]...)
	case a.Service == Encryption:
		return a.stream(dst, iv, data)
	case a.Service == Authentication:
		dst = append(dst, data...)
		return a.aead.Seal(dst, iv, nil, append(aad, data...))
	}
	return a.aead.Seal(dst, iv, data, aad)
}

// open returns the data of a sealed field in new memory; ok says that the MAC holds.
func (a *association) open(header, aad, field []byte) (data []byte, ok bool) {
	iv := header[spiLength : spiLength+a.Layout.IV]
	text, mac := field[:len(field)-a.Layout.MAC], field[len(field)-a.Layout.MAC:]
	switch {
	case a.Algorithm == AESCMAC:
		want := cmac(a.block, aad, text)
		return append([]byte{}, text...), subtle.ConstantTimeCompare(want[:a.Layout.MAC], mac) == 1
	case a.Service == Encryption:
		return a.stream(nil, iv, text), true
	case a.Service == Authentication:
		_, err := a.aead.Open(nil, iv, mac, append(aad, text...))
		return append([]byte{}, text...), err == nil
	}
	data, err := a.aead.Open(nil, iv, field, aad)
	return data, err == nil
}

// stream is what AES-GCM does to data: counter mode from block 2 on.
func (a *association) stream(dst, iv, data []byte) []byte {
	var counter [blockLength]byte
	copy(counter[:], iv)
	counter[blockLength-1] = 2
	at := len(dst)
	dst = append(dst, data...)
	cipher.NewCTR(a.block, counter[:]).XORKeyStream(dst[at:], data)
	return dst
}
