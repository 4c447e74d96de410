package lossless

import "fmt"

// Encode compresses samples, stored as p says, SampleSize octets each. A last
// block that is not full is filled up with the last sample; the receiver must
// know the length. The result ends on an octet.
func Encode(p Params, samples []byte) ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	size := p.SampleSize()
	if len(samples)%size != 0 {
		return nil, fmt.Errorf("compress: %w: %d octets, not a multiple of %d", ErrSample, len(samples), size)
	}
	e := &encoder{p: p, idBits: p.idBits(), mapper: newMapper(p), block: make([]uint32, p.BlockSize)}
	for at := 0; at < len(samples); {
		end := min(at+p.BlockSize*size, len(samples))
		if err := e.load(samples[at:end]); err != nil {
			return nil, fmt.Errorf("compress: octet %d: %w", at, err)
		}
		at = end
		e.encode(at == len(samples))
	}
	return e.w.bytes(), nil
}

// encoder holds what lasts from block to block.
type encoder struct {
	p      Params
	idBits int
	mapper mapper
	w      bitWriter

	index int      // of the block in its reference sample interval
	block []uint32 // mapped samples; the reference sample counts as 0
	ref   uint32   // the reference sample, if index is 0
	k     int      // of the last block, where the search for the next begins

	zeros    int    // zero blocks not written yet
	zerosRef bool   // the first of them has a reference sample
	zerosVal uint32 // which is this
}

// hasRef says that the block at hand starts with a reference sample.
func (e *encoder) hasRef() bool { return e.index == 0 && e.p.has(Preprocess) }

// load reads one block and maps it.
func (e *encoder) load(stored []byte) error {
	size := e.p.SampleSize()
	var v uint32
	for i := range e.block {
		if len(stored) >= size { // else the last sample again
			v = e.p.load(stored)
			stored = stored[size:]
		}
		x, ok := e.mapper.value(v, size)
		if !ok {
			return fmt.Errorf("%w: %d in %d bits", ErrSample, x, e.p.BitsPerSample)
		}
		switch {
		case !e.p.has(Preprocess):
			e.block[i] = v
		case i == 0 && e.index == 0:
			e.mapper.last = x
			e.ref = v & uint32(1<<e.p.BitsPerSample-1)
			e.block[i] = 0
		default:
			e.block[i] = e.mapper.fold(x)
		}
	}
	return nil
}

// encode writes the block at hand, or counts it if it is zero: a run of zero
// blocks is one code word, but ends with its segment and its interval.
func (e *encoder) encode(last bool) {
	endOfRSI := last || e.index == e.p.RSI-1
	if e.isZero() {
		if e.zeros == 0 {
			e.zerosRef, e.zerosVal = e.hasRef(), e.ref
		}
		e.zeros++
		if endOfRSI || e.index%segment == segment-1 {
			e.writeZeros(true)
		}
	} else {
		e.writeZeros(false)
		e.writeBest()
	}
	e.index++
	if endOfRSI {
		e.index = 0
	}
}

func (e *encoder) isZero() bool {
	for _, d := range e.block {
		if d != 0 {
			return false
		}
	}
	return true
}

// writeZeros writes the run of zero blocks, 121.0-B-3 §3.5.3: up to four by
// their number less one, then five by "the rest of the segment" (toEnd), a
// code word that shifts the larger numbers by one.
func (e *encoder) writeZeros(toEnd bool) {
	if e.zeros == 0 {
		return
	}
	e.w.put(0, e.idBits+1)
	if e.zerosRef {
		e.w.put(e.zerosVal, e.p.BitsPerSample)
	}
	switch {
	case e.zeros < 5:
		e.w.unary(uint32(e.zeros - 1))
	case toEnd:
		e.w.unary(4)
	default:
		e.w.unary(uint32(e.zeros))
	}
	e.zeros = 0
}
