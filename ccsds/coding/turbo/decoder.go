package turbo

import "fmt"

// Options tune a Decoder. Zero fields take the defaults named.
type Options struct {
	Iterations int  // at most: 10
	MaxLog     bool // leave out the correction of log-MAP: any scale of soft bits, 0.1 to 0.3 dB weaker
}

// Decoder decodes one code by log-MAP decoding of its components in turn. It is not for
// several goroutines.
type Decoder struct {
	code       *Code
	o          Options
	first      component
	second     component
	given      []int16 // what component a knows from b, by bit
	uncoded    []int16 // received, of the uncoded line and its end
	decided    []uint8
	iterations int
	agreed     bool
}

// NewDecoder returns a decoder.
func NewDecoder(c *Code, o Options) (*Decoder, error) {
	if o.Iterations < 0 || o.Iterations > 1000 {
		return nil, fmt.Errorf("turbo decoder: %d iterations, want 1 to 1000", o.Iterations)
	}
	if o.Iterations == 0 {
		o.Iterations = 10
	}
	d := &Decoder{code: c, o: o, given: make([]int16, c.k), uncoded: make([]int16, c.k+tail), decided: make([]uint8, c.k)}
	r := logMAP
	if o.MaxLog {
		r = maxLog
	}
	d.first.init(c.k+tail, r)
	d.second.init(c.k+tail, r)
	return d, nil
}

// Code returns the decoder's code.
func (d *Decoder) Code() *Code { return d.code }

// Iterations returns how many the last call of Decode took.
func (d *Decoder) Iterations() int { return d.iterations }

// Agreed reports whether the components came to the same bits in the last call of Decode.
// Where they did not, the bits are wrong; where they did, they are most likely right, and
// the frame's own check has the last word.
func (d *Decoder) Agreed() bool { return d.agreed }

// Decode takes the soft bits of one codeword, as many as were sent, and appends its
// information to dst. It fails only for another length: the code cannot tell whether what it
// found is right.
func (d *Decoder) Decode(dst []byte, soft []int8) ([]byte, error) {
	if len(soft) != d.code.Bits() {
		return dst, fmt.Errorf("turbo decode: %d soft bits, want %d: %w", len(soft), d.code.Bits(), ErrLength)
	}
	d.load(soft)
	clear(d.given)
	for d.iterations, d.agreed = 0, false; d.iterations < d.o.Iterations && !d.agreed; {
		d.iterations++
		d.iterate()
	}
	for b := d.decided; len(b) >= 8; b = b[8:] {
		dst = append(dst, b[0]<<7|b[1]<<6|b[2]<<5|b[3]<<4|b[4]<<3|b[5]<<2|b[6]<<1|b[7])
	}
	return dst, nil
}

// iterate lets each component decode once with what the other found.
func (d *Decoder) iterate() {
	for at, v := range d.given {
		d.first.known[at] = v + d.uncoded[at]
	}
	d.first.decode(d.code.k)
	for s, at := range d.code.order {
		d.second.known[s] = clip(d.first.extrinsic[at]+d.uncoded[at], knownLimit)
	}
	d.second.decode(d.code.k)
	differ := int16(0)
	for s, at := range d.code.order {
		all := d.second.extrinsic[s] + d.second.known[s]
		differ |= all ^ (d.first.extrinsic[at] + d.first.known[at])
		d.given[at] = clip(d.second.extrinsic[s], knownLimit-127)
		d.decided[at] = uint8(uint16(all) >> 15)
	}
	d.agreed = differ >= 0
}

// clip keeps what the components tell each other within what sums may grow to.
func clip(v, limit int16) int16 { return min(max(v, -limit), limit) }

// load deals the soft bits out to the components. What is not sent is 0, unknown.
func (d *Decoder) load(soft []int8) {
	clear(d.first.coded)
	clear(d.second.coded)
	for s := range d.code.k + tail {
		sequence := d.code.sequence[s%len(d.code.sequence)]
		for i, o := range sequence {
			v := int16(max(soft[i], -127))
			switch {
			case o.second:
				d.second.coded[s][o.connection-1] = v
			case o.connection > 0:
				d.first.coded[s][o.connection-1] = v
			default:
				d.uncoded[s] = v
			}
		}
		soft = soft[len(sequence):]
	}
	copy(d.first.known[d.code.k:], d.uncoded[d.code.k:])
}
