package timecode

import (
	"fmt"
	"strings"

	"github.com/perilune/perilune/ccsds"
)

// ASCII is a form of the codes that people read (§3.5): code A with month and day,
// 2006-01-02T15:04:05.678Z, or code B with the day of the year, 2006-002T15:04:05.678Z.
// A leap second is second 60.
type ASCII struct {
	DayOfYear bool // code B
	Digits    int  // of the fraction of the second, 0 to 9
	Bare      bool // no Z at the end
}

// Format returns i in the form, rounded down.
func (a ASCII) Format(i Instant) string {
	t := i.civil()
	d := t.date()
	hour, minute, second := t.clock()
	var b strings.Builder
	if a.DayOfYear {
		fmt.Fprintf(&b, "%04d-%03d", d.Year(), d.YearDay())
	} else {
		fmt.Fprintf(&b, "%04d-%02d-%02d", d.Year(), d.Month(), d.Day())
	}
	fmt.Fprintf(&b, "T%02d:%02d:%02d", hour, minute, second)
	if n := min(a.Digits, 9); n > 0 {
		fmt.Fprintf(&b, ".%s", fmt.Sprintf("%09d", t.fraction())[:n])
	}
	if !a.Bare {
		b.WriteByte('Z')
	}
	return b.String()
}

// ParseASCII reads code A or B. The time of day may end after day, hour, minute or second;
// a fraction may have any number of digits, of which nine count. Codes that leave out the
// date cannot be read: they do not name a moment.
func ParseASCII(s string) (Instant, ASCII, error) {
	p := parser{rest: s}
	a := ASCII{Bare: true}
	f := fields{year: p.number(4)}
	p.need('-')
	if n := p.digits(); n == 3 {
		a.DayOfYear, f.day = true, p.number(3)
	} else {
		f.month = p.number(2)
		p.need('-')
		f.day = p.number(2)
		p.bad = p.bad || f.month == 0
	}
	if p.may('T') {
		f.hour = p.number(2)
		if p.may(':') {
			f.minute = p.number(2)
			if p.may(':') {
				f.second = p.number(2)
				if p.may('.') {
					f.ns, a.Digits = p.fraction()
				}
			}
		}
	}
	a.Bare = !p.may('Z')
	if p.bad || p.rest != "" {
		return 0, ASCII{}, ccsds.Errorf("time code", len(s)-len(p.rest), ccsds.ErrReserved, "%.40q is neither code A nor code B", s)
	}
	t, err := f.civil()
	if err != nil {
		return 0, ASCII{}, err
	}
	i, err := t.instant()
	if err != nil {
		return 0, ASCII{}, err
	}
	return i, a, nil
}

// parser takes a text from the front; the first thing that is not there makes it bad.
type parser struct {
	rest string
	bad  bool
}

// digits counts the digits that rest begins with.
func (p *parser) digits() int {
	n := 0
	for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
		n++
	}
	return n
}

// number takes exactly n digits.
func (p *parser) number(n int) (v int) {
	if p.bad || p.digits() != n {
		p.bad = true
		return 0
	}
	for _, c := range []byte(p.rest[:n]) {
		v = v*10 + int(c-'0')
	}
	p.rest = p.rest[n:]
	return v
}

// fraction takes digits of a fraction and returns nanoseconds and how many there were.
func (p *parser) fraction() (ns, n int) {
	n = p.digits()
	if n == 0 {
		p.bad = true
		return 0, 0
	}
	for k := range 9 {
		ns *= 10
		if k < n {
			ns += int(p.rest[k] - '0')
		}
	}
	p.rest = p.rest[n:]
	return ns, min(n, 9)
}

func (p *parser) need(c byte) { p.bad = !p.may(c) || p.bad }

func (p *parser) may(c byte) bool {
	if p.bad || p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}
