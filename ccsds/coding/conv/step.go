package conv

// step takes one bit's two symbols, given as levels, at phase k. It returns a decision for
// each place, a bit that is set where the path from the other place of the butterfly won.
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
			decisions |= gather(dec) << (8 * w)
		}
	case 4:
		for w := range words {
			v := m[w]
			own := x[w] + y[w]
			best, dec := choose(v, v&0x0000FFFF0000FFFF<<16|v>>16&0x0000FFFF0000FFFF, own, total-own)
			m[w] = best
			decisions |= gather(dec) << (8 * w)
		}
	default:
		for w := range words {
			v := m[w]
			own := x[w] + y[w]
			best, dec := choose(v, v&0x00FF00FF00FF00FF<<8|v>>8&0x00FF00FF00FF00FF, own, total-own)
			m[w] = best
			decisions |= gather(dec) << (8 * w)
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
	return gather(d)<<(8*v) | gather(e)<<(8*w)
}

// gather puts bit 7 of each lane into the lowest eight bits.
func gather(d uint64) uint64 { return d * 0x0002040810204081 >> 56 }

// best returns the place with the smallest metric.
func (d *Decoder) best() (place uint8) {
	smallest := uint8(d.metrics[0])
	for p := range uint8(64) {
		if v := uint8(d.metrics[p/8] >> (p % 8 * 8)); int8(v-smallest) < 0 {
			smallest, place = v, p
		}
	}
	return place
}

// trace follows the best path back from the newest decision, and writes the first n bits
// of it to dst, most significant first. n is a multiple of 8.
func (d *Decoder) trace(dst []byte, place uint8, n int) {
	steps := d.decisions[:d.count]
	// The bit of a place that tells the two of a butterfly apart: 5 at phase 0, going down.
	bit := uint8(phases-1) - uint8((len(steps)-1)%phases)
	i := len(steps) - 1
	for ; i >= n; i-- {
		place ^= uint8(steps[i]>>(place&63)&1) << (bit & 7)
		if bit++; bit == phases {
			bit = 0
		}
	}
	for o := n/8 - 1; o >= 0; o-- {
		var v uint8
		eight := steps[8*o : 8*o+8 : 8*o+8]
		for k := 7; k >= 0; k-- {
			v |= place >> (bit & 7) & 1 << (7 - k)
			place ^= uint8(eight[k]>>(place&63)&1) << (bit & 7)
			if bit++; bit == phases {
				bit = 0
			}
		}
		dst[o] = v
	}
}
