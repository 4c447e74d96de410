package cfdp

import (
	"fmt"
	"math"
)

// Directive is the code of a file directive, 727.0-B-5 table 5-4.
type Directive uint8

// File directive codes.
const (
	DirectiveEOF       Directive = 0x04
	DirectiveFinished  Directive = 0x05
	DirectiveACK       Directive = 0x06
	DirectiveMetadata  Directive = 0x07
	DirectiveNAK       Directive = 0x08
	DirectivePrompt    Directive = 0x09
	DirectiveKeepAlive Directive = 0x0C
)

func (d Directive) String() string {
	switch d {
	case DirectiveEOF:
		return "EOF"
	case DirectiveFinished:
		return "Finished"
	case DirectiveACK:
		return "ACK"
	case DirectiveMetadata:
		return "Metadata"
	case DirectiveNAK:
		return "NAK"
	case DirectivePrompt:
		return "Prompt"
	case DirectiveKeepAlive:
		return "Keep Alive"
	}
	return fmt.Sprintf("directive %#02x", uint8(d))
}

// Body is what follows the header: *EOF, *Finished, *ACK, *Metadata, *NAK,
// *Prompt, *KeepAlive or *FileData.
type Body interface {
	appendTo(dst []byte, h *Header) ([]byte, error)
	decode(r *reader, h *Header)
}

// Decode reads one PDU. Byte slices in the body refer to pdu.
func Decode(pdu []byte) (Header, Body, error) {
	h, data, err := DecodeHeader(pdu)
	if err != nil {
		return h, nil, err
	}
	b, err := decodeBody(&h, data)
	return h, b, err
}

func decodeBody(h *Header, data []byte) (Body, error) {
	r := &reader{data: data, base: h.Length()}
	if h.FileData {
		b := &FileData{}
		b.decode(r, h)
		return b, r.err
	}
	code := Directive(r.u8())
	if r.err != nil {
		return nil, r.err
	}
	var b Body
	switch code {
	case DirectiveEOF:
		b = &EOF{}
	case DirectiveFinished:
		b = &Finished{}
	case DirectiveACK:
		b = &ACK{}
	case DirectiveMetadata:
		b = &Metadata{}
	case DirectiveNAK:
		b = &NAK{}
	case DirectivePrompt:
		b = &Prompt{}
	case DirectiveKeepAlive:
		b = &KeepAlive{}
	default:
		return nil, decodeError(h.Length(), "unknown "+code.String())
	}
	b.decode(r, h)
	return b, r.end()
}

// Append writes one PDU to dst. h.FileData is set from the body.
func Append(dst []byte, h Header, b Body) ([]byte, error) {
	fd, isData := b.(*FileData)
	h.FileData = isData
	h.SegmentMetadata = isData && fd.HasMetadata
	start := len(dst)
	dst, err := h.appendTo(dst)
	if err == nil {
		dst, err = b.appendTo(dst, &h)
	}
	if err == nil {
		dst, err = h.seal(dst, start)
	}
	if err != nil {
		return nil, fmt.Errorf("encode CFDP PDU: %w", err)
	}
	return dst, nil
}

// reader takes fields off a data field; the first that does not fit sets err.
type reader struct {
	data []byte
	at   int
	base int // offset of data in the PDU, for messages
	err  error
}

func (r *reader) fail(reason string) {
	if r.err == nil {
		r.err = decodeError(r.base+r.at, reason)
	}
}

func (r *reader) left() int { return len(r.data) - r.at }

func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || r.left() < n {
		r.fail(fmt.Sprintf("needs %d octets, %d left", n, r.left()))
		return nil
	}
	b := r.data[r.at : r.at+n]
	r.at += n
	return b
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return uint32(getUint(b, 4))
	}
	return 0
}

// offset reads a file size or offset, FSS.
func (r *reader) offset(h *Header) uint64 {
	n := h.offsetLength()
	if b := r.take(n); b != nil {
		return getUint(b, n)
	}
	return 0
}

// lv reads a length octet and as many octets as it says.
func (r *reader) lv() []byte { return r.take(int(r.u8())) }

func (r *reader) end() error {
	if r.err == nil && r.left() != 0 {
		r.fail(fmt.Sprintf("%d octets too many", r.left()))
	}
	return r.err
}

func appendOffset(dst []byte, h *Header, v uint64) ([]byte, error) {
	if !h.LargeFile && v > math.MaxUint32 {
		return nil, fmt.Errorf("offset %d needs the large file flag", v)
	}
	return appendUint(dst, v, h.offsetLength()), nil
}

func appendLV(dst []byte, v string) ([]byte, error) {
	if len(v) > math.MaxUint8 {
		return nil, fmt.Errorf("value of %d octets does not fit an 8-bit length", len(v))
	}
	return append(append(dst, byte(len(v))), v...), nil
}
