package lossless

import "math"

// writeBest writes the block with the option that takes fewest bits, 121.0-B-3
// §5.1. Lengths are without identifier and reference sample, which are the
// same for all but the second extension, whose identifier has one bit more.
func (e *encoder) writeBest() {
	samples := e.block
	if e.hasRef() {
		samples = e.block[1:]
	}
	plain := uint64(len(samples)) * uint64(e.p.BitsPerSample)
	split := uint64(math.MaxUint64)
	if e.p.maxSplit() >= 0 {
		split = e.searchSplit(samples)
	}
	pairs := pairsLength(e.block, min(split, plain)+1)
	switch {
	case split < plain && split < pairs:
		e.writeSplit(samples)
	case split >= plain && plain <= pairs:
		e.writePlain()
	default:
		e.writePairs()
	}
}

// searchSplit finds the best k, §3.3, and leaves it in e.k. The length is
// convex in k, so one walks downhill from the k of the last block; from a
// level place one stays, as libaec does.
func (e *encoder) searchSplit(samples []uint32) uint64 {
	best, high := splitLength(samples, e.k)
	step := 1 // while the high parts are many, more low bits may pay
	if high < uint64(len(samples)) {
		step = -1
	}
	for k := e.k + step; k >= 0 && k <= e.p.maxSplit(); k += step {
		length, _ := splitLength(samples, k)
		if length >= best {
			break
		}
		best, e.k = length, k
	}
	return best
}

// splitLength is the length in bits with k low bits apart; high is the sum of
// what is left of the samples.
func splitLength(samples []uint32, k int) (length, high uint64) {
	for _, d := range samples {
		high += uint64(d >> k)
	}
	return high + uint64(len(samples))*uint64(k+1), high
}

// pairsLength is the length of the second extension, §3.4, with its longer
// identifier; at limit it stops counting.
func pairsLength(block []uint32, limit uint64) uint64 {
	length := uint64(1)
	for i := 0; i < len(block); i += 2 {
		sum := uint64(block[i]) + uint64(block[i+1])
		if sum >= limit {
			return limit
		}
		if length += sum*(sum+1)/2 + uint64(block[i+1]) + 1; length >= limit {
			return limit
		}
	}
	return length
}

func (e *encoder) writeSplit(samples []uint32) {
	e.w.put(uint32(e.k+1), e.idBits)
	if e.hasRef() {
		e.w.put(e.ref, e.p.BitsPerSample)
	}
	for _, d := range samples {
		e.w.unary(d >> e.k)
	}
	if e.k > 0 {
		for _, d := range samples {
			e.w.put(d&(1<<e.k-1), e.k)
		}
	}
}

// writePairs writes the second extension: each two samples as one number. A
// reference sample's place is taken by a zero.
func (e *encoder) writePairs() {
	e.w.put(1, e.idBits+1)
	if e.hasRef() {
		e.w.put(e.ref, e.p.BitsPerSample)
	}
	for i := 0; i < len(e.block); i += 2 {
		sum := e.block[i] + e.block[i+1]
		e.w.unary(sum*(sum+1)/2 + e.block[i+1])
	}
}

// writePlain writes the mapped samples as they are, §3.6.
func (e *encoder) writePlain() {
	e.w.put(1<<e.idBits-1, e.idBits)
	for i, d := range e.block {
		if i == 0 && e.hasRef() {
			d = e.ref
		}
		e.w.put(d, e.p.BitsPerSample)
	}
}
