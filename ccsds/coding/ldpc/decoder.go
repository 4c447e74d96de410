package ldpc

import "fmt"

// Algorithm is how a check turns what it hears from all other bits into what it tells one.
type Algorithm uint8

// SumProduct is exact up to a straight line in place of the logarithm in its sums; MinSum,
// scaled by 13/16, is weaker and needs no scale of its soft bits.
const (
	SumProduct Algorithm = iota
	MinSum
)

// Options tune a Decoder. Zero fields take the defaults named.
type Options struct {
	Algorithm  Algorithm
	Iterations int     // at most: 50
	Scale      float32 // log-likelihood ratio of a soft bit of 1: 1/8
}

// Decoder decodes one code. It works layer by layer, a row of circulants at a time: a check
// hears what earlier layers of the same iteration found. It is not for several goroutines.
type Decoder struct {
	code       *Code
	o          Options
	layers     []layer
	rule       rule
	values     [256]int16 // of each soft bit, as uint8
	belief     []int16    // of each bit, twice: see layer
	change     []int16    // of the layer in hand
	ahead      []int16
	iterations int
	notFound   error // made once, for noise may ask for it often
}

// NewDecoder returns a decoder.
func NewDecoder(c *Code, o Options) (*Decoder, error) {
	switch {
	case o.Algorithm > MinSum:
		return nil, fmt.Errorf("LDPC decoder: algorithm %d", o.Algorithm)
	case o.Iterations < 0 || o.Iterations > 10000:
		return nil, fmt.Errorf("LDPC decoder: %d iterations, want 1 to 10000", o.Iterations)
	case !(o.Scale >= 0 && o.Scale <= 1000):
		return nil, fmt.Errorf("LDPC decoder: scale %g", o.Scale)
	}
	if o.Iterations == 0 {
		o.Iterations = 50
	}
	if o.Scale == 0 {
		o.Scale = 1.0 / 8
	}
	d := &Decoder{
		code: c, o: o, layers: newLayers(c.shape), rule: rules[o.Algorithm], values: valuesOf(o.Scale),
		belief:   make([]int16, c.shape.columns*c.shape.stride()),
		notFound: fmt.Errorf("LDPC decode %v: %d iterations: %w", c.name, o.Iterations, ErrNotFound),
	}
	widest := 0
	for _, l := range d.layers {
		widest = max(widest, len(l.at))
	}
	d.change = make([]int16, widest*(c.shape.size+c.shape.lanes()))
	d.ahead = make([]int16, widest*2*lanes)
	return d, nil
}

// Code returns the decoder's code.
func (d *Decoder) Code() *Code { return d.code }

// Iterations returns how many the last call of Decode took.
func (d *Decoder) Iterations() int { return d.iterations }

// Decode takes the soft bits of one codeword, as many as were sent, and appends its
// information to dst. It fails with ErrNotFound, and dst as it was, where the iterations
// end without a codeword. ErrLength says that soft has another length.
func (d *Decoder) Decode(dst []byte, soft []int8) ([]byte, error) {
	if len(soft) != d.code.Bits() {
		return dst, fmt.Errorf("LDPC decode %v: %d soft bits, want %d: %w", d.code.name, len(soft), d.code.Bits(), ErrLength)
	}
	d.load(soft)
	for d.iterations = 0; ; {
		if d.met() {
			return d.appendData(dst), nil
		}
		if d.iterations == d.o.Iterations {
			return dst, d.notFound
		}
		d.iterations++
		for i := range d.layers {
			d.pass(&d.layers[i])
		}
	}
}

// load sets the first belief of each bit: certainty for those shortened, none for those
// not sent. The checks have told nothing yet.
func (d *Decoder) load(soft []int8) {
	s := d.code.shape
	for c := range s.columns {
		column := d.belief[c*s.stride():][:s.stride()]
		first := column[:s.size]
		if c >= s.columns-s.hidden {
			clear(column)
			continue
		}
		if c == 0 {
			for i := range s.short {
				first[i] = sure
			}
			first = first[s.short:]
		}
		for i, v := range soft[:len(first)] {
			first[i] = d.values[uint8(v)]
		}
		soft = soft[len(first):]
		copy(column[s.size:], column[:s.size])
	}
	for _, l := range d.layers {
		clear(l.told)
	}
}

// met reports whether the beliefs, as they are, meet all checks. Nothing is met by a bit
// that nothing is known of.
func (d *Decoder) met() bool {
	for i := range d.layers {
		if !d.meets(&d.layers[i]) {
			return false
		}
	}
	return true
}

// appendData appends the signs of the information.
func (d *Decoder) appendData(dst []byte) []byte {
	s := d.code.shape
	var v byte
	n := -s.short
	for c := range s.data {
		for _, b := range d.belief[c*s.stride():][:s.size] {
			v = v<<1 | byte(uint16(b)>>15)
			if n++; n > 0 && n%8 == 0 {
				dst = append(dst, v)
			}
		}
	}
	return dst
}
