package ldpc

import (
	"fmt"
	"math"
)

// Algorithm is how a check turns what it hears from all other bits into what it tells one.
type Algorithm uint8

// SumProduct is exact up to its tables; MinSum, scaled by 13/16, is several times as quick
// and needs no scale of its soft bits.
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

// minSumScale makes up for min-sum being too sure.
const minSumScale = 13.0 / 16

// Decoder decodes one code. It works layer by layer: a check hears what earlier checks of
// the same iteration found. It is not for several goroutines.
type Decoder struct {
	code       *Code
	o          Options
	belief     []float32 // of each bit, as a log-likelihood ratio
	told       []float32 // by each check to each of its bits
	heard      []float32 // by the check in hand
	ahead      []float32
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
	widest := 0
	for i := range c.Checks() {
		widest = max(widest, len(c.Check(i)))
	}
	return &Decoder{
		code: c, o: o,
		belief: make([]float32, c.shape.columns*c.shape.size),
		told:   make([]float32, len(c.column)),
		heard:  make([]float32, widest), ahead: make([]float32, widest),
		notFound: fmt.Errorf("LDPC decode %v: %d iterations: %w", c.name, o.Iterations, ErrNotFound),
	}, nil
}

// Code returns the decoder's code.
func (d *Decoder) Code() *Code { return d.code }

// Iterations returns how many the last call of Decode took.
func (d *Decoder) Iterations() int { return d.iterations }

// sure is a log-likelihood ratio beyond doubt.
const sure = 1000

// Decode takes the soft bits of one codeword, as many as were sent, and appends its
// information to dst. It fails with ErrNotFound, and dst as it was, where the iterations
// end without a codeword. ErrLength says that soft has another length.
func (d *Decoder) Decode(dst []byte, soft []int8) ([]byte, error) {
	if len(soft) != d.code.Bits() {
		return dst, fmt.Errorf("LDPC decode %v: %d soft bits, want %d: %w", d.code.name, len(soft), d.code.Bits(), ErrLength)
	}
	d.load(soft)
	clear(d.told)
	for d.iterations = 0; ; {
		if d.met() {
			return d.appendData(dst), nil
		}
		if d.iterations == d.o.Iterations {
			return dst, d.notFound
		}
		d.iterations++
		if d.o.Algorithm == MinSum {
			d.minSum()
		} else {
			d.sumProduct()
		}
	}
}

// load sets the first belief of each bit: certainty for those shortened, none for those
// not sent.
func (d *Decoder) load(soft []int8) {
	s := d.code.shape
	for i := range s.short {
		d.belief[i] = sure
	}
	sent := d.belief[s.short : (s.columns-s.hidden)*s.size]
	for i := range sent {
		sent[i] = d.o.Scale * float32(max(soft[i], -127))
	}
	clear(d.belief[(s.columns-s.hidden)*s.size:])
}

// met reports whether the beliefs, as they are, meet all checks. Nothing is met by a bit
// that nothing is known of.
func (d *Decoder) met() bool {
	begin := d.code.start[0]
	for _, end := range d.code.start[1:] {
		var sum uint32
		for _, c := range d.code.column[begin:end] {
			b := d.belief[c]
			if b == 0 {
				return false
			}
			sum ^= math.Float32bits(b)
		}
		if sum>>31 != 0 {
			return false
		}
		begin = end
	}
	return true
}

func (d *Decoder) appendData(dst []byte) []byte {
	s := d.code.shape
	data := d.belief[s.short : s.data*s.size]
	for len(data) >= 8 {
		var v byte
		for _, b := range data[:8] {
			v = v<<1 | byte(math.Float32bits(b)>>31)
		}
		dst, data = append(dst, v), data[8:]
	}
	return dst
}

// minSum makes one iteration: a check tells a bit the product of the signs and the least
// of the sizes that it hears from the others.
func (d *Decoder) minSum() {
	const signBit, sizeBits = 1 << 31, 1<<31 - 1
	begin := d.code.start[0]
	for _, end := range d.code.start[1:] {
		columns, told := d.code.column[begin:end], d.told[begin:end]
		heard := d.heard[:len(columns)]
		least, second, at, signs := float32(math.MaxFloat32), float32(math.MaxFloat32), 0, uint32(0)
		for i, c := range columns {
			h := d.belief[c] - told[i]
			heard[i] = h
			b := math.Float32bits(h)
			signs ^= b
			if size := math.Float32frombits(b & sizeBits); size < least {
				least, second, at = size, least, i
			} else if size < second {
				second = size
			}
		}
		least, second = least*minSumScale, second*minSumScale
		for i, c := range columns {
			size := least
			if i == at {
				size = second
			}
			tell := math.Float32frombits(math.Float32bits(size) | (signs^math.Float32bits(heard[i]))&signBit)
			told[i] = tell
			d.belief[c] = heard[i] + tell
		}
		begin = end
	}
}

// sumProduct makes one iteration: a check tells a bit the log-likelihood ratio of the sum of
// all others, from sums over the bits before it and behind it.
func (d *Decoder) sumProduct() {
	begin := d.code.start[0]
	for _, end := range d.code.start[1:] {
		columns, told := d.code.column[begin:end], d.told[begin:end]
		heard, ahead := d.heard[:len(columns)], d.ahead[:len(columns)]
		sum := float32(sure)
		for i, c := range columns {
			h := d.belief[c] - told[i]
			heard[i], ahead[i] = h, sum
			sum = boxPlus(sum, h)
		}
		sum = sure
		for i := len(columns) - 1; i >= 0; i-- {
			tell := boxPlus(ahead[i], sum)
			sum = boxPlus(sum, heard[i])
			told[i] = tell
			d.belief[columns[i]] = heard[i] + tell
		}
		begin = end
	}
}
