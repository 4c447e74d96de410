package conv

import (
	"errors"
	"fmt"
)

// ErrRate says that a rate is none of the book's.
var ErrRate = errors.New("no such convolutional code")

// Rate is a rate of the code.
type Rate uint8

// The rates of §3.3 and, punctured, §3.4.
const (
	Rate12 Rate = iota
	Rate23
	Rate34
	Rate56
	Rate78
	rates
)

// pattern gives, for one period, the symbols that are sent: bit 0 for C1 and bit 1 for C2
// of each information bit (table 3-2).
var patterns = [rates][]uint8{
	Rate12: {3},
	Rate23: {3, 2},
	Rate34: {3, 2, 1},
	Rate56: {3, 2, 1, 2, 1},
	Rate78: {3, 2, 2, 2, 1, 2, 1},
}

func (r Rate) String() string {
	return [...]string{"1/2", "2/3", "3/4", "5/6", "7/8", "?"}[min(r, rates)]
}

// Valid reports whether r is one of the rates above.
func (r Rate) Valid() bool { return r < rates }

// Bits is the number of information bits in a puncturing period, Symbols that of the
// symbols sent for them. Both are 0 for a rate that is not Valid.
func (r Rate) Bits() int {
	if !r.Valid() {
		return 0
	}
	return len(patterns[r])
}

// Symbols is the number of symbols sent for Bits information bits.
func (r Rate) Symbols() int {
	if !r.Valid() {
		return 0
	}
	return r.Bits() + 1
}

// SymbolsFor is the number of symbols sent for the first n bits of a stream.
func (r Rate) SymbolsFor(n int) int {
	if !r.Valid() || n <= 0 {
		return 0
	}
	total := n / r.Bits() * r.Symbols()
	for _, p := range patterns[r][:n%r.Bits()] {
		total += int(p&1 + p>>1)
	}
	return total
}

// Ratio is the rate as a number.
func (r Rate) Ratio() float64 { return float64(r.Bits()) / float64(r.Bits()+1) }

// Options choose between uses of the code. The zero value is the book's.
type Options struct {
	// Inversion of the second symbol: §3.3 inverts it at rate 1/2 and §3.4 at no other.
	Inversion Inversion
	// Depth is how many bits the decoder looks ahead before it decides: 64 to 4096,
	// 0 for what the rate needs.
	Depth int
	// Scale is the size of a soft bit that counts as sure, 1 to 127; 0 for 64.
	Scale int
}

// Inversion says whether C2 is sent inverted.
type Inversion uint8

// ByRate inverts at rate 1/2 only.
const (
	ByRate Inversion = iota
	Inverted
	Straight
)

func (o Options) check(r Rate) error {
	switch {
	case !r.Valid():
		return fmt.Errorf("convolutional code: rate %d: %w", r, ErrRate)
	case o.Inversion > Straight:
		return fmt.Errorf("convolutional code: inversion %d", o.Inversion)
	case o.Depth != 0 && (o.Depth < 64 || o.Depth > 4096):
		return fmt.Errorf("convolutional code: depth %d bits, want 64 to 4096", o.Depth)
	case o.Scale < 0 || o.Scale > 127:
		return fmt.Errorf("convolutional code: scale %d, want 1 to 127", o.Scale)
	}
	return nil
}

func (o Options) inverts(r Rate) bool {
	return o.Inversion == Inverted || o.Inversion == ByRate && r == Rate12
}

// outputs gives C1 in bit 0 and C2 in bit 1 for the last seven bits of information, the
// newest in bit 0: the connections 171 and 133 (octal) name the newest first.
var outputs = func() (t [128]uint8) {
	const g1, g2 = 0o117, 0o155 // 171 and 133 with their seven bits reversed
	for i := range t {
		t[i] = parity(uint8(i)&g1) | parity(uint8(i)&g2)<<1
	}
	return t
}()

func parity(v uint8) uint8 {
	v ^= v >> 4
	v ^= v >> 2
	return (v ^ v>>1) & 1
}
