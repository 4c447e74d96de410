package turbo

import "math"

// component decodes one convolutional code forwards and backwards, all states of a time side
// by side. Log-likelihood ratios are in the soft bits' eighths; path metrics are sums of
// halves of them, so in sixteenths when counted without a fraction.
//
// Metrics are compared modulo 2^16. Any state leads to any other in four steps, so with
// weights of at most knownLimit+3·127, and unlikely at the ends, all differences, those of
// whole paths too, stay below 2^15.
type component struct {
	known     []int16    // received of the uncoded line, and told by the other component
	coded     [][3]int16 // received, of lines 1 to 3
	extrinsic []int16    // found here, for the other component
	forward   [][states]int16
	weights   [][states]int16 // see signs
	paths     [][states]int16 // the best through each butterfly's branches: eight for 0, eight for 1
	rule      rule
}

// rule is how the likelihoods of two paths add up: max(a,b) + max(knee-|a-b|, 0)/4, where
// the straight line is to be ln(1+e^-x). scale, in parts of 32768, is applied to what one
// component tells the other; the largest changes nothing.
type rule struct{ knee, scale int16 }

var (
	logMAP = rule{knee: 40, scale: math.MaxInt16}
	maxLog = rule{knee: 0, scale: 3 << 13} // too sure by itself
)

const (
	// knownLimit is the most that is taken as known of a bit.
	knownLimit = 727
	// unlikely is the metric of a state in which the trellis cannot be.
	unlikely = -9000
)

func (c *component) init(steps int, r rule) {
	c.known, c.extrinsic, c.coded = make([]int16, steps), make([]int16, steps), make([][3]int16, steps)
	c.forward, c.weights, c.paths = make([][states]int16, steps), make([][states]int16, steps), make([][states]int16, steps)
	c.rule = r
}

// The trellis in butterflies: states 2i and 2i+1 lead to i and i+8. The branches from 2i to
// i and from 2i+1 to i+8 carry the same bits, the two others all of them turned over. bits
// holds those of the first: the information in bit 0, the lines in bits 1 to 3.
var bits = func() (t [states / 2]uint8) {
	for i := range t {
		state := uint8(2 * i)
		t[i] = lines[state] | feedback(state) // the register's new bit is 0
	}
	return t
}()

// signs gives for what is known and for each line how it enters the weight of the branches
// from 2i to i, in place i, and from 2i to i+8, in place i+8: plus for a bit of 0.
var signs = func() (t [4][states]int16) {
	for line := range t {
		for i, b := range bits {
			t[line][i] = 1 - 2*int16(b>>line&1)
			t[line][i+states/2] = -t[line][i]
		}
	}
	return t
}()

// decode fills extrinsic for the first k steps, k a multiple of 8; the trellis begins and
// ends in state 0.
func (c *component) decode(k int) {
	if hasQuick {
		steps := len(c.forward)
		forwards(&c.forward[0], &c.weights[0], &c.known[0], &c.coded[0], &signs, steps, c.rule.knee)
		backwards(&c.paths[0], &c.forward[0], &c.weights[0], &signs, steps, c.rule.knee)
		compare(&c.extrinsic[0], &c.paths[0], &c.known[0], k, c.rule.knee, c.rule.scale)
		return
	}
	c.forwardsPlain()
	c.backwardsPlain()
	c.comparePlain(k)
}

// begin is the metrics where the state is 0.
func begin() (m [states]int16) {
	for s := 1; s < states; s++ {
		m[s] = unlikely
	}
	return m
}
