package coding

import "encoding/binary"

// The BCH code of telecommands (CCSDS 231.0-B-4 §3): 56 information bits, 7 parity bits
// by g(x) = x^7 + x^6 + x^2 + 1, sent complemented, and a filler bit 0.
const (
	codeblockLength = 8
	codeblockData   = 7
)

// bchTable is the remainder after each octet, left-aligned in 8 bits.
var bchTable = func() (t [256]byte) {
	for i := range t {
		r := byte(i)
		for range 8 {
			if r&0x80 != 0 {
				r = r<<1 ^ 0x8A
			} else {
				r <<= 1
			}
		}
		t[i] = r
	}
	return t
}()

// bchBit gives for each syndrome the wrong bit of a codeblock, as a mask of its 64 bits;
// 0 where no single bit explains it.
var bchBit = func() (t [128]uint64) {
	good := uint64(bchParity(0))
	for bit := 1; bit < 64; bit++ {
		wrong := uint64(1) << bit
		t[bchSyndrome(good^wrong)] = wrong
	}
	return t
}()

// bchParity returns the last octet of the codeblock whose information is in the upper 56
// bits of w.
func bchParity(w uint64) byte {
	var r byte
	for shift := 56; shift >= 8; shift -= 8 {
		r = bchTable[r^byte(w>>shift)]
	}
	return r ^ 0xFE
}

// bchSyndrome returns 0 for a codeblock without error; its filler bit does not count.
func bchSyndrome(w uint64) byte { return (bchParity(w) ^ byte(w)) >> 1 }

// bchDecode corrects at most one bit of the codeblock w.
func bchDecode(w uint64) (fixed uint64, corrected int, ok bool) {
	s := bchSyndrome(w)
	if s == 0 {
		return w, 0, true
	}
	wrong := bchBit[s]
	return w ^ wrong, 1, wrong != 0
}

// appendCodeblock appends the codeblock of the 7 octets in data to dst.
func appendCodeblock(dst, data []byte) []byte {
	var b [8]byte
	copy(b[:codeblockData], data)
	w := binary.BigEndian.Uint64(b[:])
	return binary.BigEndian.AppendUint64(dst, w|uint64(bchParity(w)))
}
