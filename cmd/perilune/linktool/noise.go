package linktool

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/link"
)

// Noise is what a tool adds to the bits that it makes. At most one kind.
type Noise struct {
	EbN0 float64 // dB for each information bit; NaN for none
	BER  float64 // bit error rate; 0 for none
	Seed uint64
}

// Quiet is no noise.
func Quiet() Noise { return Noise{EbN0: math.NaN()} }

func (n Noise) white() bool { return !math.IsNaN(n.EbN0) }

func (n Noise) validate() error {
	switch {
	case n.white() && n.BER > 0:
		return fmt.Errorf("%w: noise by Eb/N0 or by bit error rate, not both", ErrConfig)
	case n.white() && (n.EbN0 < -30 || n.EbN0 > 60):
		return fmt.Errorf("%w: Eb/N0 of %g dB: want -30 to 60", ErrConfig, n.EbN0)
	case n.BER < 0 || n.BER > 0.5 || math.IsNaN(n.BER):
		return fmt.Errorf("%w: bit error rate %g: want 0 to 0.5", ErrConfig, n.BER)
	}
	return nil
}

// medium carries bits and gives them out as a receiver has them: octets of bits, or int8
// symbols.
type medium struct {
	soft  bool
	white *channel.AWGN
	flips *channel.Channel
	sent  uint64 // bits
	wrong uint64 // of those, with the other sign at the receiver
	buf   []int8
	hard  []byte
}

// upRatios are information bits for each symbol of an uplink, start sequence not counted.
var upRatios = map[link.CLTU]float64{link.CLTUBCH: 56.0 / 64, link.CLTULDPC128: 0.5, link.CLTULDPC512: 0.5}

// strong is a symbol that the receiver is sure of.
const strong = 100

func (c *Config) newMedium() (*medium, error) {
	m := &medium{soft: c.Soft}
	var err error
	if c.Noise.white() {
		ratio := c.Profile.Code.Ratio(c.Profile.FrameLength)
		if c.Up {
			ratio = upRatios[c.Profile.CLTU]
		}
		m.white, err = channel.NewAWGN(c.Noise.Seed, c.Noise.EbN0, ratio)
	} else {
		m.flips, err = channel.New(c.Noise.Seed, channel.Config{BER: c.Noise.BER})
	}
	return m, err
}

// pass returns what arrives of sent bits, valid until the next call.
func (m *medium) pass(sent []byte) []byte {
	m.sent += 8 * uint64(len(sent))
	if m.white == nil {
		out, flips := m.flips.Pass(sent)
		m.wrong += uint64(flips)
		if !m.soft {
			return out
		}
		m.buf = coding.AppendSoft(m.buf[:0], out, strong)
		return octets(&m.hard, m.buf)
	}
	m.buf = m.white.AppendSoft(m.buf[:0], sent)
	m.hard = coding.AppendHard(m.hard[:0], m.buf)
	for i, b := range m.hard {
		m.wrong += uint64(bits.OnesCount8(b ^ sent[i]))
	}
	if !m.soft {
		return m.hard
	}
	return octets(&m.hard, m.buf)
}

// octets are symbols as a stream has them.
func octets(dst *[]byte, symbols []int8) []byte {
	*dst = (*dst)[:0]
	for _, s := range symbols {
		*dst = append(*dst, byte(s))
	}
	return *dst
}

// symbols is the other way.
func symbols(dst []int8, octets []byte) []int8 {
	for _, b := range octets {
		dst = append(dst, int8(b))
	}
	return dst
}
