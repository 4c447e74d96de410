package link

import (
	"fmt"
	"slices"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/ccsds/coding/turbo"
)

// CodeKind is a way of CCSDS 131.0-B-5 to code frames for the channel.
type CodeKind string

// The codes of a downlink.
const (
	CodeNone         CodeKind = "none"
	CodeRS           CodeKind = "rs"
	CodeConv         CodeKind = "conv"
	CodeConcatenated CodeKind = "concatenated" // Reed–Solomon inside, convolutional outside
	CodeLDPC         CodeKind = "ldpc"
	CodeTurbo        CodeKind = "turbo"
)

// Randomiser is the sequence that is added to what is sent (§10).
type Randomiser string

// The randomisers, by their period in bits.
const (
	Random255    Randomiser = "255"
	Random131071 Randomiser = "131071"
	RandomNone   Randomiser = "none"
)

// Code is the channel code of a downlink. Zero fields take the defaults named.
type Code struct {
	Kind         CodeKind   // rs
	E            int        // symbols that Reed–Solomon corrects in a codeword, 8 or 16: 16
	Interleave   int        // of Reed–Solomon, 1, 2, 3, 4, 5 or 8: 5
	Conventional bool       // basis of Reed–Solomon, for links that are not of the book
	Rate         string     // conv and turbo: "1/2"; ldpc: "1/2", or "7/8" with blocks of 7136 bits
	Block        int        // information bits of a codeword; ldpc: 4096, turbo: 3568
	Randomiser   Randomiser // 255
	Iterations   int        // of the decoder at most; ldpc: 50, turbo: 10
	// Codeblock slices the stream of LDPC-coded frames (§8): how many codewords follow each
	// marker, 1 to 8; frames then have any length. 0: a frame is a codeword (§7).
	Codeblock int
}

// The rates of each kind, by the names that the codes' packages have for them.
var (
	convRates  = map[string]conv.Rate{"1/2": conv.Rate12, "2/3": conv.Rate23, "3/4": conv.Rate34, "5/6": conv.Rate56, "7/8": conv.Rate78}
	turboRates = map[string]turbo.Rate{"1/2": turbo.Rate12, "1/3": turbo.Rate13, "1/4": turbo.Rate14, "1/6": turbo.Rate16}
	ldpcRates  = map[string][2]int{"1/2": {1, 2}, "2/3": {2, 3}, "4/5": {4, 5}}
)

// ldpc78 is the information block of the LDPC code of rate 7/8, in bits.
const ldpc78 = 7136

// WithDefaults fills in what is zero.
func (c Code) WithDefaults() Code {
	set := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	if c.Kind == "" {
		c.Kind = CodeRS
	}
	if c.Randomiser == "" {
		c.Randomiser = Random255
	}
	if c.hasRS() {
		set(&c.E, 16)
		set(&c.Interleave, 5)
	}
	switch c.Kind {
	case CodeLDPC:
		if c.Rate == "" {
			c.Rate = "1/2"
			if c.Block == ldpc78 {
				c.Rate = "7/8"
			}
		}
		set(&c.Iterations, 50)
		if c.Rate == "7/8" {
			set(&c.Block, ldpc78)
		}
		set(&c.Block, 4096)
	case CodeTurbo:
		set(&c.Block, 3568)
		set(&c.Iterations, 10)
	}
	if c.Rate == "" && (c.hasConv() || c.Kind == CodeTurbo) {
		c.Rate = "1/2"
	}
	return c
}

func (c Code) hasRS() bool   { return c.Kind == CodeRS || c.Kind == CodeConcatenated }
func (c Code) sliced() bool  { return c.Codeblock > 0 }
func (c Code) hasConv() bool { return c.Kind == CodeConv || c.Kind == CodeConcatenated }

// Soft reports whether the decoder makes use of soft symbols.
func (c Code) Soft() bool { return c.hasConv() || c.Kind == CodeLDPC || c.Kind == CodeTurbo }

// FrameLength is the frame in octets that fills the code, 0 where any length does.
func (c Code) FrameLength() int {
	switch c = c.WithDefaults(); {
	case c.hasRS():
		return c.Interleave * (255 - 2*c.E)
	case (c.Kind == CodeLDPC || c.Kind == CodeTurbo) && !c.sliced():
		return c.Block / 8
	}
	return 0
}

// Validate reports a code that is not in the book, or that does not carry frames of n octets.
func (c Code) Validate(n int) error {
	c = c.WithDefaults()
	if r := c.Randomiser; r != Random255 && r != Random131071 && r != RandomNone {
		return fmt.Errorf("randomiser %q: want 255, 131071 or none", r)
	}
	if c.Iterations < 0 || c.Iterations > 1000 {
		return fmt.Errorf("%d iterations: want 1 to 1000", c.Iterations)
	}
	if c.Codeblock != 0 && (c.Kind != CodeLDPC || c.Codeblock < 0 || c.Codeblock > coding.MaxCodewords) {
		return fmt.Errorf("codeblock %d with coding %s: want 1 to %d codewords of ldpc, or 0", c.Codeblock, c.Kind, coding.MaxCodewords)
	}
	if err := c.check(); err != nil {
		return err
	}
	full := c.FrameLength()
	switch {
	case c.hasRS() && (n < c.Interleave || n > full || n%c.Interleave != 0):
		return fmt.Errorf("frame_length %d: RS(255,%d) at interleave %d carries multiples of %d up to %d", n, 255-2*c.E, c.Interleave, c.Interleave, full)
	case (c.Kind == CodeLDPC || c.Kind == CodeTurbo) && !c.sliced() && n != full:
		return fmt.Errorf("frame_length %d: %s with blocks of %d bits carries frames of %d octets; ldpc takes any with codeblock 1 to %d",
			n, c.Kind, c.Block, full, coding.MaxCodewords)
	case c.sliced() && n < coding.HeadLength:
		return fmt.Errorf("frame_length %d: want at least %d", n, coding.HeadLength)
	}
	return nil
}

// check reports a code without regard to its frames.
func (c Code) check() error {
	var err error
	switch c.Kind {
	case CodeNone, CodeRS, CodeConv, CodeConcatenated:
	case CodeLDPC:
		_, err = c.ldpcName()
	case CodeTurbo:
		if _, ok := turboRates[c.Rate]; !ok || !slices.Contains(turbo.Lengths, c.Block) {
			err = fmt.Errorf("turbo code of %d bits, rate %s: want blocks of %v and rates 1/2, 1/3, 1/4 or 1/6", c.Block, c.Rate, turbo.Lengths)
		}
	default:
		err = fmt.Errorf("coding %q: want none, rs, conv, concatenated, ldpc or turbo", c.Kind)
	}
	if _, ok := convRates[c.Rate]; c.hasConv() && !ok {
		err = fmt.Errorf("convolutional code of rate %s: want 1/2, 2/3, 3/4, 5/6 or 7/8", c.Rate)
	}
	if err == nil && c.hasRS() {
		_, err = coding.NewRS(c.E, c.Interleave, !c.Conventional)
	}
	return err
}

// ldpcName finds the code of the book.
func (c Code) ldpcName() (ldpc.Name, error) {
	bad := fmt.Errorf("LDPC code of %d bits, rate %s: want blocks of 1024, 4096 or 16384 and rates 1/2, 2/3 or 4/5, or 7136 and 7/8", c.Block, c.Rate)
	if c.Rate == "7/8" {
		if c.Block != ldpc78 {
			return 0, bad
		}
		return ldpc.TM7136R78, nil
	}
	r, ok := ldpcRates[c.Rate]
	if !ok || c.Block == 64 || c.Block == 256 { // those two are of the uplink
		return 0, bad
	}
	name, err := ldpc.ByLength(c.Block, c.Block*r[1]/r[0])
	if err != nil {
		return 0, bad
	}
	return name, nil
}

// marker is what stands in front of each coded frame, or of each codeblock of sliced ones (§9,
// §8.2.2).
func (c Code) marker() coding.Marker {
	switch {
	case c.Kind == CodeLDPC && c.Rate != "7/8":
		return coding.MarkerLDPC
	case c.Kind == CodeTurbo:
		return map[string]coding.Marker{"1/2": coding.MarkerTurbo12, "1/3": coding.MarkerTurbo13, "1/4": coding.MarkerTurbo14, "1/6": coding.MarkerTurbo16}[c.Rate]
	}
	return coding.MarkerASM
}

// Ratio is the rate of the code for frames of n octets: information bits for each symbol of
// the channel, markers not counted. Eb/N0 is told by it.
func (c Code) Ratio(n int) float64 {
	c = c.WithDefaults()
	ratio := 1.0
	if c.hasRS() {
		ratio = float64(n) / float64(n+2*c.E*c.Interleave)
	}
	if c.hasConv() {
		ratio *= convRates[c.Rate].Ratio()
	}
	switch c.Kind {
	case CodeLDPC:
		if l, err := c.ldpcCode(); err == nil {
			ratio = l.Ratio()
		}
	case CodeTurbo:
		if t, err := turbo.New(c.Block, turboRates[c.Rate]); err == nil {
			ratio = t.Ratio()
		}
	}
	return ratio
}

func (r Randomiser) apply(b []byte) {
	switch r {
	case Random255:
		coding.Randomise(b)
	case Random131071:
		coding.RandomiseLong(b)
	}
}

func (r Randomiser) applySoft(soft []int8) {
	switch r {
	case Random255:
		coding.RandomiseSoft(soft)
	case Random131071:
		coding.RandomiseLongSoft(soft)
	}
}
