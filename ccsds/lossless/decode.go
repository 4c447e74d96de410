package lossless

import (
	"fmt"
	"math"
	"math/bits"
)

// MaxSize is the longest result of Decode in octets.
const MaxSize = 1 << 30

// Decode restores n octets of samples from data, which is what Encode or aec
// made with the same parameters. Memory grows with what is decoded, whatever
// n claims. Errors wrap ErrParams or, for damaged data, ErrData; the code has
// no checksum, so damage may also give wrong samples.
func Decode(p Params, data []byte, n int) ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	if n < 0 || n > MaxSize || n%p.SampleSize() != 0 {
		return nil, fmt.Errorf("decompress: %w: %d octets, want a multiple of %d up to %d", ErrParams, n, p.SampleSize(), MaxSize)
	}
	d := &decoder{
		p: p, idBits: p.idBits(), mapper: newMapper(p), r: bitReader{data: data}, block: make([]uint32, p.BlockSize),
		out: make([]byte, 0, min(n, 4096+4*len(data))), want: n,
	}
	for len(d.out) < n {
		if err := d.decode(); err != nil {
			return nil, fmt.Errorf("decompress: block after octet %d: %w", len(d.out), err)
		}
	}
	if left, zero := d.r.rest(); left >= 16 || !zero {
		return nil, fmt.Errorf("decompress: %w: %d bits are left after %d octets", ErrData, left, n)
	}
	return d.out, nil
}

// decoder holds what lasts from block to block.
type decoder struct {
	p      Params
	idBits int
	mapper mapper
	r      bitReader
	out    []byte
	want   int

	index int      // of the block in its reference sample interval
	block []uint32 // mapped samples, the reference sample in its place
}

func (d *decoder) hasRef() bool { return d.index == 0 && d.p.has(Preprocess) }

// decode reads one code word: one block, or a run of zero blocks.
func (d *decoder) decode() error {
	id, err := d.r.get(d.idBits)
	if err != nil {
		return err
	}
	switch {
	case id == 1<<d.idBits-1:
		err = d.readPlain()
	case id > 0:
		err = d.readSplit(int(id) - 1)
	default:
		return d.decodeLowEntropy()
	}
	if err != nil {
		return err
	}
	return d.emit()
}

func (d *decoder) decodeLowEntropy() error {
	pairs, err := d.r.get(1)
	if err != nil {
		return err
	}
	first, err := d.readRef()
	if err != nil {
		return err
	}
	if pairs == 1 {
		if err := d.readPairs(first); err != nil {
			return err
		}
		return d.emit()
	}
	count, err := d.readZeroCount()
	if err != nil {
		return err
	}
	clear(d.block[first:])
	for ; count > 0 && len(d.out) < d.want; count-- {
		if err := d.emit(); err != nil {
			return err
		}
		clear(d.block)
	}
	return nil
}

// readRef reads the reference sample, if the block has one, into its place and
// returns the index of the first coded sample.
func (d *decoder) readRef() (first int, err error) {
	if !d.hasRef() {
		return 0, nil
	}
	d.block[0], err = d.r.get(d.p.BitsPerSample)
	return 1, err
}

func (d *decoder) readPlain() (err error) {
	for i := range d.block {
		if d.block[i], err = d.r.get(d.p.BitsPerSample); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) readSplit(k int) error {
	first, err := d.readRef()
	if err != nil {
		return err
	}
	most := uint32(math.MaxUint32>>(32-d.p.BitsPerSample)) >> k
	for i := first; i < len(d.block); i++ {
		high, err := d.r.unary()
		if err != nil {
			return err
		}
		if high > most {
			return fmt.Errorf("%w: a sample is longer than %d bits", ErrData, d.p.BitsPerSample)
		}
		d.block[i] = high << k
	}
	for i := first; k > 0 && i < len(d.block); i++ {
		low, err := d.r.get(k)
		if err != nil {
			return err
		}
		d.block[i] |= low
	}
	return nil
}

// readPairs reads the second extension: m = s(s+1)/2 + b stands for the
// samples s-b and b. A reference sample takes the place of the first.
func (d *decoder) readPairs(first int) error {
	for i := 0; i < len(d.block); i += 2 {
		m, err := d.r.unary()
		if err != nil {
			return err
		}
		s := uint32(math.Sqrt(float64(2*uint64(m))+0.25) - 0.5)
		b := m - s*(s+1)/2
		if bits.Len32(b|(s-b)) > d.p.BitsPerSample {
			return fmt.Errorf("%w: a sample of a pair is longer than %d bits", ErrData, d.p.BitsPerSample)
		}
		if i >= first {
			d.block[i] = s - b
		} else if s != b {
			return fmt.Errorf("%w: a pair has a sample in the reference's place", ErrData)
		}
		d.block[i+1] = b
	}
	return nil
}

// readZeroCount reads how many zero blocks follow, see encoder.writeZeros.
func (d *decoder) readZeroCount() (int, error) {
	m, err := d.r.unary()
	if err != nil {
		return 0, err
	}
	left := min(d.p.RSI-d.index, segment-d.index%segment)
	count := left
	switch {
	case m < 4:
		count = int(m) + 1
	case m > 4:
		count = int(min(m, segment+1))
	}
	if count > left {
		return 0, fmt.Errorf("%w: %d zero blocks where %d are left of the segment", ErrData, count, left)
	}
	return count, nil
}

// emit maps the block at hand back and stores it, as far as it is wanted.
func (d *decoder) emit() error {
	for i, v := range d.block {
		if len(d.out) == d.want {
			break
		}
		if d.p.has(Preprocess) {
			x, ok := d.unmap(v, i == 0 && d.index == 0)
			if !ok {
				return fmt.Errorf("%w: sample %d of the block leaves its range", ErrData, i)
			}
			v = x
		}
		d.out = d.p.store(d.out, v)
	}
	d.index = (d.index + 1) % d.p.RSI
	return nil
}

func (d *decoder) unmap(v uint32, ref bool) (uint32, bool) {
	if !ref {
		x, ok := d.mapper.unfold(v)
		return uint32(x), ok
	}
	x := int64(v)
	if n := d.p.BitsPerSample; d.p.has(Signed) && v>>(n-1) == 1 {
		x -= 1 << n
	}
	d.mapper.last = x
	return uint32(x), true
}
