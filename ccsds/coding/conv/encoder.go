package conv

// Encoder encodes one stream. Its register begins at zero.
type Encoder struct {
	pattern []uint8
	invert  uint8
	state   uint8 // the last seven bits of information, the newest in bit 0
	phase   int   // next place in the pattern
	rest    uint32
	restN   uint
}

// NewEncoder returns an encoder at the beginning of a stream.
func NewEncoder(r Rate, o Options) (*Encoder, error) {
	if err := o.check(r); err != nil {
		return nil, err
	}
	e := &Encoder{pattern: patterns[r]}
	if o.inverts(r) {
		e.invert = 2
	}
	return e, nil
}

// Encode appends the symbols of data to dst, eight to an octet. Symbols that do not fill an
// octet wait for the next call, or for Flush.
func (e *Encoder) Encode(dst, data []byte) []byte {
	for _, v := range data {
		for bit := 7; bit >= 0; bit-- {
			dst = e.bit(dst, v>>bit&1)
		}
	}
	return dst
}

// Terminate appends the six zeros that drive the register to zero, as a block needs.
func (e *Encoder) Terminate(dst []byte) []byte {
	for range 6 {
		dst = e.bit(dst, 0)
	}
	return dst
}

// Flush appends the symbols in hand to dst, filled with zeros to an octet.
func (e *Encoder) Flush(dst []byte) []byte {
	if e.restN > 0 {
		dst = append(dst, byte(e.rest<<(8-e.restN)))
		e.rest, e.restN = 0, 0
	}
	return dst
}

// Reset goes back to the beginning of a stream.
func (e *Encoder) Reset() { e.state, e.phase, e.rest, e.restN = 0, 0, 0, 0 }

func (e *Encoder) bit(dst []byte, b byte) []byte {
	e.state = (e.state<<1 | b) & 0x7F
	out := outputs[e.state] ^ e.invert
	p := e.pattern[e.phase]
	if e.phase++; e.phase == len(e.pattern) {
		e.phase = 0
	}
	if p&1 != 0 {
		e.rest, e.restN = e.rest<<1|uint32(out&1), e.restN+1
	}
	if p&2 != 0 {
		e.rest, e.restN = e.rest<<1|uint32(out>>1), e.restN+1
	}
	if e.restN >= 8 {
		e.restN -= 8
		dst = append(dst, byte(e.rest>>e.restN))
	}
	return dst
}
