package sdls

import "crypto/cipher"

const blockLength = 16

// cmac is the cipher-based MAC of NIST SP 800-38B with a block cipher of 16 octets, over
// the parts end to end.
func cmac(b cipher.Block, parts ...[]byte) [blockLength]byte {
	var k1, mac, last [blockLength]byte
	b.Encrypt(k1[:], k1[:])
	double(&k1)
	n := 0 // octets in last
	for _, p := range parts {
		for _, c := range p {
			if n == blockLength { // more comes, so this block is not the last
				xor(&mac, &last)
				b.Encrypt(mac[:], mac[:])
				n = 0
			}
			last[n] = c
			n++
		}
	}
	if n < blockLength {
		double(&k1)
		last[n] = 0x80
		clear(last[n+1:])
	}
	xor(&mac, &last)
	xor(&mac, &k1)
	b.Encrypt(mac[:], mac[:])
	return mac
}

func xor(dst, src *[blockLength]byte) {
	for i := range dst {
		dst[i] ^= src[i]
	}
}

// double multiplies by x in the field of 2^128 elements, without a branch on the key.
func double(k *[blockLength]byte) {
	carry := k[0] >> 7
	for i := range blockLength - 1 {
		k[i] = k[i]<<1 | k[i+1]>>7
	}
	k[blockLength-1] = k[blockLength-1]<<1 ^ carry*0x87
}
