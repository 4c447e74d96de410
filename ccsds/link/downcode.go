package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/ccsds/coding/turbo"
)

// DownEncoder makes the bits of a downlink of frames of one length, one frame after the
// other: marker and coded frame, and for a convolutional code the symbols of both. Sliced
// frames come by the codeblock, whenever one is full.
type DownEncoder struct {
	code   Code
	length int  // octets of a frame
	vary   bool // length is the most
	marker coding.Marker
	rs     *coding.RS
	conv   *conv.Encoder
	ldpc   *ldpc.Code
	turbo  *turbo.Code
	slicer *coding.Slicer
	block  []byte // what is convolved, or has no whole number of octets
	rest   byte   // bits that do not fill an octet yet, left-aligned
	restN  uint
}

// NewDownEncoder returns an encoder for frames of length octets.
func NewDownEncoder(c Code, length int) (*DownEncoder, error) {
	if err := c.Validate(length); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProfile, err)
	}
	c = c.WithDefaults()
	e := &DownEncoder{code: c, length: length, marker: c.marker()}
	var err error
	if c.hasRS() {
		if e.rs, err = coding.NewRS(c.E, c.Interleave, !c.Conventional); err != nil {
			return nil, err
		}
	}
	if c.hasConv() {
		if e.conv, err = conv.NewEncoder(convRates[c.Rate], conv.Options{}); err != nil {
			return nil, err
		}
	}
	switch c.Kind {
	case CodeLDPC:
		e.ldpc, err = c.ldpcCode()
		if err == nil && c.sliced() {
			e.slicer, err = coding.NewSlicer(c.Codeblock * c.Block / 8)
		}
	case CodeTurbo:
		e.turbo, err = turbo.New(c.Block, turboRates[c.Rate])
	}
	return e, err
}

// NewDownEncoder returns the encoder of p's downlink, which has frames.
func (p Profile) NewDownEncoder() (*DownEncoder, error) {
	p = p.WithDefaults()
	e, err := NewDownEncoder(p.Code, p.FrameLength)
	if err == nil {
		e.vary = p.Variable
	}
	return e, err
}

// Append appends the bits of frame to dst. Bits that do not fill an octet, of turbo codes of
// rate 1/3 and of punctured codes, go in front of the next frame, or come with Flush; so do
// slices that do not fill a codeblock.
func (e *DownEncoder) Append(dst, frame []byte) ([]byte, error) {
	if n := len(frame); n > e.length || n < e.length && !e.vary || n == 0 {
		return dst, fmt.Errorf("code frame: %d octets, want %d", n, e.length)
	}
	if e.slicer != nil {
		err := e.slicer.Push(frame, func(slice []byte) (err error) { dst, err = e.codeblock(dst, slice); return err })
		return dst, err
	}
	direct := e.conv == nil && (e.turbo == nil || e.turbo.Bits()%8 == 0)
	at := len(dst)
	if !direct {
		e.block = e.block[:0]
		block, err := e.unit(e.block, frame)
		if err != nil {
			return dst, err
		}
		e.block = block
		if e.conv != nil {
			return e.conv.Encode(dst, block), nil
		}
		return e.shift(dst, block, 8*len(e.marker)+e.turbo.Bits()), nil
	}
	out, err := e.unit(dst, frame)
	if err != nil {
		return dst[:at], err
	}
	return out, nil
}

// unit appends the marker and the frame, coded as a block and randomised.
func (e *DownEncoder) unit(dst, frame []byte) ([]byte, error) {
	dst = append(dst, e.marker...)
	at := len(dst)
	var err error
	switch {
	case e.rs != nil:
		dst, err = e.rs.Encode(dst, frame)
	case e.ldpc != nil:
		dst, err = e.ldpc.Encode(dst, frame)
	case e.turbo != nil:
		dst, err = e.turbo.Encode(dst, frame)
	default:
		dst = append(dst, frame...)
	}
	if err == nil {
		e.code.Randomiser.apply(dst[at:])
	}
	return dst, err
}

// codeblock appends marker and codewords of a slice; they are randomised as one (§8.3).
func (e *DownEncoder) codeblock(dst, slice []byte) ([]byte, error) {
	dst = append(dst, e.marker...)
	at := len(dst)
	for n := e.code.Block / 8; len(slice) > 0; slice = slice[n:] {
		var err error
		if dst, err = e.ldpc.Encode(dst, slice[:n]); err != nil {
			return dst, err
		}
	}
	e.code.Randomiser.apply(dst[at:])
	return dst, nil
}

// shift appends the first n bits of block behind the bits in hand.
func (e *DownEncoder) shift(dst, block []byte, n int) []byte {
	for _, v := range block {
		k := uint(min(n, 8))
		n -= int(k)
		v &= byte(0xFF) << (8 - k)
		w := uint16(e.rest)<<8 | uint16(v)<<8>>e.restN
		if e.restN += k; e.restN >= 8 {
			dst = append(dst, byte(w>>8))
			e.restN -= 8
			w <<= 8
		}
		e.rest = byte(w >> 8)
	}
	return dst
}

// Flush appends the bits in hand, filled with zeros to an octet or to a codeblock; a
// convolutional code is driven on until a receiver has decided on every bit of the last
// frame.
func (e *DownEncoder) Flush(dst []byte) []byte {
	if e.slicer != nil {
		_ = e.slicer.Flush(func(slice []byte) (err error) { dst, err = e.codeblock(dst, slice); return err }) // slices fit the code
		return dst
	}
	if e.conv != nil {
		return e.conv.Flush(e.conv.Encode(dst, make([]byte, flushOctets)))
	}
	if e.restN > 0 {
		dst = append(dst, e.rest)
		e.rest, e.restN = 0, 0
	}
	return dst
}

// flushOctets is more than conv.NodeSync keeps in hand.
const flushOctets = 512
