package ldpc

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"slices"
)

// parity is the generator matrix right of its identity, an array of circulants, by their
// first rows. Each row stands twice over, so that any row of the circulant is a run of bits
// in it, and those of all parity blocks for one information block stand side by side:
// octet 0 of each, then octet 1 of each. A run for all of them that begins at a whole octet
// is so one run of octets.
type parity struct {
	size  int
	sent  int      // parity blocks that are sent
	run   int      // octets of a run: one more than a row needs, for what is shifted in
	first [][]byte // by information block
}

func newParity(s shape, rows [][][]int) parity {
	p := parity{size: s.size, sent: s.columns - s.data - s.hidden}
	p.run = p.sent * ((s.size+7)/8 + 1)
	p.first = make([][]byte, s.data)
	octets := (2*s.size+7)/8 + 1
	for d := range p.first {
		p.first[d] = make([]byte, p.sent*octets)
		for b := range p.sent {
			for _, i := range rows[b][d] {
				for at := i; at < 8*octets; at += s.size {
					p.first[d][at/8*p.sent+b] |= 1 << (7 - at%8)
				}
			}
		}
	}
	return p
}

// sum fills sums, a run, with the parity of data, of which short bits in front are zero and
// not there. Bit i of a block turns over the run from bit size-i on: all of those with
// the same place in an octet are added before the sum is shifted there with the rest.
func (p *parity) sum(sums, data []byte, short int) {
	clear(sums)
	for place := 7; place >= 0; place-- {
		p.shift(sums)
		for d, first := range p.first {
			for i := (p.size - place) % 8; i < p.size; i += 8 {
				at := d*p.size + i - short
				if at >= 0 && data[at/8]>>(7-at%8)&1 != 0 {
					run := first[(p.size-i)/8*p.sent:]
					subtle.XORBytes(sums, sums, run[:p.run])
				}
			}
		}
	}
}

// shift shifts each block of sums left by a bit.
func (p *parity) shift(sums []byte) {
	const top, rest = 0x0101010101010101, 0xFEFEFEFEFEFEFEFE
	i := 0
	for ; i+p.sent+8 <= len(sums); i += 8 {
		v, next := binary.LittleEndian.Uint64(sums[i:]), binary.LittleEndian.Uint64(sums[i+p.sent:])
		binary.LittleEndian.PutUint64(sums[i:], v<<1&rest|next>>7&top)
	}
	for ; i < len(sums); i++ {
		v := sums[i] << 1
		if i+p.sent < len(sums) {
			v |= sums[i+p.sent] >> 7
		}
		sums[i] = v
	}
}

// Encode appends the codeword of data, of DataBits bits, to dst.
func (c *Code) Encode(dst, data []byte) ([]byte, error) {
	if 8*len(data) != c.DataBits() {
		return dst, fmt.Errorf("LDPC encode %v: %d octets, want %d: %w", c.name, len(data), c.DataBits()/8, ErrLength)
	}
	p := &c.parity
	// The sums are worked out behind where the codeword ends.
	all := len(dst) + c.Bits()/8
	dst = append(slices.Grow(dst, c.Bits()/8+p.run), data...)
	sums := dst[all : all+p.run]
	p.sum(sums, data, c.shape.short)
	if p.size%8 != 0 {
		return p.appendBits(dst, sums, c.shape.fill), nil
	}
	for b := range p.sent {
		for i := range p.size / 8 {
			dst = append(dst, sums[i*p.sent+b])
		}
	}
	return dst, nil
}

// appendBits appends parity blocks that do not end at an octet.
func (p *parity) appendBits(dst, sums []byte, fill int) []byte {
	var v byte
	n := 0
	for at := range p.sent*p.size + fill {
		v <<= 1
		if b := at / p.size; b < p.sent {
			i := at % p.size
			v |= sums[i/8*p.sent+b] >> (7 - i%8) & 1
		}
		if n++; n == 8 {
			dst = append(dst, v)
			v, n = 0, 0
		}
	}
	return dst
}
