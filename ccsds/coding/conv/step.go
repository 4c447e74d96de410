package conv

// step takes one bit's two symbols, given as levels, at phase k. It returns a decision for
// each place, set where the path from the other place of the butterfly won: the one of
// word w and lane l in bit 8·l + 7 - w.
func (d *Decoder) step(k int, l0, l1 uint8) (decisions uint64) {
	m := &d.metrics
	x := &d.tables[0][k][l0]
	y := &d.tables[1][k][l1]
	total := sizes[l0] + sizes[l1]
	switch k {
	case 0:
		return pair(m, x, y, total, 0, 4) | pair(m, x, y, total, 1, 5) | pair(m, x, y, total, 2, 6) | pair(m, x, y, total, 3, 7)
	case 1:
		return pair(m, x, y, total, 0, 2) | pair(m, x, y, total, 1, 3) | pair(m, x, y, total, 4, 6) | pair(m, x, y, total, 5, 7)
	case 2:
		return pair(m, x, y, total, 0, 1) | pair(m, x, y, total, 2, 3) | pair(m, x, y, total, 4, 5) | pair(m, x, y, total, 6, 7)
	case 3:
		for w := range words {
			v := m[w]
			own := x[w] + y[w]
			best, dec := choose(v, v<<32|v>>32, own, total-own)
			m[w] = best
			decisions |= dec >> w
		}
	case 4:
		for w := range words {
			v := m[w]
			own := x[w] + y[w]
			best, dec := choose(v, v&0x0000FFFF0000FFFF<<16|v>>16&0x0000FFFF0000FFFF, own, total-own)
			m[w] = best
			decisions |= dec >> w
		}
	default:
		for w := range words {
			v := m[w]
			own := x[w] + y[w]
			best, dec := choose(v, v&0x00FF00FF00FF00FF<<8|v>>8&0x00FF00FF00FF00FF, own, total-own)
			m[w] = best
			decisions |= dec >> w
		}
	}
	return decisions
}

// pair steps the butterflies of words v and w.
func pair(m, x, y *[words]uint64, total uint64, v, w int) uint64 {
	a, b := m[v], m[w]
	own := x[v] + y[v] // that of word w is the same
	first, d := choose(a, b, own, total-own)
	second, e := choose(b, a, own, total-own)
	m[v], m[w] = first, second
	return d>>v | e>>w
}

// placeBits gives for each phase the bit of a decision's number that tells the two places
// of a butterfly apart.
var placeBits = [phases]uint8{2, 1, 0, 5, 4, 3}

// best returns the number of the decision of the place with the smallest metric.
func (d *Decoder) best() (place uint8) {
	smallest := uint8(d.metrics[0])
	place = 7
	for w, m := range d.metrics {
		for lane := range 8 {
			if v := uint8(m >> (8 * lane)); int8(v-smallest) < 0 {
				smallest, place = v, uint8(8*lane+7-w)
			}
		}
	}
	return place
}

// trace follows the best path back from the newest decision, and writes the first n bits
// of it to dst, most significant first. n is a multiple of 8.
func (d *Decoder) trace(dst []byte, place uint8, n int) {
	steps := d.decisions[:d.count]
	k := (len(steps) + phases - 1) % phases // the phase of the last
	i := len(steps) - 1
	for ; i >= n; i-- {
		place ^= uint8(steps[i]>>(place&63)&1) << (placeBits[k] & 7)
		if k--; k < 0 {
			k = phases - 1
		}
	}
	for o := n/8 - 1; o >= 0; o-- {
		var v uint8
		for bit := range 8 {
			b := place >> (placeBits[k] & 7) & 1
			if k < 3 {
				b ^= 1 // a decision's number counts words down
			}
			v |= b << bit
			place ^= uint8(steps[8*o+7-bit]>>(place&63)&1) << (placeBits[k] & 7)
			if k--; k < 0 {
				k = phases - 1
			}
		}
		dst[o] = v
	}
}
