package lossless

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// bitWriter appends bits, most significant first.
type bitWriter struct {
	out  []byte
	word uint64 // the last used bits are not in out yet
	used int    // 0 to 31
}

// put appends the low n bits of v, n ≤ 32; higher bits of v are zero.
func (w *bitWriter) put(v uint32, n int) {
	w.word = w.word<<n | uint64(v)
	w.used += n
	if w.used >= 32 {
		w.used -= 32
		w.out = binary.BigEndian.AppendUint32(w.out, uint32(w.word>>w.used))
	}
}

// unary appends v zeros and a one, a fundamental sequence.
func (w *bitWriter) unary(v uint32) {
	for ; v >= 32; v -= 32 {
		w.put(0, 32)
	}
	w.put(0, int(v))
	w.put(1, 1)
}

// bytes fills the last octet with zeros and returns all.
func (w *bitWriter) bytes() []byte {
	w.put(0, -w.used&7)
	for w.used > 0 {
		w.used -= 8
		w.out = append(w.out, byte(w.word>>w.used))
	}
	return w.out
}

// bitReader takes bits, most significant first.
type bitReader struct {
	data []byte
	at   int    // next octet of data to load
	word uint64 // left-aligned; below the have bits it is zero
	have int
}

var errEnd = fmt.Errorf("%w: they end too early", ErrData)

// fill loads octets until at least 56 bits are there or the data end.
func (r *bitReader) fill() {
	for r.have <= 56 && r.at < len(r.data) {
		r.word |= uint64(r.data[r.at]) << (56 - r.have)
		r.at++
		r.have += 8
	}
}

// get takes n ≤ 32 bits.
func (r *bitReader) get(n int) (uint32, error) {
	if r.have < n {
		if r.fill(); r.have < n {
			return 0, errEnd
		}
	}
	v := uint32(r.word >> 32 >> (32 - n))
	r.word <<= n
	r.have -= n
	return v, nil
}

// unary takes zeros up to a one and returns how many.
func (r *bitReader) unary() (uint32, error) {
	zeros := 0
	for {
		if r.have == 0 {
			if r.fill(); r.have == 0 {
				return 0, errEnd
			}
		}
		n := bits.LeadingZeros64(r.word)
		if n < r.have {
			r.word <<= n + 1
			r.have -= n + 1
			return uint32(min(zeros+n, 1<<32-1)), nil
		}
		zeros += r.have
		r.word, r.have = 0, 0
	}
}

// rest returns the number of bits left and whether they are all zero.
func (r *bitReader) rest() (n int, zero bool) {
	zero = r.word == 0
	for _, b := range r.data[r.at:] {
		zero = zero && b == 0
	}
	return r.have + 8*(len(r.data)-r.at), zero
}
