// Package lossless is CCSDS 121.0-B-3, lossless data compression: samples of
// up to 32 bits, predicted by their neighbour, coded in blocks with the best
// of several Rice codes. The octets are those of libaec's aec tool, which
// settles what the book leaves to the encoder (ties between options, padding).
package lossless

import (
	"errors"
	"fmt"
)

// Flags change how samples are read and coded.
type Flags uint8

// The flags, with the letter of the aec tool.
const (
	MSB         Flags = 1 << iota // samples are stored big endian (-m)
	Preprocess                    // unit-delay predictor and mapper, 121.0-B-3 §4 (off: -N)
	Signed                        // samples are two's complement (-s); needs Preprocess
	ThreeOctets                   // samples of 17 to 24 bits take three octets (-3)
	Restricted                    // short option identifiers for 1 to 4 bits, 121.0-B-3 §5.1.2 (-t)
)

// Params are what both ends must agree on; the coded data do not say.
type Params struct {
	BitsPerSample int   // n, 1 to 32
	BlockSize     int   // J, samples: 8, 16, 32 or 64
	RSI           int   // r, blocks from one reference sample to the next: 1 to 4096
	Flags         Flags // how samples are stored and coded
}

// Limits of the book.
const (
	MaxBitsPerSample = 32
	MaxRSI           = 4096
	segment          = 64 // blocks of which a run of zero blocks may be part, §3.5.3
)

// Errors of the package; others are wrapped with what was wrong.
var (
	ErrParams = errors.New("parameters are outside CCSDS 121.0-B")
	ErrSample = errors.New("sample does not fit")
	ErrData   = errors.New("coded data are damaged")
)

// Validate reports the first parameter that the book does not allow.
func (p Params) Validate() error {
	switch {
	case p.BitsPerSample < 1 || p.BitsPerSample > MaxBitsPerSample:
		return fmt.Errorf("%w: %d bits a sample, want 1 to %d", ErrParams, p.BitsPerSample, MaxBitsPerSample)
	case p.BlockSize != 8 && p.BlockSize != 16 && p.BlockSize != 32 && p.BlockSize != 64:
		return fmt.Errorf("%w: blocks of %d samples, want 8, 16, 32 or 64", ErrParams, p.BlockSize)
	case p.RSI < 1 || p.RSI > MaxRSI:
		return fmt.Errorf("%w: reference sample interval %d, want 1 to %d", ErrParams, p.RSI, MaxRSI)
	case p.has(Restricted) && p.BitsPerSample > 4:
		return fmt.Errorf("%w: restricted options for %d bits a sample, at most 4", ErrParams, p.BitsPerSample)
	case p.has(Signed) && !p.has(Preprocess):
		return fmt.Errorf("%w: signed samples without the preprocessor", ErrParams)
	}
	return nil
}

func (p Params) has(f Flags) bool { return p.Flags&f != 0 }

// SampleSize is the number of octets a sample is stored in.
func (p Params) SampleSize() int {
	switch {
	case p.BitsPerSample > 24, p.BitsPerSample > 16 && !p.has(ThreeOctets):
		return 4
	case p.BitsPerSample > 16:
		return 3
	case p.BitsPerSample > 8:
		return 2
	}
	return 1
}

// idBits is the length of an option's identifier, 121.0-B-3 table 5-1.
func (p Params) idBits() int {
	switch n := p.BitsPerSample; {
	case n > 16:
		return 5
	case n > 8:
		return 4
	case p.has(Restricted) && n <= 2:
		return 1
	case p.has(Restricted):
		return 2
	}
	return 3
}

// maxSplit is the largest k of the split-sample option, -1 if there is none:
// identifier 0 is the low-entropy options, all ones is no compression.
func (p Params) maxSplit() int { return 1<<p.idBits() - 3 }

// load reads the stored sample at b.
func (p Params) load(b []byte) uint32 {
	var v uint32
	n := p.SampleSize()
	for i := 0; i < n; i++ {
		if p.has(MSB) {
			v = v<<8 | uint32(b[i])
		} else {
			v |= uint32(b[i]) << (8 * i)
		}
	}
	return v
}

// store appends sample v to dst.
func (p Params) store(dst []byte, v uint32) []byte {
	n := p.SampleSize()
	for i := 0; i < n; i++ {
		shift := 8 * i
		if p.has(MSB) {
			shift = 8 * (n - 1 - i)
		}
		dst = append(dst, byte(v>>shift))
	}
	return dst
}
