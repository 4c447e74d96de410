package packets

// AppendNoise appends n octets of the sequence that fills the data field of frames with
// only idle data: a shift register of 32 cells over x^32 + x^22 + x^2 + x + 1, preset to
// all ones for each frame (CCSDS 732.1-B-3 annex H). It begins ff ff ff ff 6d b6 d8 61.
func AppendNoise(dst []byte, n int) []byte {
	s := ^uint32(0)
	for range n {
		dst = append(dst, byte(s>>24))
		for range 8 {
			// Cell 0 is the most significant bit and goes out first.
			in := s>>31 ^ s>>21 ^ s>>1 ^ s
			s = s<<1 | in&1
		}
	}
	return dst
}
