package turbo

import "fmt"

// Encode appends the codeword of data, of DataBits bits, to dst; the last octet is filled
// with zeros.
func (c *Code) Encode(dst, data []byte) ([]byte, error) {
	if 8*len(data) != c.k {
		return dst, fmt.Errorf("turbo encode: %d octets, want %d: %w", len(data), c.k/8, ErrLength)
	}
	var first, second uint8 // states
	var v byte
	n := 0
	for s := range c.k + tail {
		var in, a, b uint8
		if s < c.k {
			in = data[s/8] >> (7 - s%8) & 1
			at := c.order[s]
			a, first = advance(first, in)
			b, second = advance(second, data[at/8]>>(7-at%8)&1)
		} else { // the feedback cancels itself: zeros enter the registers
			in = feedback(first)
			a, first = advance(first, in)
			b, second = advance(second, feedback(second))
		}
		for _, o := range c.sequence[s%len(c.sequence)] {
			bit := in
			switch {
			case o.second:
				bit = b >> o.connection & 1
			case o.connection > 0:
				bit = a >> o.connection & 1
			}
			v = v<<1 | bit
			if n++; n == 8 {
				dst = append(dst, v)
				v, n = 0, 0
			}
		}
	}
	if n > 0 {
		dst = append(dst, v<<(8-n))
	}
	return dst, nil
}

// advance takes one bit into a component and returns its lines and next state.
func advance(state, in uint8) (out, next uint8) {
	reg := (in^feedback(state))<<4 | state
	return lines[reg], reg >> 1
}
