package cfdp

import (
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// ChecksumType is a checksum of a file, from the SANA registry of CFDP
// checksum algorithms.
type ChecksumType uint8

// Checksum types: all that are registered.
const (
	ChecksumModular    ChecksumType = 0
	ChecksumProximity1 ChecksumType = 1 // CCSDS 211.2-B-3 annex C
	ChecksumCRC32C     ChecksumType = 2 // Castagnoli
	ChecksumCRC32      ChecksumType = 3 // IEEE 802.3
	ChecksumNull       ChecksumType = 15
)

// Supported says whether the entity can compute it.
func (t ChecksumType) Supported() bool {
	switch t {
	case ChecksumModular, ChecksumProximity1, ChecksumCRC32C, ChecksumCRC32, ChecksumNull:
		return true
	}
	return false
}

// castagnoli is built once; the table is 1 KiB and read only.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// newChecksum makes a running checksum; the file is written to it in order.
func newChecksum(t ChecksumType) (hash.Hash32, error) {
	switch t {
	case ChecksumModular:
		return &modular{}, nil
	case ChecksumProximity1:
		return &proximity{}, nil
	case ChecksumCRC32C:
		return crc32.New(castagnoli), nil
	case ChecksumCRC32:
		return crc32.NewIEEE(), nil
	case ChecksumNull:
		return null{}, nil
	}
	return nil, fmt.Errorf("checksum type %d is not supported", uint8(t))
}

// Checksum computes the checksum of the first size octets of r.
func Checksum(t ChecksumType, r io.ReaderAt, size uint64) (uint32, error) {
	sum, err := newChecksum(t)
	if err != nil {
		return 0, err
	}
	if t == ChecksumNull {
		return 0, nil
	}
	n, err := io.Copy(sum, io.NewSectionReader(r, 0, int64(size)))
	if err == nil && uint64(n) != size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, fmt.Errorf("checksum file: %w", err)
	}
	return sum.Sum32(), nil
}

// modular is the checksum of 727.0-B-5 §4.2.2: the sum, modulo 2^32, of the
// file's big-endian 32-bit words, the last one filled with zeros.
type modular struct {
	sum uint32
	at  uint8 // octet within the word
}

func (m *modular) Write(p []byte) (int, error) {
	for _, o := range p {
		m.sum += uint32(o) << (24 - 8*m.at)
		m.at = (m.at + 1) & 3
	}
	return len(p), nil
}

func (m *modular) Sum32() uint32       { return m.sum }
func (m *modular) Sum(b []byte) []byte { return appendUint(b, uint64(m.sum), 4) }
func (m *modular) Reset()              { *m = modular{} }
func (m *modular) Size() int           { return 4 }
func (m *modular) BlockSize() int      { return 4 }

// proximity is the CRC of Proximity-1: generator x^32+x^23+x^21+x^11+x^2+1, the
// register begins with zeros, most significant bit first, nothing inverted.
type proximity struct{ sum uint32 }

var proximityTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x00A00805
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()

func (p *proximity) Write(b []byte) (int, error) {
	for _, o := range b {
		p.sum = p.sum<<8 ^ proximityTable[byte(p.sum>>24)^o]
	}
	return len(b), nil
}

func (p *proximity) Sum32() uint32       { return p.sum }
func (p *proximity) Sum(b []byte) []byte { return appendUint(b, uint64(p.sum), 4) }
func (p *proximity) Reset()              { p.sum = 0 }
func (p *proximity) Size() int           { return 4 }
func (p *proximity) BlockSize() int      { return 1 }

// null is the null checksum, always zero (§4.2.2.4).
type null struct{}

func (null) Write(p []byte) (int, error) { return len(p), nil }
func (null) Sum32() uint32               { return 0 }
func (null) Sum(b []byte) []byte         { return append(b, 0, 0, 0, 0) }
func (null) Reset()                      {}
func (null) Size() int                   { return 4 }
func (null) BlockSize() int              { return 1 }
