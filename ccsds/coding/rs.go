package coding

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// rsN is the length of a codeword in symbols, maxInterleave the deepest interleaving.
const (
	rsN           = 255
	maxInterleave = 8
)

// ErrUncorrectable says that a codeword holds more errors than the code corrects.
var ErrUncorrectable = errors.New("uncorrectable codeword")

// RS is the Reed–Solomon code of CCSDS 131.0-B-5 §4, which corrects E symbols in each
// codeword of 255, with symbol interleaving (§4.3.5): octet k of a block belongs to
// codeword k mod I. An RS never changes; several goroutines may use one.
type RS struct {
	e, interleave int
	dual          bool
	// feedback is the generator times each symbol: what one step of the encoder adds to its
	// register, high powers first, in the basis in which symbols are sent. Since a
	// change of basis is linear, the register needs none.
	feedback [256][4]uint64
}

// NewRS returns the code that corrects e = 8 or 16 symbols, at interleave depth 1, 2, 3,
// 4, 5 or 8, in the dual basis that the book demands or the conventional one.
func NewRS(e, interleave int, dual bool) (*RS, error) {
	if e != 8 && e != 16 {
		return nil, fmt.Errorf("reed-solomon: corrects %d symbols, want 8 or 16", e)
	}
	switch interleave {
	case 1, 2, 3, 4, 5, 8:
	default:
		return nil, fmt.Errorf("reed-solomon: interleave depth %d, want 1, 2, 3, 4, 5 or 8", interleave)
	}
	r := &RS{e: e, interleave: interleave, dual: dual}
	g := generator(e)
	for s := range 256 {
		c := byte(s)
		if dual {
			c = fromDual[s]
		}
		var row [32]byte
		for i := range 2 * e {
			p := gfMul(c, g[2*e-1-i])
			if dual {
				p = toDual[p]
			}
			row[i] = p
		}
		for w := range r.feedback[s] {
			r.feedback[s][w] = binary.BigEndian.Uint64(row[8*w:])
		}
	}
	return r, nil
}

// firstRoot is the exponent, in powers of alpha^11, of the generator's first root.
func firstRoot(e int) int { return 128 - e }

// generator returns the coefficients of the generator polynomial, x^0 first, whose roots
// are alpha^(11 j) for j = 128-e to 127+e (§4.3).
func generator(e int) []byte {
	g := []byte{1}
	for j := firstRoot(e); j < 128+e; j++ {
		root := gfExp[11*j%255]
		next := make([]byte, len(g)+1)
		for i, c := range g {
			next[i+1] ^= c
			next[i] ^= gfMul(c, root)
		}
		g = next
	}
	return g
}

// E is the number of symbols corrected in each codeword.
func (r *RS) E() int { return r.e }

// Interleave is the number of codewords in a block.
func (r *RS) Interleave() int { return r.interleave }

// DataLength is the octets that go into a full block.
func (r *RS) DataLength() int { return r.interleave * (rsN - 2*r.e) }

// BlockLength is the octets of a full block: data and check symbols.
func (r *RS) BlockLength() int { return r.interleave * rsN }

// CheckLength is the octets of check symbols in any block.
func (r *RS) CheckLength() int { return r.interleave * 2 * r.e }

// Encode appends data and its check symbols to dst. data holds at most DataLength octets
// and a multiple of the interleave depth; less than a full block is a shortened code by
// virtual fill (§4.3.7), which is not sent.
func (r *RS) Encode(dst, data []byte) ([]byte, error) {
	if len(data) == 0 || len(data) > r.DataLength() || len(data)%r.interleave != 0 {
		return dst, fmt.Errorf("reed-solomon encode: %d octets, want a multiple of %d up to %d", len(data), r.interleave, r.DataLength())
	}
	dst = append(dst, data...)
	at := len(dst)
	dst = append(dst, make([]byte, r.CheckLength())...)
	var check [32]byte
	for c := range r.interleave {
		r.divide(data, c, &check)
		for i := range 2 * r.e {
			dst[at+i*r.interleave+c] = check[i]
		}
	}
	return dst, nil
}

// divide leaves in check the remainder by the generator of codeword c's data, times
// x^2E: its check symbols, high powers first.
func (r *RS) divide(data []byte, c int, check *[32]byte) {
	var a, b, u, v uint64
	if r.e == 8 {
		for k := c; k < len(data); k += r.interleave {
			t := &r.feedback[byte(a>>56)^data[k]]
			a, b = (a<<8|b>>56)^t[0], b<<8^t[1]
		}
	} else {
		for k := c; k < len(data); k += r.interleave {
			t := &r.feedback[byte(a>>56)^data[k]]
			a, b, u, v = (a<<8|b>>56)^t[0], (b<<8|u>>56)^t[1], (u<<8|v>>56)^t[2], v<<8^t[3]
		}
	}
	binary.BigEndian.PutUint64(check[0:], a)
	binary.BigEndian.PutUint64(check[8:], b)
	binary.BigEndian.PutUint64(check[16:], u)
	binary.BigEndian.PutUint64(check[24:], v)
}

// Decode corrects a block in place and returns how many symbols it changed. When a
// codeword cannot be corrected it is left as it was, the others are corrected, and the
// error wraps ErrUncorrectable. A shortened block is decoded by its length.
func (r *RS) Decode(block []byte) (corrected int, err error) { return r.decode(block, nil) }

// DecodeErasures is Decode where some octets of the block, given by their places in any
// order, are known to be unreliable. A codeword with s erasures is corrected when it holds
// up to E - s/2 errors elsewhere; with more than 2E erasures it never is.
func (r *RS) DecodeErasures(block []byte, erasures []int) (corrected int, err error) {
	var words [maxInterleave]erased
	for _, at := range erasures {
		if at < 0 || at >= len(block) || len(block) > r.BlockLength() {
			return 0, fmt.Errorf("reed-solomon decode: erasure of octet %d in a block of %d", at, len(block))
		}
		l := &words[at%r.interleave]
		p := (len(block) - 1 - at) / r.interleave
		if l.known[p] {
			continue
		}
		l.known[p] = true
		if l.n < len(l.places) {
			l.places[l.n] = p
		}
		l.n++
	}
	return r.decode(block, &words)
}

func (r *RS) decode(block []byte, lost *[maxInterleave]erased) (corrected int, err error) {
	if len(block) <= r.CheckLength() || len(block) > r.BlockLength() || len(block)%r.interleave != 0 {
		return 0, fmt.Errorf("reed-solomon decode: %d octets, want a multiple of %d above %d and up to %d", len(block), r.interleave, r.CheckLength(), r.BlockLength())
	}
	bad := 0
	for c := range r.interleave {
		var l *erased
		if lost != nil && lost[c].n > 0 {
			l = &lost[c]
		}
		n, ok := 0, false
		if l == nil || l.n <= 2*r.e {
			n, ok = r.decodeWord(block, c, l)
		}
		if !ok {
			bad++
		}
		corrected += n
	}
	if bad > 0 {
		return corrected, fmt.Errorf("reed-solomon decode: %d of %d codewords: %w", bad, r.interleave, ErrUncorrectable)
	}
	return corrected, nil
}
