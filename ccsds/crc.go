package ccsds

// crcTable is the CRC of each octet for the generator x^16 + x^12 + x^5 + 1.
var crcTable = func() (t [256]uint16) {
	for i := range t {
		c := uint16(i) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x1021
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()

// CRC16 is the error control code of transfer frames (CCSDS 132.0-B-3 §4.1.6, CCSDS
// 232.0-B-4 §4.1.4) and of PUS packets: x^16 + x^12 + x^5 + 1, preset to all ones, most
// significant bit first, not inverted. Over data that ends in its own CRC it is zero.
func CRC16(data []byte) uint16 {
	c := uint16(0xFFFF)
	for _, b := range data {
		c = c<<8 ^ crcTable[byte(c>>8)^b]
	}
	return c
}
