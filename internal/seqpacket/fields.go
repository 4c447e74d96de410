package seqpacket

import (
	"encoding/binary"
	"fmt"
)

// Writer appends the fields of a message; after the first error it appends
// nothing that matters.
type Writer struct {
	b     []byte
	start int
	err   error
}

// NewWriter begins a message of the given kind at the end of dst.
func NewWriter(dst []byte, kind byte) *Writer {
	return &Writer{b: append(dst, kind), start: len(dst)}
}

// Fail makes the message an error.
func (w *Writer) Fail(format string, a ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: "+format, append([]any{ErrMessage}, a...)...)
	}
}

// U8, U16, U32 and U64 append numbers.
func (w *Writer) U8(v uint8)   { w.b = append(w.b, v) }
func (w *Writer) U16(v uint16) { w.b = binary.LittleEndian.AppendUint16(w.b, v) }
func (w *Writer) U32(v uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, v) }
func (w *Writer) U64(v uint64) { w.b = binary.LittleEndian.AppendUint64(w.b, v) }

// Flag appends an octet, 0 or 1.
func (w *Writer) Flag(v bool) {
	if v {
		w.U8(1)
	} else {
		w.U8(0)
	}
}

// Bytes appends octets whose number is fixed.
func (w *Writer) Bytes(b []byte) { w.b = append(w.b, b...) }

// Str appends a u16 length and at most limit octets.
func (w *Writer) Str(s string, limit int) {
	if len(s) > limit {
		w.Fail("string of %d octets, at most %d", len(s), limit)
		return
	}
	w.U16(uint16(len(s)))
	w.b = append(w.b, s...)
}

// Done gives the slice with the message of at most limit octets at its end.
func (w *Writer) Done(limit int) ([]byte, error) {
	if n := len(w.b) - w.start; n > limit {
		w.Fail("%d octets, at most %d", n, limit)
	}
	return w.b, w.err
}

// Reader takes fields off a message; after the first error it yields zeroes.
type Reader struct {
	b   []byte
	err error
}

// NewReader begins to read a message of at most limit octets.
func NewReader(b []byte, limit int) (kind byte, r *Reader) {
	if len(b) < 1 || len(b) > limit {
		r = &Reader{}
		r.Fail("%d octets", len(b))
		return 0, r
	}
	return b[0], &Reader{b: b[1:]}
}

// Decode reads one message of at most limit octets, which must fill b exactly; read takes the
// fields of its kind.
func Decode[M any](b []byte, limit int, read func(kind byte, r *Reader) M) (M, error) {
	kind, r := NewReader(b, limit)
	m := read(kind, r)
	if err := r.Done(); err != nil {
		var none M
		return none, err
	}
	return m, nil
}

// Fail makes the message an error, unless it is one already.
func (r *Reader) Fail(format string, a ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: "+format, append([]any{ErrMessage}, a...)...)
	}
	r.b = nil
}

// OK says that nothing has failed yet.
func (r *Reader) OK() bool { return r.err == nil }

// Done says what was wrong, octets left over included.
func (r *Reader) Done() error {
	if len(r.b) > 0 {
		r.Fail("%d octets left over", len(r.b))
	}
	return r.err
}

// Take takes n octets, a part of the message.
func (r *Reader) Take(n int) []byte {
	if n > len(r.b) {
		r.Fail("truncated: %d octets wanted, %d left", n, len(r.b))
		return make([]byte, n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// U8, U16, U32 and U64 take numbers.
func (r *Reader) U8() uint8   { return r.Take(1)[0] }
func (r *Reader) U16() uint16 { return binary.LittleEndian.Uint16(r.Take(2)) }
func (r *Reader) U32() uint32 { return binary.LittleEndian.Uint32(r.Take(4)) }
func (r *Reader) U64() uint64 { return binary.LittleEndian.Uint64(r.Take(8)) }

// Flag takes an octet that must be 0 or 1.
func (r *Reader) Flag() bool {
	v := r.U8()
	if v > 1 {
		r.Fail("flag %d is neither 0 nor 1", v)
	}
	return v == 1
}

// Str takes a string of at most limit octets.
func (r *Reader) Str(limit int) string {
	n := int(r.U16())
	if n > limit {
		r.Fail("string of %d octets, at most %d", n, limit)
		return ""
	}
	return string(r.Take(n))
}
