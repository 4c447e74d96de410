package coding

import "encoding/binary"

// Decoding of one codeword. The remainder of the received word by the generator is zero
// for a good word, which costs one table look-up a symbol; otherwise the remainder alone,
// 2E symbols, gives the syndromes. Then Berlekamp–Massey finds the error locator, Chien's
// search its roots, and Forney's formula the errors.

// maxE is the larger of the two correction capabilities.
const maxE = 16

// poly is a polynomial with coefficients from x^0 on.
type poly [2*maxE + 1]byte

// erased lists the erasures of one codeword, as powers of x.
type erased struct {
	places [2 * maxE]int
	n      int
	known  [rsN]bool
}

// decodeWord corrects codeword c of block; lost may be nil.
func (r *RS) decodeWord(block []byte, c int, lost *erased) (corrected int, ok bool) {
	var rem [32]byte
	checks := 2 * r.e
	at := len(block) - r.interleave*checks
	r.divide(block[:at], c, &rem)
	var any byte
	for i := range checks {
		rem[i] ^= block[at+i*r.interleave+c]
		any |= rem[i]
	}
	if any == 0 {
		return 0, true
	}
	syn := r.syndromes(&rem)
	start, known := poly{1}, 0
	if lost != nil {
		start, known = lost.locator(), lost.n
	}
	locator, degree := berlekampMassey(&syn, checks, &start, known)
	if 2*degree-known > checks {
		return 0, false
	}
	var places [2 * maxE]int
	n := len(block) / r.interleave
	if !chien(&locator, degree, n, &places) {
		return 0, false
	}
	var values [2 * maxE]byte
	if !r.forney(&syn, &locator, places[:degree], &values, lost) {
		return 0, false
	}
	for i, p := range places[:degree] {
		v := values[i]
		if v != 0 {
			corrected++
		}
		if r.dual {
			v = toDual[v]
		}
		block[(n-1-p)*r.interleave+c] ^= v
	}
	return corrected, true
}

// locator is the polynomial with a root for each erasure.
func (l *erased) locator() poly {
	g := poly{1}
	for k, p := range l.places[:l.n] {
		root := gfExp[11*p%255]
		for i := k + 1; i > 0; i-- {
			g[i] ^= gfMul(g[i-1], root)
		}
	}
	return g
}

// syndromes evaluates the remainder, high powers first, at the generator's roots.
func (r *RS) syndromes(rem *[32]byte) (syn [2 * maxE]byte) {
	checks := 2 * r.e
	var sum [4]uint64
	for i := range checks {
		s := rem[i]
		if r.dual {
			s = fromDual[s]
		}
		if s == 0 {
			continue
		}
		// The term s·x^power at alpha^(11 j), for 32 values of j from the first root on.
		power := checks - 1 - i
		if power == 0 {
			for k := range sum {
				sum[k] ^= ones64 * uint64(s)
			}
			continue
		}
		at := runs.values[runs.begin(power, int(gfLog[s])+11*power*firstRoot(r.e)):]
		at = at[:32]
		sum[0] ^= binary.LittleEndian.Uint64(at)
		sum[1] ^= binary.LittleEndian.Uint64(at[8:])
		sum[2] ^= binary.LittleEndian.Uint64(at[16:])
		sum[3] ^= binary.LittleEndian.Uint64(at[24:])
	}
	for i, w := range sum {
		binary.LittleEndian.PutUint64(syn[8*i:], w)
	}
	clear(syn[checks:])
	return syn
}

// berlekampMassey returns the shortest locator polynomial that explains the syndromes and
// has the known erasures' locator start as a factor, and its degree. Too many errors give
// a degree for which 2·degree - known is above the number of checks.
func berlekampMassey(syn *[2 * maxE]byte, checks int, start *poly, known int) (locator poly, degree int) {
	prev, saved := *start, poly{}
	locator, degree = *start, known
	shift, scale := 1, byte(1)
	for k := known; k < checks; k++ {
		d := syn[k]
		for i := 1; i <= min(degree, k); i++ {
			d ^= gfMul(locator[i], syn[k-i])
		}
		if d == 0 {
			shift++
			continue
		}
		saved = locator
		f := gfMul(d, gfInv(scale))
		for i := 0; i+shift <= checks; i++ {
			locator[i+shift] ^= gfMul(f, prev[i])
		}
		if 2*degree > k+known {
			shift++
			continue
		}
		degree, prev, scale, shift = k+1+known-degree, saved, d, 1
	}
	if degree <= 2*maxE && locator[degree] == 0 {
		degree = 4 * maxE // fewer roots than errors: not a locator
	}
	return locator, degree
}

// chien finds the places, as powers of x below n, at which the locator has its roots. It
// fails unless there are as many as its degree.
func chien(locator *poly, degree, n int, places *[2 * maxE]int) bool {
	// Term i is locator[i]·X^-i with X = alpha^(11 p). Place p = 254-q makes its exponent
	// grow with q, so that eight places are eight octets of a run.
	var begin [2 * maxE]int
	terms := 0
	for i := 1; i <= degree; i++ {
		if c := locator[i]; c != 0 {
			begin[terms] = runs.begin(i, int(gfLog[c])+11*i) // X^-i at p = 254 is alpha^(11 i)
			terms++
		}
	}
	found := 0
	for q := (rsN - n) &^ 7; q < rsN && found < degree; q += 8 {
		sum := ones64
		for _, at := range begin[:terms] {
			sum ^= binary.LittleEndian.Uint64(runs.values[at+q:])
		}
		if (sum-ones64)&^sum&high64 == 0 {
			continue // no octet is zero
		}
		for k := range 8 {
			p := rsN - 1 - q - k
			if byte(sum>>(8*k)) == 0 && p >= 0 && p < n && found < degree {
				places[found] = p
				found++
			}
		}
	}
	return found == degree
}

const (
	ones64 = uint64(0x0101010101010101)
	high64 = uint64(0x8080808080808080)
)

// forney computes the error at each place. Only an erasure may turn out to be none.
func (r *RS) forney(syn *[2 * maxE]byte, locator *poly, places []int, values *[2 * maxE]byte, lost *erased) bool {
	degree := len(places)
	var omega poly // syndromes times locator, modulo x^2E; its degree is below the locator's
	for i := range degree {
		for j := 0; j <= i; j++ {
			omega[i] ^= gfMul(syn[i-j], locator[j])
		}
	}
	for k, p := range places {
		inv := 255 - 11*p%255 // exponent of X^-1
		var num, den byte
		exp := 0
		for i := range degree {
			if omega[i] != 0 {
				num ^= gfExp[int(gfLog[omega[i]])+exp]
			}
			if i%2 == 0 && locator[i+1] != 0 {
				den ^= gfExp[int(gfLog[locator[i+1]])+exp]
			}
			exp = (exp + inv) % 255
		}
		if den == 0 || num == 0 && (lost == nil || !lost.known[p]) {
			return false
		}
		// X^(1-first) · omega(X^-1) / locator'(X^-1)
		power := 11 * p * (1 - firstRoot(r.e)) % 255
		if power < 0 {
			power += 255
		}
		values[k] = gfMul(gfMul(num, gfInv(den)), gfExp[power])
	}
	return true
}
