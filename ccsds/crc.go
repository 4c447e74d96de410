package ccsds

// crcTables holds at [k] the CRC of each octet with k octets of zeros behind it, for the
// generator x^16 + x^12 + x^5 + 1.
var crcTables = func() (t [8][256]uint16) {
	for i := range t[0] {
		c := uint16(i) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x1021
			} else {
				c <<= 1
			}
		}
		t[0][i] = c
	}
	for k := range t[1:] {
		for i, c := range t[k] {
			t[k+1][i] = c<<8 ^ t[0][c>>8]
		}
	}
	return t
}()

// CRC16 is the error control code of transfer frames (CCSDS 132.0-B-3 §4.1.6, CCSDS
// 232.0-B-4 §4.1.4) and of PUS packets: x^16 + x^12 + x^5 + 1, preset to all ones, most
// significant bit first, not inverted. Over data that ends in its own CRC it is zero.
func CRC16(data []byte) uint16 {
	c, t := uint16(0xFFFF), &crcTables
	for ; len(data) >= 8; data = data[8:] {
		b := data[:8:8]
		c = t[7][b[0]^byte(c>>8)] ^ t[6][b[1]^byte(c)] ^ t[5][b[2]] ^ t[4][b[3]] ^
			t[3][b[4]] ^ t[2][b[5]] ^ t[1][b[6]] ^ t[0][b[7]]
	}
	for _, b := range data {
		c = c<<8 ^ t[0][byte(c>>8)^b]
	}
	return c
}
