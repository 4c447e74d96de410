package ldpc

import "math/bits"

// element is a polynomial over GF(2) modulo x^size + 1: a circulant. Where size is below
// 64 it stands repeated in its one word, so that turning the word turns the polynomial.
type element []uint64

// ring is the arithmetic of circulants whose size is a power of two from 1 on. Since then
// x^size + 1 = (x+1)^size, an element has an inverse when its weight is odd.
type ring struct{ size, words int }

func newRing(size int) ring { return ring{size, max(1, size/64)} }

func (r ring) zero() element { return make(element, r.words) }

// flip adds x^i.
func (r ring) flip(e element, i int) {
	for ; i < 64*r.words; i += r.size {
		e[i/64] ^= 1 << (i % 64)
	}
}

func (r ring) get(e element, i int) uint64 { return e[i/64] >> (i % 64) & 1 }

// weight counts the ones.
func (r ring) weight(e element) (n int) {
	for _, w := range e {
		n += bits.OnesCount64(w)
	}
	return n * r.size / (64 * r.words)
}

// add adds a·x^shift to dst.
func (r ring) add(dst, a element, shift int) {
	at, by := shift/64, shift%64
	if r.words == 1 {
		dst[0] ^= bits.RotateLeft64(a[0], by)
		return
	}
	for i, w := range a {
		k := (i + at) & (r.words - 1)
		dst[k] ^= w << by
		if by != 0 {
			dst[(k+1)&(r.words-1)] ^= w >> (64 - by)
		}
	}
}

// addProduct adds a·b to dst; it is quick where a is sparse.
func (r ring) addProduct(dst, a, b element) {
	for i := range r.size {
		if r.get(a, i) != 0 {
			r.add(dst, b, i)
		}
	}
}

func (r ring) product(a, b element) element {
	p := r.zero()
	if r.weight(a) > r.weight(b) {
		a, b = b, a
	}
	r.addProduct(p, a, b)
	return p
}

// inverse is a^(size-1), as a^size = 1: the product of a, a², a⁴ and so on.
func (r ring) inverse(a element) element {
	inv := r.zero()
	r.flip(inv, 0)
	for power, n := a, r.size; n > 1; n /= 2 {
		inv = r.product(inv, power)
		square := r.zero()
		for i := range r.size {
			if r.get(power, i) != 0 {
				r.flip(square, 2*i%r.size)
			}
		}
		power = square
	}
	return inv
}

// solve turns the matrix [Q P], of rows·columns elements with P square on the right, into
// the rows of P⁻¹·Q. It reports whether P has an inverse. m is overwritten.
func (r ring) solve(m [][]element) ([][]element, bool) {
	rows, columns := len(m), len(m[0])
	data := columns - rows
	done := make([]bool, rows)
	out := make([][]element, rows)
	for range rows {
		row, column := r.pivot(m, done, data, out)
		if row < 0 {
			return nil, false
		}
		inv := r.inverse(m[row][column])
		for c := range columns {
			m[row][c] = r.product(inv, m[row][c])
		}
		for other := range rows {
			f := m[other][column]
			if other == row || r.weight(f) == 0 {
				continue
			}
			f = append(element(nil), f...)
			for c := range columns {
				if r.weight(m[row][c]) > 0 {
					r.addProduct(m[other][c], f, m[row][c])
				}
			}
		}
		done[row], out[column-data] = true, m[row]
	}
	for i := range out {
		out[i] = out[i][:data]
	}
	return out, true
}

// pivot finds the sparsest element with an inverse in the rows and columns still to do.
func (r ring) pivot(m [][]element, done []bool, data int, out [][]element) (row, column int) {
	row, least := -1, r.size+1
	for i := range m {
		for c := data; c < len(m[i]) && !done[i]; c++ {
			if out[c-data] != nil {
				continue
			}
			if w := r.weight(m[i][c]); w%2 == 1 && w < least {
				row, column, least = i, c, w
			}
		}
	}
	return row, column
}
