// Package channel is what happens to bits between two antennas: single errors, bursts,
// loss of signal and slips. It is pure and deterministic: the same seed, the same
// settings at the same bits and the same bits give the same damage, whatever the sizes
// of the pieces. Delay and rate belong to whoever has a clock.
package channel

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
)

// Config is the steady state of a channel.
type Config struct {
	BER         float64 // probability that a bit arrives wrong, 0 to 0.5
	BurstEvery  float64 // mean bits between the bursts that come by themselves, 0 for none
	BurstLength float64 // mean bits of such a burst
}

// Validate reports a channel that cannot be.
func (c Config) Validate() error {
	switch {
	case !(c.BER >= 0 && c.BER <= 0.5):
		return fmt.Errorf("channel: bit error rate %g, want 0 to 0.5", c.BER)
	case !(c.BurstEvery >= 0 && c.BurstEvery <= 1e15):
		return fmt.Errorf("channel: a burst every %g bits", c.BurstEvery)
	case c.BurstEvery > 0 && !(c.BurstLength >= 1 && c.BurstLength <= 1e12):
		return fmt.Errorf("channel: bursts of %g bits", c.BurstLength)
	}
	return nil
}

// Stats count what a channel did, in bits except where said.
type Stats struct {
	Bits     uint64 // taken in
	Flips    uint64 // turned over, single errors and bursts
	Bursts   uint64 // how many
	Noise    uint64 // replaced for want of signal
	Inserted uint64 // added by slips
	Dropped  uint64 // lost by slips
}

// Channel damages one stream of bits. It is not for several goroutines.
type Channel struct {
	cfg    Config
	errors *rand.Rand // one source each, so that one kind of damage does not move another
	bursts *rand.Rand
	noise  bitSource
	next   uint64 // good bits until the next single error
	quiet  uint64 // bits until the next burst that comes by itself
	burst  uint64 // bits that the present burst still lasts
	silent bool
	slip   int   // bits to insert, or if negative to lose, at the next bit
	rest   uint8 // bits behind the last whole octet, left-aligned
	restN  uint  // how many
	stats  Stats
}

// never is further away than any stream is long.
const never = math.MaxUint64

// New returns a channel with signal.
func New(seed uint64, cfg Config) (*Channel, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Channel{
		cfg:    cfg,
		errors: rand.New(rand.NewPCG(seed, 1)),
		bursts: rand.New(rand.NewPCG(seed, 2)),
		noise:  bitSource{rnd: rand.New(rand.NewPCG(seed, 3))},
	}
	c.next = geometric(c.errors, cfg.BER)
	c.quiet = c.untilBurst()
	return c, nil
}

// SetBER changes the bit error rate; it is cut to 0 to 0.5.
func (c *Channel) SetBER(ber float64) {
	if !(ber > 0) {
		ber = 0
	}
	c.cfg.BER = min(ber, 0.5)
	c.next = geometric(c.errors, c.cfg.BER)
}

// BER returns the bit error rate.
func (c *Channel) BER() float64 { return c.cfg.BER }

// SetSignal switches the signal. Without it a bit of noise comes out for each bit that
// goes in: a receiver never falls silent.
func (c *Channel) SetSignal(on bool) { c.silent = !on }

// Signal reports whether there is signal.
func (c *Channel) Signal() bool { return !c.silent }

// Burst makes half of the next n bits, at random, arrive wrong.
func (c *Channel) Burst(n int) {
	if n <= 0 {
		return
	}
	c.stats.Bursts++
	c.burst = max(c.burst, uint64(n))
}

// Slip makes the receiver's bit clock slip: n > 0 puts n random bits in front of the next
// one, n < 0 loses the next -n. Pass still gives whole octets; up to 7 bits stay behind.
func (c *Channel) Slip(n int) { c.slip += n }

// Stats returns the counters so far.
func (c *Channel) Stats() Stats { return c.stats }

// Pass sends octets of bits, most significant first, through the channel and returns what
// arrives and how many bits were turned over. in is not changed.
func (c *Channel) Pass(in []byte) (out []byte, flips int) {
	out = append(make([]byte, 0, len(in)+8), in...)
	c.stats.Bits += 8 * uint64(len(in))
	if c.silent {
		for i := range out {
			out[i] = byte(c.noise.take(8))
		}
		c.stats.Noise += 8 * uint64(len(in))
	} else {
		flips = c.flip(out) + c.smear(out)
		c.stats.Flips += uint64(flips)
	}
	if c.slip != 0 || c.restN != 0 {
		out = c.shift(out)
	}
	return out, flips
}

// flip makes the single errors, going from one to the next.
func (c *Channel) flip(b []byte) (flips int) {
	n := 8 * uint64(len(b))
	at := c.next
	for ; at < n; flips++ {
		b[at/8] ^= 0x80 >> (at % 8)
		gap := geometric(c.errors, c.cfg.BER)
		if gap >= never-at-1 {
			c.next = never
			return flips + 1
		}
		at += gap + 1
	}
	if at != never {
		c.next = at - n
	}
	return flips
}

// smear makes the bursts.
func (c *Channel) smear(b []byte) (flips int) {
	for at, n := uint64(0), 8*uint64(len(b)); at < n; {
		if c.burst == 0 {
			if skip := min(c.quiet, n-at); skip > 0 {
				at += skip
				if c.quiet != never {
					c.quiet -= skip
				}
				continue
			}
			c.stats.Bursts++
			c.burst = 1 + geometric(c.bursts, 1/c.cfg.BurstLength)
			c.quiet = c.untilBurst()
		}
		k := min(c.burst, 8-at%8)
		mask := byte(c.noise.take(uint(k)) << (8 - k) >> (at % 8))
		b[at/8] ^= mask
		flips += bits.OnesCount8(mask)
		at += k
		c.burst -= k
	}
	return flips
}

// shift applies a slip and puts the bits into octets anew.
func (c *Channel) shift(in []byte) []byte {
	out := make([]byte, 0, len(in)+max(c.slip, 0)/8+2)
	for ; c.slip > 0; c.slip-- {
		out = c.put(out, byte(c.noise.take(1))<<7, 1)
		c.stats.Inserted++
	}
	for i, v := range in {
		n := uint(8)
		if c.slip < 0 {
			lose := min(-c.slip, 8)
			c.slip += lose
			c.stats.Dropped += uint64(lose)
			v <<= lose
			n -= uint(lose)
		} else if c.restN == 0 {
			return append(out, in[i:]...)
		}
		out = c.put(out, v, n)
	}
	return out
}

// put appends the upper n bits of v to the bits in hand, and those to out once they are
// eight. The lower bits of v must be zero.
func (c *Channel) put(out []byte, v byte, n uint) []byte {
	all := uint16(c.rest)<<8 | uint16(v)<<8>>c.restN
	c.rest, c.restN = byte(all>>8), c.restN+n
	if c.restN >= 8 {
		out = append(out, c.rest)
		c.rest, c.restN = byte(all), c.restN-8
	}
	return out
}

func (c *Channel) untilBurst() uint64 {
	if c.cfg.BurstEvery <= 0 {
		return never
	}
	return geometric(c.bursts, 1/(1+c.cfg.BurstEvery))
}

// geometric draws how many bits pass before the next event of probability p.
func geometric(rnd *rand.Rand, p float64) uint64 {
	if p <= 0 {
		return never
	}
	n := math.Log(1-rnd.Float64()) / math.Log1p(-p)
	if n >= 1e18 {
		return never
	}
	return uint64(n)
}

// bitSource gives random bits one after the other, whatever the sizes asked for.
type bitSource struct {
	rnd  *rand.Rand
	word uint64
	left uint
}

// take returns n random bits, at most 8.
func (s *bitSource) take(n uint) uint64 {
	var v uint64
	for range n {
		if s.left == 0 {
			s.word, s.left = s.rnd.Uint64(), 64
		}
		v = v<<1 | s.word&1
		s.word >>= 1
		s.left--
	}
	return v
}
