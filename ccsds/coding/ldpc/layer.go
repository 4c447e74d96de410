package ldpc

import "math"

// lanes is how many checks are worked on side by side.
const lanes = 16

// Beliefs, and what checks tell, are log-likelihood ratios in sixteenths. A check hears
// nothing beyond heardLimit and so tells nothing beyond it: with at most six checks a bit,
// and sure for the bits that were never sent, all sums stay within 16 bits.
const (
	unit       = 16
	heardLimit = 2047
	sure       = 12000
)

// rule is how two of the bits of a check add up:
//
//	(|a+b| - |a-b|)/2 + f(|a+b|) - f(|a-b|)
//
// of which the first part is sign(a)·sign(b)·min(|a|,|b|), and f is to be ln(1+e^-x): the
// straight line max(knee-x, 0)/4. scale, in parts of 32768, is applied to what is told in
// the end; the largest changes nothing.
type rule struct{ knee, scale int16 }

var rules = [...]rule{
	SumProduct: {knee: 40, scale: math.MaxInt16},
	MinSum:     {knee: 0, scale: 13 << 11}, // min-sum is too sure
}

// layer is a row of circulants. The beliefs of a column of circulants lie one after the
// other and then once more, so that those of the checks 0, 1, 2 and on are a run of values
// wherever the first of them is.
type layer struct {
	column []int32 // by term of a check: where its column begins in the beliefs
	at     []int32 // and where the bit of check 0 is
	told   []int16 // by term: to the bits of each check
}

// stride is the values that hold a column of beliefs.
func (s shape) stride() int { return 2*s.size + lanes }

// lanes is the checks of a layer, rounded up: those too many repeat the first ones, whose
// beliefs they find, and find the same.
func (s shape) lanes() int { return (s.size + lanes - 1) / lanes * lanes }

func newLayers(s shape) []layer {
	all := make([]layer, s.rows)
	for _, b := range s.blocks() {
		l := &all[b.row]
		l.column = append(l.column, int32(b.column*s.stride()))
		l.at = append(l.at, int32(b.column*s.stride()+b.shift%s.size))
	}
	for i := range all {
		all[i].told = make([]int16, len(all[i].at)*s.lanes())
	}
	return all
}

// valuesOf gives the value of each soft bit, as uint8: never 0 unless it is.
func valuesOf(scale float32) (t [256]int16) {
	for i := 1; i < 128; i++ {
		v := int16(min(max(math.Round(float64(scale)*unit*float64(i)), 1), heardLimit))
		t[i], t[256-i] = v, -v
	}
	t[128] = t[129]
	return t
}

// pass lets a layer's checks tell their bits what they hear from the others.
func (d *Decoder) pass(l *layer) {
	s := d.code.shape
	if hasQuick {
		tell(&d.belief[0], &l.told[0], &d.change[0], &d.ahead[0], &l.at[0], &l.column[0],
			len(l.at), s.size, s.lanes(), d.rule.knee, d.rule.scale)
		return
	}
	d.passPlain(l)
}

// meets reports whether the beliefs meet a layer's checks.
func (d *Decoder) meets(l *layer) bool {
	if hasQuick {
		return agree(&d.belief[0], &l.at[0], len(l.at), d.code.shape.lanes())
	}
	return d.meetsPlain(l)
}
