package sdls

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/perilune/perilune/ccsds"
)

// MaxAssociations bounds what a Manager holds.
const MaxAssociations = 256

// maxMask is the longest authentication mask of a created association, in octets.
const maxMask = 256

// cipherSuite is how PDUs name the algorithm of an encryption or authentication cipher
// suite, by one octet. The book leaves the numbers to the mission.
const cipherSuite = 1

// CreatePDU is the command that makes an association without a key (§5.5.2). Of sa it
// carries SPI, service, algorithm, layout, mask and window; its channels come with StartPDU.
//
//	SPI 16 | EST 1 | AST 1 | IV 6 | SN 6 | PL 2 | MAC 8    lengths in header and trailer
//	length 8 | encryption cipher suite
//	length 8 | initialisation vector
//	length 8 | authentication cipher suite
//	length 16 | authentication mask
//	length 8 | anti-replay number
//	length 8 | anti-replay window
func CreatePDU(sa SA) (PDU, error) {
	if sa.Layout == (Layout{}) {
		sa.Layout = DefaultLayout(sa.Algorithm, sa.Service)
	}
	if err := checkCreated(sa); err != nil {
		return PDU{}, err
	}
	l := sa.Layout
	services := byte(l.IV)
	if sa.Service != Authentication {
		services |= 0x80
	}
	if sa.Service != Encryption {
		services |= 0x40
	}
	d := binary.BigEndian.AppendUint16(nil, sa.SPI)
	d = append(d, services, byte(l.SN<<2|l.Pad), byte(l.MAC))
	if sa.Algorithm == AESGCM {
		d = append(d, 1, cipherSuite, byte(l.IV))
		d = append(appendNumber(d, uint64(sa.SPI), l.IV-8), make([]byte, 8)...)
		d = append(d, 0)
	} else {
		d = append(d, 0, 0, 1, cipherSuite)
	}
	d = append(binary.BigEndian.AppendUint16(d, uint16(len(sa.Mask))), sa.Mask...)
	d = appendNumber(append(d, byte(l.SN)), 0, l.SN)
	d = append(d, 2)
	return PDU{Procedure: SACreate, Data: binary.BigEndian.AppendUint16(d, uint16(sa.Window))}, nil
}

// checkCreated says why there can be no such association. It has no key yet.
func checkCreated(sa SA) error {
	if len(sa.Mask) > maxMask {
		return fmt.Errorf("%w: SPI %d: mask of %d octets, at most %d", ErrBadSA, sa.SPI, len(sa.Mask), maxMask)
	}
	sa.Key = [32]byte{1}
	_, err := newAssociation(sa)
	return err
}

// fields reads a PDU's data field by field; too short is remembered, not acted on.
type fields struct {
	data  []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if n > len(f.data) {
		f.short, f.data = true, nil
		return make([]byte, n)
	}
	b := f.data[:n]
	f.data = f.data[n:]
	return b
}

// counted is a field behind its length, which is of one octet.
func (f *fields) counted() []byte { return f.take(int(f.take(1)[0])) }

// parseCreate reads the data of a CreatePDU.
func parseCreate(data []byte) (Record, error) {
	f := fields{data: data}
	r := Record{Created: true, SA: SA{SPI: binary.BigEndian.Uint16(f.take(2))}}
	services, lengths, mac := f.take(1)[0], f.take(1)[0], f.take(1)[0]
	sa := &r.SA
	sa.Layout = Layout{IV: int(services & 0x3F), SN: int(lengths >> 2), Pad: int(lengths & 3), MAC: int(mac)}
	encryption, iv, authentication := f.counted(), f.counted(), f.counted()
	sa.Mask = slices.Clone(f.take(int(binary.BigEndian.Uint16(f.take(2)))))
	arsn, window := f.counted(), f.counted()
	n, fits := number(arsn)
	w, ok := number(window)
	bad := func(what string, args ...any) (Record, error) {
		return r, ccsds.Errorf("sdls procedure", pduHeaderLength, ccsds.ErrReserved, "create: "+what, args...)
	}
	switch {
	case f.short:
		return r, ccsds.Errorf("sdls procedure", pduHeaderLength+len(data), ccsds.ErrTruncated, "create: %d octets end within a field", len(data))
	case len(f.data) != 0:
		return r, tooMany(f.data)
	case !fits || !ok || w > MaxWindow:
		return bad("number %x, window %x of at most %d", arsn, window, MaxWindow)
	}
	if len(sa.Mask) == 0 {
		sa.Mask = nil
	}
	switch services >> 6 {
	case 1:
		sa.Service = Authentication
	case 2:
		sa.Service = Encryption
	case 0:
		return bad("neither encryption nor authentication")
	}
	switch {
	case suite(encryption) == cipherSuite && suite(authentication) == 0:
		if len(iv) != 0 && (len(iv) != ivLength || binary.BigEndian.Uint32(iv) != uint32(sa.SPI)) {
			return bad("vector %x, want SPI and number", iv)
		}
		if len(iv) != 0 {
			n = max(n, binary.BigEndian.Uint64(iv[4:]))
		}
	case suite(encryption) == 0 && suite(authentication) == cipherSuite:
		sa.Algorithm = AESCMAC
	default:
		return bad("cipher suites %x and %x, want one of the two, of number %d", encryption, authentication, cipherSuite)
	}
	sa.Window, r.ARSN = int(w), n
	return r, checkCreated(*sa)
}

// suite is the number of a cipher suite, 0 for none, -1 for one that is not known.
func suite(b []byte) int {
	switch len(b) {
	case 0:
		return 0
	case 1:
		return int(b[0])
	}
	return -1
}

// create makes an association without a key.
func (m *Manager) create(p PDU) error {
	r, err := parseCreate(p.Data)
	if err != nil {
		return err
	}
	switch spi := r.SA.SPI; {
	case m.sas[spi] != nil:
		return fmt.Errorf("association %d: it is %s: %w", spi, m.sas[spi].State, ErrState)
	case len(m.sas) >= MaxAssociations:
		return fmt.Errorf("association %d: there are %d: %w", spi, len(m.sas), ErrState)
	case m.c.Sends != nil:
		r.Sends = m.c.Sends(spi)
	}
	r.Last = p.Tag()
	m.sas[r.SA.SPI] = &r
	return nil
}
