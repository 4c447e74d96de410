package turbo

import "math"

// component decodes one convolutional code forwards and backwards. Log-likelihood ratios
// are in the soft bits' eighths; path metrics are sums of halves of them, so in sixteenths
// when counted without a fraction.
type component struct {
	uncoded   []int32    // received, of the uncoded line and its end
	prior     []int32    // told by the other component
	coded     [][3]int32 // received, of lines 1 to 3
	extrinsic []int32    // found here, for the other component
	forward   [][states]int32
	branches  [][8]int32 // by time: see metrics
	exact     bool
}

func (c *component) init(steps int, exact bool) {
	c.uncoded, c.prior, c.extrinsic = make([]int32, steps), make([]int32, steps), make([]int32, steps)
	c.coded, c.branches = make([][3]int32, steps), make([][8]int32, steps)
	c.forward = make([][states]int32, steps)
	c.exact = exact
}

// The trellis in butterflies: states 2i and 2i+1 lead to i and i+8. The branches from 2i to
// i and from 2i+1 to i+8 carry the same bits, the two others all of them turned over. bits
// holds those of the first: the information in bit 0, the lines in bits 1 to 3.
var bits = func() (t [8]uint8) {
	for i := range t {
		state := uint8(2 * i)
		t[i] = lines[state] | feedback(state) // the register's new bit is 0
	}
	return t
}()

// unlikely is the metric of a state in which the trellis cannot be.
const unlikely = -1 << 28

// corrections holds ln(1+e^-x) in sixteenths, for x in sixteenths.
var corrections = func() (t [64]int32) {
	for i := range t {
		t[i] = int32(math.Round(16 * math.Log1p(math.Exp(-float64(i)/16))))
	}
	t[63] = 0
	return t
}()

// maxStar returns ln(e^a + e^b).
func maxStar(a, b int32) int32 {
	d := a - b
	size := (d ^ d>>31) - d>>31
	return max(a, b) + corrections[min(uint32(size), 63)]
}

// decode fills extrinsic for the first k steps; the trellis begins and ends in state 0.
func (c *component) decode(k int) {
	c.weigh()
	if c.exact {
		c.forwards()
		c.backwards(k)
		return
	}
	c.forwardsQuick()
	c.backwardsQuick(k)
}

// weigh computes for each time and butterfly the metric of its first branch; that of the
// opposite one is its negative.
func (c *component) weigh() {
	for s := range c.branches {
		in := c.uncoded[s] + c.prior[s]
		l := &c.coded[s]
		// By information and lines 1, 2 and 3; the sign of a bit of 0 is plus.
		a, b := in+l[0], in-l[0]
		m, n := l[1]+l[2], l[1]-l[2]
		sums := [8]int32{a + m, b + m, a - n, b - n, a + n, b + n, a - m, b - m}
		for i, v := range bits {
			sum := sums[v>>1&7]
			if v&1 != 0 { // information 1: all but it turned over, and the sum again
				sum = -sums[^v>>1&7]
			}
			c.branches[s][i] = sum
		}
	}
}

func start() (m [states]int32) {
	for s := 1; s < states; s++ {
		m[s] = unlikely
	}
	return m
}

func (c *component) forwards() {
	now := start()
	for s := range c.forward {
		c.forward[s] = now
		var next [states]int32
		for i, g := range &c.branches[s] {
			a, b := now[2*i], now[2*i+1]
			next[i] = maxStar(a+g, b-g)
			next[i+8] = maxStar(a-g, b+g)
		}
		now = next
	}
}

func (c *component) backwards(k int) {
	now := start()
	for s := len(c.forward) - 1; s >= 0; s-- {
		f := &c.forward[s]
		var before [states]int32
		var zero, one [8]int32
		for i, g := range &c.branches[s] {
			p, q := now[i], now[i+8]
			a, b := f[2*i], f[2*i+1]
			same := maxStar(a+p, b+q) + g  // branches that carry the bits of the first
			other := maxStar(a+q, b+p) - g // and those turned over
			if bits[i]&1 != 0 {
				same, other = other, same
			}
			zero[i], one[i] = same, other
			before[2*i] = maxStar(p+g, q-g)
			before[2*i+1] = maxStar(p-g, q+g)
		}
		now = before
		if s < k {
			z := maxStar(maxStar(maxStar(zero[0], zero[1]), maxStar(zero[2], zero[3])), maxStar(maxStar(zero[4], zero[5]), maxStar(zero[6], zero[7])))
			o := maxStar(maxStar(maxStar(one[0], one[1]), maxStar(one[2], one[3])), maxStar(maxStar(one[4], one[5]), maxStar(one[6], one[7])))
			c.extrinsic[s] = (z-o)/2 - c.uncoded[s] - c.prior[s]
		}
	}
}

func (c *component) forwardsQuick() {
	now := start()
	for s := range c.forward {
		c.forward[s] = now
		var next [states]int32
		for i, g := range &c.branches[s] {
			a, b := now[2*i], now[2*i+1]
			next[i] = max(a+g, b-g)
			next[i+8] = max(a-g, b+g)
		}
		now = next
	}
}

// backwardsQuick scales what it finds by 3/4, for max-log is too sure.
func (c *component) backwardsQuick(k int) {
	now := start()
	for s := len(c.forward) - 1; s >= 0; s-- {
		f := &c.forward[s]
		var before [states]int32
		zero, one := int32(-1<<30), int32(-1<<30)
		for i, g := range &c.branches[s] {
			p, q := now[i], now[i+8]
			a, b := f[2*i], f[2*i+1]
			same := max(a+p, b+q) + g
			other := max(a+q, b+p) - g
			if bits[i]&1 != 0 {
				same, other = other, same
			}
			zero, one = max(zero, same), max(one, other)
			before[2*i] = max(p+g, q-g)
			before[2*i+1] = max(p-g, q+g)
		}
		now = before
		if s < k {
			c.extrinsic[s] = ((zero-one)/2 - c.uncoded[s] - c.prior[s]) * 3 / 4
		}
	}
}
