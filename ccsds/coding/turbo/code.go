package turbo

import (
	"errors"
	"fmt"
	"slices"
)

// Errors that callers test for.
var (
	ErrCode   = errors.New("no such turbo code")
	ErrLength = errors.New("wrong length")
)

// Rate is a nominal rate of the code; with the termination it is k/(n·(k+4)) for rate 1/n.
type Rate uint8

// The rates of §6.3.
const (
	Rate12 Rate = iota
	Rate13
	Rate14
	Rate16
	rates
)

func (r Rate) String() string { return [...]string{"1/2", "1/3", "1/4", "1/6", "?"}[min(r, rates)] }

// Lengths of information blocks in bits (table 6-2).
var Lengths = []int{1784, 3568, 7136, 8920}

// tail is how many bits end the trellis.
const tail = 4

// An output is one line of the encoder: connection 1 to 3 of component a or b, or the
// uncoded line 0a.
type output struct {
	second     bool
	connection uint8
}

var (
	out0a = output{false, 0}
	out1a = output{false, 1}
	out2a = output{false, 2}
	out3a = output{false, 3}
	out1b = output{true, 1}
	out3b = output{true, 3}
)

// sequences give the lines sent at each bit time; rate 1/2 takes 1a and 1b in turn.
var sequences = [rates][][]output{
	Rate12: {{out0a, out1a}, {out0a, out1b}},
	Rate13: {{out0a, out1a, out1b}},
	Rate14: {{out0a, out2a, out3a, out1b}},
	Rate16: {{out0a, out1a, out2a, out3a, out1b, out3b}},
}

// Code is one of the codes. It never changes; several goroutines may use one.
type Code struct {
	k         int
	rate      Rate
	sequence  [][]output
	perSymbol int
	order     []int32 // the bit that component b takes at each time
}

// New returns the code for blocks of k information bits.
func New(k int, r Rate) (*Code, error) {
	if r >= rates || !slices.Contains(Lengths, k) {
		return nil, fmt.Errorf("turbo code of %d bits, rate %v: %w", k, r, ErrCode)
	}
	return &Code{k: k, rate: r, sequence: sequences[r], perSymbol: len(sequences[r][0]), order: permutation(k)}, nil
}

// DataBits is the number of information bits in a block, a multiple of 8.
func (c *Code) DataBits() int { return c.k }

// Bits is the number of bits sent for a block: it is not always a multiple of 8.
func (c *Code) Bits() int { return c.perSymbol * (c.k + tail) }

// Octets is the octets that hold a block sent.
func (c *Code) Octets() int { return (c.Bits() + 7) / 8 }

// Rate returns the nominal rate.
func (c *Code) Rate() Rate { return c.rate }

// Ratio is the rate as a number, with what ends the trellis.
func (c *Code) Ratio() float64 { return float64(c.k) / float64(c.Bits()) }

// permutation gives for each time the place of the bit that goes into component b (§6.3,
// permutation of 8·k/8 bits).
func permutation(k int) []int32 {
	const k1 = 8
	k2 := k / k1
	primes := [8]int{31, 37, 43, 47, 53, 59, 61, 67}
	order := make([]int32, k)
	for s := range order {
		m := s % 2
		i := s / (2 * k2)
		j := s/2 - i*k2
		t := (19*i + 1) % (k1 / 2)
		q := t % 8
		c := (primes[q]*j + 21*m) % k2
		order[s] = int32(2*(t+c*k1/2+1) - m - 1)
	}
	return order
}

// The components: backward connection 10011, forward 11011, 10101 and 11111, written from
// the newest. A state holds the last four bits of the register, the newest in bit 3.
const states = 16

// step gives the register's next bit for the bit that enters from the feedback sum, and
// the lines 1 to 3 in bits 1 to 3.
var lines = func() (t [2 * states]uint8) {
	for reg := range t { // the newest bit in bit 4
		r := uint8(reg)
		bit := func(i uint8) uint8 { return r >> (4 - i) & 1 } // delayed by i
		t[reg] = (bit(0)^bit(1)^bit(3)^bit(4))<<1 |
			(bit(0)^bit(2)^bit(4))<<2 |
			(bit(0)^bit(1)^bit(2)^bit(3)^bit(4))<<3
	}
	return t
}()

// feedback is the sum that the state gives to the next bit: delays 3 and 4.
func feedback(state uint8) uint8 { return (state>>1 ^ state) & 1 }
