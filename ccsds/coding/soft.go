package coding

// Soft bits. A received symbol is an int8 that says which bit it is and how sure the
// receiver was: positive for 0, negative for 1, its size the confidence, 0 for a symbol
// that was not received. It counts eighths of the log-likelihood ratio
// ln(P(0)/P(1)), so that ±127 means ±15.9; -128 is taken as -127. Decoders that compare
// paths only (Viterbi, min-sum) work with any other scale as well; sum-product and log-MAP
// lose a little where it is wrong.

// SoftScale is the number of steps of a soft bit in one unit of log-likelihood ratio.
const SoftScale = 8

// AppendSoft appends a soft bit of the given size for each bit of octets, most significant
// first, to dst: what a receiver with hard decisions has.
func AppendSoft(dst []int8, octets []byte, size int8) []int8 {
	for _, v := range octets {
		for bit := 7; bit >= 0; bit-- {
			s := size
			if v>>bit&1 != 0 {
				s = -s
			}
			dst = append(dst, s)
		}
	}
	return dst
}

// AppendHard appends the bits that soft stands for to dst, eight to an octet, most
// significant first; the last octet is filled with zeros. A soft bit of 0 is taken for 0.
func AppendHard(dst []byte, soft []int8) []byte {
	for len(soft) >= 8 {
		s := soft[:8:8]
		dst = append(dst, byte(s[0])>>7<<7|byte(s[1])>>7<<6|byte(s[2])>>7<<5|byte(s[3])>>7<<4|
			byte(s[4])>>7<<3|byte(s[5])>>7<<2|byte(s[6])>>7<<1|byte(s[7])>>7)
		soft = soft[8:]
	}
	if len(soft) > 0 {
		var v byte
		for i, s := range soft {
			v |= byte(s) >> 7 << (7 - i)
		}
		dst = append(dst, v)
	}
	return dst
}

// flipSoft turns the soft bits over where the repeated sequence has a one.
func flipSoft(soft []int8, seq []byte) {
	for i := range soft {
		if seq[i/8%len(seq)]>>(7-i%8)&1 != 0 {
			soft[i] = negate(soft[i])
		}
	}
}

// negate turns a soft bit over; -128 has no counterpart.
func negate(s int8) int8 { return -max(s, -127) }
