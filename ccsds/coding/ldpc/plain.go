package ldpc

// add returns what two bits of a check amount to.
func (r rule) add(a, b int32) int32 {
	sum, difference := size(a+b), size(a-b)
	knee := int32(r.knee)
	return (sum-difference)>>1 + max(knee-sum, 0)>>2 - max(knee-difference, 0)>>2
}

// size is |a|.
func size(a int32) int32 { return (a ^ a>>31) - a>>31 }

// scaled is what is told for v.
func (r rule) scaled(v int32) int32 { return (v*int32(r.scale) + 1<<14) >> 15 }

// passPlain is pass, for machines that have nothing quicker: sums over the bits before one
// and behind it make what it is told. What changes is gathered, for a bit may be in two
// checks of a layer.
func (d *Decoder) passPlain(l *layer) {
	s := d.code.shape
	n, apart := s.lanes(), s.size+s.lanes()
	for row := 0; row < n; row += lanes {
		var sum [lanes]int32
		for k := range sum {
			sum[k] = heardLimit
		}
		for i, at := range l.at {
			belief, told := d.belief[int(at)+row:][:lanes], l.told[i*n+row:][:lanes]
			heard, ahead := d.ahead[2*lanes*i:][:lanes], d.ahead[2*lanes*i+lanes:][:lanes]
			for k := range sum {
				h := min(max(belief[k]-told[k], -heardLimit), heardLimit)
				heard[k], ahead[k] = h, int16(sum[k])
				sum[k] = d.rule.add(sum[k], int32(h))
			}
		}
		for k := range sum {
			sum[k] = heardLimit
		}
		for i := len(l.at) - 1; i >= 0; i-- {
			told, change := l.told[i*n+row:][:lanes], d.change[i*apart+row:]
			heard, ahead := d.ahead[2*lanes*i:][:lanes], d.ahead[2*lanes*i+lanes:][:lanes]
			for k := range sum {
				v := int16(d.rule.scaled(d.rule.add(int32(ahead[k]), sum[k])))
				sum[k] = d.rule.add(sum[k], int32(heard[k]))
				change[k], change[s.size+k] = v-told[k], v-told[k]
				told[k] = v
			}
		}
	}
	for i, begin := range l.column {
		shift := int(l.at[i] - begin)
		belief, change := d.belief[begin:], d.change[i*apart+s.size-shift:]
		for k, c := range change[:s.size] {
			belief[k] += c
		}
		copy(belief[s.size:], belief[:s.size])
	}
}

// meetsPlain is meets.
func (d *Decoder) meetsPlain(l *layer) bool {
	for row := range d.code.shape.size {
		var signs int16
		for _, at := range l.at {
			b := d.belief[int(at)+row]
			if b == 0 {
				return false
			}
			signs ^= b
		}
		if signs < 0 {
			return false
		}
	}
	return true
}
