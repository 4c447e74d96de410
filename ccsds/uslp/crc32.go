package uslp

// crc32Table is the checksum of each octet for the generator
// x^32 + x^23 + x^21 + x^11 + x^2 + 1.
var crc32Table = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c>>31 != 0 {
				c = c<<1 ^ 0x00A00805
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()

// Checksum32 is the long frame error control field, CCSDS 732.1-B-3 annex B2, the CRC of
// Proximity-1: preset to zeros, most significant bit first. Over data that ends in its own
// checksum it is zero.
func Checksum32(data []byte) uint32 {
	var c uint32
	for _, b := range data {
		c = c<<8 ^ crc32Table[byte(c>>24)^b]
	}
	return c
}
