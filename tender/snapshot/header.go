package snapshot

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/hvt"
)

const digestSize = 32

// encoder and decoder walk the same fields in the same order: see walk.
type encoder struct{ b []byte }

func (e *encoder) u8(v *bool) {
	n := byte(0)
	if *v {
		n = 1
	}
	e.b = append(e.b, n)
}
func (e *encoder) u16(v *uint16)          { e.b = binary.LittleEndian.AppendUint16(e.b, *v) }
func (e *encoder) u32(v *uint32)          { e.b = binary.LittleEndian.AppendUint32(e.b, *v) }
func (e *encoder) u64(v *uint64)          { e.b = binary.LittleEndian.AppendUint64(e.b, *v) }
func (e *encoder) raw(b []byte)           { e.b = append(e.b, b...) }
func (e *encoder) text(s *string, _ int)  { e.count(len(*s)); e.b = append(e.b, *s...) }
func (e *encoder) bytes(b *[]byte, _ int) { e.count(len(*b)); e.b = append(e.b, *b...) }
func (e *encoder) list(n int, _ int) int  { e.count(n); return n }
func (e *encoder) count(n int)            { e.b = binary.LittleEndian.AppendUint32(e.b, uint32(n)) }

// decoder remembers that it failed; then everything it gives is zero.
type decoder struct {
	b      []byte
	failed bool
}

func (d *decoder) take(n int) []byte {
	if n > len(d.b) {
		d.failed, d.b = true, nil
		return make([]byte, min(n, 8))
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}
func (d *decoder) u8(v *bool) {
	b := d.take(1)[0]
	*v, d.failed = b == 1, d.failed || b > 1
}
func (d *decoder) u16(v *uint16) { *v = binary.LittleEndian.Uint16(d.take(2)) }
func (d *decoder) u32(v *uint32) { *v = binary.LittleEndian.Uint32(d.take(4)) }
func (d *decoder) u64(v *uint64) { *v = binary.LittleEndian.Uint64(d.take(8)) }
func (d *decoder) raw(b []byte)  { copy(b, d.take(len(b))) }

// list gives a length that the rest can hold.
func (d *decoder) list(_ int, most int) int {
	n := uint32(0)
	if d.u32(&n); n > uint32(most) || int(n) > len(d.b) {
		d.failed = true
		return 0
	}
	return int(n)
}
func (d *decoder) text(s *string, most int) { *s = string(d.take(d.list(0, most))) }
func (d *decoder) bytes(b *[]byte, most int) {
	*b = append([]byte(nil), d.take(d.list(0, most))...)
}

type codec interface {
	u8(*bool)
	u16(*uint16)
	u32(*uint32)
	u64(*uint64)
	raw([]byte)
	text(*string, int)
	bytes(*[]byte, int)
	list(n, most int) int
}

// each walks a list of up to most items.
func each[T any](c codec, list *[]T, most int, walk func(*T)) {
	n := c.list(len(*list), most)
	if len(*list) != n {
		*list = make([]T, n)
	}
	for i := range *list {
		walk(&(*list)[i])
	}
}

func (h *Header) walk(c codec) {
	c.text(&h.Arch, maxText)
	c.text(&h.CPU, maxText)
	c.u32(&h.ABI)
	for _, v := range []*uint64{&h.CycleFreq, &h.Counter, &h.Wall, &h.Memory, &h.Mapped, &h.Extension} {
		c.u64(v)
	}
	c.bytes(&h.Manifest, 1<<16)
	each(c, &h.Protected, maxRanges, func(r *Range) {
		c.u64(&r.Start)
		c.u64(&r.End)
		c.u8(&r.Read)
		c.u8(&r.Write)
	})
	each(c, &h.VCPUs, hvt.MaxVCPUs, func(v *VCPU) {
		c.u8(&v.Begun)
		c.u8(&v.Woken)
		c.u32(&v.Call)
		c.u64(&v.Arg)
		c.u64(&v.Left)
		c.bytes(&v.State, maxState)
	})
	each(c, &h.Blocks, hvt.MaxEntries, func(b *Block) {
		c.text(&b.Name, maxText)
		c.u64(&b.Size)
		c.u32(&b.Sector)
		c.raw(b.Digest[:])
	})
	each(c, &h.Nets, hvt.MaxEntries, func(n *Net) {
		c.text(&n.Name, maxText)
		c.raw(n.MAC[:])
		c.u16(&n.MTU)
	})
	each(c, &h.Rings, hvt.MaxEntries, func(r *Ring) {
		c.u32(&r.Number)
		c.bytes(&r.State, maxState)
	})
}

func (h *Header) encode() []byte {
	e := &encoder{}
	h.walk(e)
	return e.b
}

func decodeHeader(b []byte) (*Header, error) {
	h, d := &Header{}, &decoder{b: b}
	h.walk(d)
	if d.failed || len(d.b) != 0 {
		return nil, fmt.Errorf("%w: its header does not end where it should", ErrCorrupt)
	}
	return h, h.check()
}
