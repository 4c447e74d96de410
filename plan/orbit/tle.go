package orbit

import (
	"fmt"
	"strings"
	"time"
)

// TLE is a two-line element set: mean elements in the sense of SGP4, in the true equator,
// mean equinox frame of Epoch. No other theory may use them.
type TLE struct {
	Catalog        string // number of the object; five digits, or a letter and four
	Classification byte   // U, C or S
	Designator     string // international designator such as 98067A; may be empty
	Epoch          time.Time
	NDot           float64 // half the rate of the mean motion, rev/day²; SGP4 does not use it
	NDDot          float64 // a sixth of its second derivative, rev/day³; not used either
	BStar          float64 // drag, 1/Earth radii
	ElementSet     int
	InclinationDeg float64
	NodeDeg        float64 // right ascension of the ascending node
	Eccentricity   float64
	PerigeeDeg     float64 // argument of perigee
	AnomalyDeg     float64 // mean anomaly
	MeanMotion     float64 // rev/day, Kozai's
	Revolution     int     // at Epoch
}

// ParseError says where an element set is wrong.
type ParseError struct {
	Line   int // 1 or 2
	Column int // 1 to 69; 70 of a line that is too long
	Reason string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("TLE line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// lineLength is the columns of each line, the last being the checksum.
const lineLength = 69

// The fastest orbit is one at the surface, with 17 revolutions a day; some of the last
// element sets of falling objects have a little more.
const maxMeanMotion = 18

// ParseTLE reads the two lines. Every column counts: blanks where blanks belong, the
// checksum, each value in its range. Errors are *ParseError.
func ParseTLE(line1, line2 string) (TLE, error) {
	var t TLE
	one, two := &reader{line: 1}, &reader{line: 2}
	one.open(line1)
	two.open(line2)
	t.first(one)
	t.second(two)
	if one.err == nil && two.err == nil && t.Catalog != two.text[2:7] {
		two.fail(3, fmt.Sprintf("object %q, but line 1 is about %q", two.text[2:7], t.Catalog))
	}
	for _, r := range []*reader{one, two} {
		if r.err != nil {
			return TLE{}, r.err
		}
	}
	return t, nil
}

func (t *TLE) first(r *reader) {
	t.Catalog = r.catalog()
	r.oneOf(8, "UCS")
	t.Designator = strings.TrimRight(r.word(10, 17), " ")
	t.Epoch = r.epoch(19, 32)
	t.NDot = r.rate(34, 43)
	t.NDDot = r.exponential(45, 52)
	t.BStar = r.exponential(54, 61)
	r.oneOf(63, " 0")
	t.ElementSet = r.count(65, 68)
	r.blank(2, 9, 18, 33, 44, 53, 62, 64)
	if r.err == nil {
		t.Classification = r.text[7]
	}
}

func (t *TLE) second(r *reader) {
	r.catalog()
	t.InclinationDeg = r.within(9, 16, 4, 180)
	t.NodeDeg = r.within(18, 25, 4, 360)
	t.Eccentricity = r.digits(27, 33) / 1e7
	t.PerigeeDeg = r.within(35, 42, 4, 360)
	t.AnomalyDeg = r.within(44, 51, 4, 360)
	t.MeanMotion = r.within(53, 63, 8, maxMeanMotion)
	t.Revolution = r.count(64, 68)
	r.blank(2, 8, 17, 26, 34, 43, 52)
	if r.err == nil && t.MeanMotion == 0 {
		r.fail(53, "mean motion is zero")
	}
}
