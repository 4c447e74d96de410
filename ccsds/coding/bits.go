package coding

import "encoding/binary"

// bitBuffer holds the part of a bit stream that may still be looked at. Positions are bits
// since the beginning of the stream.
type bitBuffer struct {
	buf  []byte
	base uint64 // position of buf's first bit, a multiple of 8
}

func (b *bitBuffer) push(octets []byte) { b.buf = append(b.buf, octets...) }

// end is the position behind the last bit.
func (b *bitBuffer) end() uint64 { return b.base + 8*uint64(len(b.buf)) }

// word returns the 64 bits from pos on; where the buffer ends, zeros follow.
func (b *bitBuffer) word(pos uint64) uint64 {
	i, shift := (pos-b.base)/8, (pos-b.base)%8
	if i+9 <= uint64(len(b.buf)) {
		w := binary.BigEndian.Uint64(b.buf[i:])
		if shift == 0 {
			return w
		}
		return w<<shift | uint64(b.buf[i+8])>>(8-shift)
	}
	var last [9]byte
	if i < uint64(len(b.buf)) {
		copy(last[:], b.buf[i:])
	}
	return binary.BigEndian.Uint64(last[:])<<shift | uint64(last[8])>>(8-shift)
}

// copy fills dst with the bits from pos on.
func (b *bitBuffer) copy(dst []byte, pos uint64) {
	if (pos-b.base)%8 == 0 {
		copy(dst, b.buf[(pos-b.base)/8:])
		return
	}
	for len(dst) >= 8 {
		binary.BigEndian.PutUint64(dst, b.word(pos))
		dst, pos = dst[8:], pos+64
	}
	var tail [8]byte
	binary.BigEndian.PutUint64(tail[:], b.word(pos))
	copy(dst, tail[:])
}

// discard forgets the bits before pos, in whole octets, once enough have gathered to be
// worth the move.
func (b *bitBuffer) discard(pos uint64) {
	n := (pos - b.base) / 8
	if n == 0 || n < uint64(len(b.buf))/2 {
		return
	}
	n = min(n, uint64(len(b.buf)))
	b.buf = append(b.buf[:0], b.buf[n:]...)
	b.base += 8 * n
}
