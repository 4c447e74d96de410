package ldpc

import (
	"encoding/binary"
	"fmt"
)

// parity is the generator matrix right of its identity, an array of circulants, by their
// first rows: each is stored twice over so that any of its rows is a run of bits in it.
type parity struct {
	size  int
	words int        // of 64 bits that hold a row
	first [][]uint64 // by information block: for each parity block 2·words+1 words
	sent  int        // parity blocks that are sent
}

func newParity(s shape, rows [][][]int) parity {
	p := parity{size: s.size, words: (s.size + 63) / 64, sent: s.columns - s.data - s.hidden}
	p.first = make([][]uint64, s.data)
	stride := p.stride()
	for d := range p.first {
		p.first[d] = make([]uint64, p.sent*stride)
		for b := range p.sent {
			for _, i := range rows[b][d] {
				for at := i; at < 64*stride; at += s.size {
					p.first[d][b*stride+at/64] |= 1 << (63 - at%64)
				}
			}
		}
	}
	return p
}

func (p *parity) stride() int { return 2*p.words + 1 }

// add turns over in sums what information bit i of block d turns over: the row shifted
// right by i, so from bit size-i on in the stored run.
func (p *parity) add(sums []uint64, d, i int) {
	at := p.size - i
	word, by := at/64, at%64
	stride := p.stride()
	for b := range p.sent {
		src := p.first[d][b*stride+word:][:p.words+1]
		dst := sums[b*p.words:][:p.words]
		for k := range dst {
			dst[k] ^= src[k]<<by | src[k+1]>>1>>(63-by)
		}
	}
}

// Encode appends the codeword of data, of DataBits bits, to dst.
func (c *Code) Encode(dst, data []byte) ([]byte, error) {
	if 8*len(data) != c.DataBits() {
		return dst, fmt.Errorf("LDPC encode %v: %d octets, want %d: %w", c.name, len(data), c.DataBits()/8, ErrLength)
	}
	p := &c.parity
	var small [8]uint64
	sums := small[:]
	if n := p.sent * p.words; n > len(small) {
		sums = make([]uint64, n)
	}
	for k, v := range data {
		for bit := range 8 {
			if v>>(7-bit)&1 != 0 {
				at := c.shape.short + 8*k + bit
				p.add(sums, at/p.size, at%p.size)
			}
		}
	}
	dst = append(dst, data...)
	if p.size%64 == 0 {
		for _, w := range sums[:p.sent*p.words] {
			dst = binary.BigEndian.AppendUint64(dst, w)
		}
		return dst, nil
	}
	return p.appendBits(dst, sums, c.shape.fill), nil
}

// appendBits appends parity blocks that do not end at a word.
func (p *parity) appendBits(dst []byte, sums []uint64, fill int) []byte {
	var v byte
	n := 0
	for at := range p.sent*p.size + fill {
		v <<= 1
		if b := at / p.size; b < p.sent {
			i := at % p.size
			v |= byte(sums[b*p.words+i/64] >> (63 - i%64) & 1)
		}
		if n++; n == 8 {
			dst = append(dst, v)
			v, n = 0, 0
		}
	}
	return dst
}
