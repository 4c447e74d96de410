package turbo

// The passes for machines that have nothing quicker.

const half = states / 2

// add returns what two paths amount to.
func (r rule) add(a, b int16) int16 {
	d := a - b
	size := (d ^ d>>15) - d>>15
	return b + max(d, 0) + max(r.knee-size, 0)>>2
}

// forwardsPlain weighs the branches of each time, and finds the metrics of the states by
// what was received before it.
func (c *component) forwardsPlain() {
	now := begin()
	for s := range c.forward {
		c.forward[s] = now
		w, l := &c.weights[s], &c.coded[s]
		for i := range w {
			w[i] = c.known[s]*signs[0][i] + l[0]*signs[1][i] + l[1]*signs[2][i] + l[2]*signs[3][i]
		}
		var next [states]int16
		for i := range half {
			a, b := now[2*i], now[2*i+1]
			next[i] = c.rule.add(a+w[i], b-w[i])
			next[i+half] = c.rule.add(a+w[i+half], b-w[i+half])
		}
		now = next
	}
}

// backwardsPlain follows the metrics by what was received later, and joins both into those
// of whole paths.
func (c *component) backwardsPlain() {
	now := begin()
	for s := len(c.forward) - 1; s >= 0; s-- {
		f, w, paths := &c.forward[s], &c.weights[s], &c.paths[s]
		var before [states]int16
		for i := range half {
			p, q := now[i], now[i+half]
			a, b := f[2*i], f[2*i+1]
			same := c.rule.add(a+p, b+q) + w[i]       // branches that carry the bits of the first
			other := c.rule.add(a+q, b+p) + w[i+half] // and those turned over
			if bits[i]&1 != 0 {
				same, other = other, same
			}
			paths[i], paths[i+half] = same, other
			before[2*i] = c.rule.add(p+w[i], q-w[i])
			before[2*i+1] = c.rule.add(p+w[i+half], q-w[i+half])
		}
		now = before
	}
}

// comparePlain adds up the paths for 0 and for 1 of the first k bits.
func (c *component) comparePlain(k int) {
	for s := range k {
		p := c.paths[s]
		for width := half / 2; width > 0; width /= 2 {
			for i := range width {
				p[i] = c.rule.add(p[i], p[i+width])
				p[i+half] = c.rule.add(p[i+half], p[i+half+width])
			}
		}
		found := int32((p[0]-p[half])>>1 - c.known[s])
		c.extrinsic[s] = int16((found*int32(c.rule.scale) + 1<<14) >> 15)
	}
}
