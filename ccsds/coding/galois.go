package coding

// The field of the Reed–Solomon code (CCSDS 131.0-B-5 §4.3): GF(256) by
// x^8 + x^7 + x^2 + x + 1, with alpha = x.
const fieldPoly = 0x187

// gfExp and gfLog are powers of alpha and their exponents. gfExp is doubled so that sums
// of two exponents need no reduction; gfLog[0] is never used.
var gfExp, gfLog = func() (exp [512]byte, log [256]uint8) {
	x := 1
	for i := range 255 {
		exp[i], exp[i+255] = byte(x), byte(x)
		log[x] = uint8(i)
		x <<= 1
		if x&0x100 != 0 {
			x ^= fieldPoly
		}
	}
	exp[510], exp[511] = exp[0], exp[1]
	return exp, log
}()

func gfMul(a, b byte) byte {
	if a == 0 || b == 0 {
		return 0
	}
	return gfExp[int(gfLog[a])+int(gfLog[b])]
}

// gfInv is defined for a ≠ 0.
func gfInv(a byte) byte { return gfExp[255-int(gfLog[a])] }

// toDual and fromDual change between the conventional basis, in which the arithmetic
// here is done, and Berlekamp's dual basis (§4.3.9), in which symbols are sent.
var toDual, fromDual = func() (to, from [256]byte) {
	// The image of each power of alpha, alpha^0 first: the transformation matrix of §4.3.9
	// read from its last row.
	rows := [8]byte{0x7B, 0xAF, 0x99, 0xFA, 0x86, 0xEC, 0xEF, 0x8D}
	for i := range to {
		for bit, row := range rows {
			if i>>bit&1 != 0 {
				to[i] ^= row
			}
		}
		from[to[i]] = byte(i)
	}
	return to, from
}()
