package lossless

// mapper is the preprocessor of 121.0-B-3 §4: it predicts that a sample is
// like the one before and folds the error into an unsigned number.
//
// theta is the distance from the prediction to the nearer end of the range:
// errors up to theta alternate in sign, larger ones have only one sign.
type mapper struct {
	low, high int64
	last      int64
}

func newMapper(p Params) mapper {
	if p.has(Signed) {
		return mapper{low: -1 << (p.BitsPerSample - 1), high: 1<<(p.BitsPerSample-1) - 1}
	}
	return mapper{high: 1<<p.BitsPerSample - 1}
}

// value is the stored sample v as a number, false if it is out of range.
func (m *mapper) value(v uint32, size int) (int64, bool) {
	x := int64(v)
	if m.low < 0 {
		x = int64(int32(v<<(32-8*size)) >> (32 - 8*size))
	}
	return x, x >= m.low && x <= m.high
}

// fold maps sample x, given the one before.
func (m *mapper) fold(x int64) uint32 {
	err := x - m.last
	theta := min(m.last-m.low, m.high-m.last)
	m.last = x
	switch {
	case err >= 0 && err <= theta:
		return uint32(2 * err)
	case err < 0 && -err <= theta:
		return uint32(-2*err - 1)
	case err < 0:
		err = -err
	}
	return uint32(theta + err)
}

// unfold is the inverse of fold, false if no sample gives d.
func (m *mapper) unfold(d uint32) (int64, bool) {
	below, above := m.last-m.low, m.high-m.last
	theta := min(below, above)
	err := int64(d)
	switch {
	case err > 2*theta && below <= above:
		err -= theta
	case err > 2*theta:
		err = theta - err
	case err&1 == 0:
		err /= 2
	default:
		err = -(err + 1) / 2
	}
	x := m.last + err
	if x < m.low || x > m.high {
		return 0, false
	}
	m.last = x
	return x, true
}
