package orbit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// reader takes fields from one line by their columns, which count from 1 as in every
// description of the format. It keeps the first error; after that it returns zeros.
type reader struct {
	line int
	text string
	err  *ParseError
}

func (r *reader) fail(column int, reason string) {
	if r.err == nil {
		r.err = &ParseError{Line: r.line, Column: column, Reason: reason}
	}
}

// open checks what all lines have: length, characters, line number and checksum.
func (r *reader) open(text string) {
	r.text = strings.TrimRight(text, " \r\n")
	if len(r.text) != lineLength {
		r.fail(min(len(r.text), lineLength)+1, fmt.Sprintf("the line has %d columns, want %d", len(r.text), lineLength))
		return
	}
	for i := range len(r.text) {
		if c := r.text[i]; c < ' ' || c > '~' {
			r.fail(i+1, fmt.Sprintf("octet %#02x is no printable ASCII", c))
			return
		}
	}
	if want := byte('0' + r.line); r.text[0] != want {
		r.fail(1, fmt.Sprintf("line number %q, want %q", r.text[0], want))
		return
	}
	if sum := checksum(r.text); r.text[lineLength-1] != sum {
		r.fail(lineLength, fmt.Sprintf("checksum %q, but the columns add up to %q", r.text[lineLength-1], sum))
	}
}

// checksum adds the digits, a minus as one, modulo 10.
func checksum(text string) byte {
	sum := 0
	for _, c := range []byte(text[:lineLength-1]) {
		switch {
		case isDigit(c):
			sum += int(c - '0')
		case c == '-':
			sum++
		}
	}
	return byte('0' + sum%10)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// field is the columns from first to last, or false after an error.
func (r *reader) field(first, last int) (string, bool) {
	if r.err != nil {
		return "", false
	}
	return r.text[first-1 : last], true
}

func (r *reader) blank(columns ...int) {
	for _, c := range columns {
		if s, ok := r.field(c, c); ok && s != " " {
			r.fail(c, fmt.Sprintf("%q, want a blank between fields", s))
		}
	}
}

func (r *reader) oneOf(column int, want string) {
	if s, ok := r.field(column, column); ok && !strings.Contains(want, s) {
		r.fail(column, fmt.Sprintf("%q, want one of %q", s, want))
	}
}

// catalog is the object's number in columns 3 to 7, the first may be a letter but I or O.
func (r *reader) catalog() string {
	s, ok := r.field(3, 7)
	for i := 0; ok && i < len(s); i++ {
		letter := i == 0 && s[i] >= 'A' && s[i] <= 'Z' && s[i] != 'I' && s[i] != 'O'
		if !isDigit(s[i]) && !letter {
			r.fail(3+i, fmt.Sprintf("%q in the object's number", s[i]))
		}
	}
	return s
}

// word is capital letters and digits, then blanks.
func (r *reader) word(first, last int) string {
	s, ok := r.field(first, last)
	if !ok {
		return ""
	}
	for i, c := range []byte(strings.TrimRight(s, " ")) {
		if !isDigit(c) && (c < 'A' || c > 'Z') {
			r.fail(first+i, fmt.Sprintf("%q in the designator", c))
		}
	}
	return s
}

// digits is an unsigned integer that fills its field.
func (r *reader) digits(first, last int) float64 {
	s, ok := r.field(first, last)
	if !ok {
		return 0
	}
	v := 0.0
	for i, c := range []byte(s) {
		if !isDigit(c) {
			r.fail(first+i, fmt.Sprintf("%q, want a digit", c))
			return 0
		}
		v = 10*v + float64(c-'0')
	}
	return v
}

// count is an integer with blanks before it; nothing at all is zero.
func (r *reader) count(first, last int) int {
	s, ok := r.field(first, last)
	if !ok {
		return 0
	}
	number := strings.TrimLeft(s, " ")
	return int(r.digits(last-len(number)+1, last))
}

// fixed is digits with a point before the last places; blanks may stand in front.
func (r *reader) fixed(first, last, places int) float64 {
	s, ok := r.field(first, last)
	if !ok {
		return 0
	}
	point := last - places
	if s[point-first] != '.' {
		r.fail(point, fmt.Sprintf("%q, want the decimal point", s[point-first]))
		return 0
	}
	r.count(first, point-1)
	r.digits(point+1, last)
	if r.err != nil {
		return 0
	}
	v, err := strconv.ParseFloat("0"+strings.TrimLeft(s, " "), 64)
	if err != nil {
		r.fail(first, fmt.Sprintf("%q is no number", s))
	}
	return v
}

// within is fixed and at most most.
func (r *reader) within(first, last, places int, most float64) float64 {
	v := r.fixed(first, last, places)
	if v > most {
		r.fail(first, fmt.Sprintf("%g, want 0 to %g", v, most))
		return 0
	}
	return v
}

// sign is a column with a plus, a minus or a blank.
func (r *reader) sign(column int) float64 {
	r.oneOf(column, " +-")
	if s, ok := r.field(column, column); ok && s == "-" {
		return -1
	}
	return 1
}

// rate is a sign, a point and digits.
func (r *reader) rate(first, last int) float64 {
	return r.sign(first) * r.fixed(first+1, last, last-first-1)
}

// exponential is ±ddddd±d, with the point in front: " 28098-4" is 0.28098e-4.
func (r *reader) exponential(first, last int) float64 {
	sign := r.sign(first)
	mantissa := r.digits(first+1, last-2)
	r.oneOf(last-1, "+-")
	power := r.digits(last, last)
	if s, ok := r.field(last-1, last-1); ok && s == "-" {
		power = -power
	}
	return sign * mantissa * math.Pow10(int(power)-5)
}

// epoch is two digits of the year, from 1957 on, and the day of the year from 1 on with
// eight places: each is 864 µs.
func (r *reader) epoch(first, last int) time.Time {
	year := int(r.digits(first, first+1))
	day := r.count(first+2, first+4)
	r.fixed(first+2, last, 8)
	fraction := r.digits(last-7, last)
	if r.err != nil {
		return time.Time{}
	}
	year += 1900
	if year < 1957 {
		year += 100
	}
	days := time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
	if day < 1 || day > days {
		r.fail(first+2, fmt.Sprintf("day %d: the year %d has %d", day, year, days))
	}
	return time.Date(year, 1, day, 0, 0, 0, 0, time.UTC).Add(time.Duration(fraction) * 864 * time.Microsecond)
}
