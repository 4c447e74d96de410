package timecode

import (
	"fmt"
	"math/bits"

	"github.com/perilune/perilune/ccsds"
)

// Bounds of the code in octets, with the extension of the P-field (§3.2.2).
const (
	MaxCoarse = 7
	MaxFine   = 10
)

// CUC is a form of the unsegmented code: how many octets count seconds and how many the
// fraction below, and from where. The zero Epoch is that of CCSDS (level 1); another one,
// agreed by an agency, makes a level 2 code.
type CUC struct {
	Coarse int     // octets of whole seconds, 1 to 7
	Fine   int     // octets of binary fraction, 0 to 10
	Epoch  Instant // where the count begins
}

// Default is the form in our packets: 4 octets of seconds, 3 of fraction (60 ns), CCSDS
// epoch. It counts until 2094.
var Default = CUC{Coarse: 4, Fine: 3}

// Validate reports a form that cannot be coded.
func (c CUC) Validate() error {
	if c.Coarse < 1 || c.Coarse > MaxCoarse || c.Fine < 0 || c.Fine > MaxFine {
		return fmt.Errorf("time code: %d octets of seconds and %d of fraction, want 1 to %d and 0 to %d", c.Coarse, c.Fine, MaxCoarse, MaxFine)
	}
	return nil
}

// Length is the T-field in octets.
func (c CUC) Length() int { return c.Coarse + c.Fine }

// Append appends the T-field for i to dst, rounded down.
func (c CUC) Append(dst []byte, i Instant) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return dst, err
	}
	if i < c.Epoch {
		return dst, fmt.Errorf("time code: %d ns lie before the epoch", int64(c.Epoch-i))
	}
	since := uint64(i) - uint64(c.Epoch) // right also where the signed difference is not
	s, ns := since/1e9, since%1e9
	if c.Coarse < 8 && s>>(8*c.Coarse) != 0 {
		return dst, fmt.Errorf("time code: %d s do not fit %d octets", s, c.Coarse)
	}
	for k := c.Coarse - 1; k >= 0; k-- {
		dst = append(dst, byte(s>>(8*k)))
	}
	frac, _ := bits.Div64(ns, 0, 1e9) // ns/1e9 in units of 2^-64
	for k := range c.Fine {
		if k < 8 {
			dst = append(dst, byte(frac>>(56-8*k)))
		} else {
			dst = append(dst, 0)
		}
	}
	return dst, nil
}

// Encode returns the T-field for i.
func (c CUC) Encode(i Instant) ([]byte, error) { return c.Append(make([]byte, 0, c.Length()), i) }

// Decode reads the T-field that data begins with. A fraction between two nanoseconds is
// rounded up, so that encoding the result gives the same octets.
func (c CUC) Decode(data []byte) (Instant, error) {
	if err := c.Validate(); err != nil {
		return 0, err
	}
	if len(data) < c.Length() {
		return 0, ccsds.Errorf("time code", len(data), ccsds.ErrTruncated, "needs %d octets, have %d", c.Length(), len(data))
	}
	var s, frac uint64
	for _, b := range data[:c.Coarse] {
		s = s<<8 | uint64(b)
	}
	for k, b := range data[c.Coarse:c.Length()] {
		if k < 8 {
			frac |= uint64(b) << (56 - 8*k)
		}
	}
	ns, rest := bits.Mul64(frac, 1e9)
	if rest != 0 {
		ns++
	}
	hi, lo := bits.Mul64(s, 1e9)
	lo, carry := bits.Add64(lo, ns, 0)
	const latest = 1<<63 - 1
	if hi+carry != 0 || lo > uint64(latest)-uint64(c.Epoch) && c.Epoch >= 0 || lo > latest {
		return 0, ccsds.Errorf("time code", 0, ccsds.ErrReserved, "%d s lie behind the year 2250", s)
	}
	return c.Epoch + Instant(lo), nil
}
