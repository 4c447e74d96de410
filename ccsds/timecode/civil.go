package timecode

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/perilune/perilune/ccsds"
)

const daySeconds = 86400

// civil is a moment of UTC as people write it: a day, and nanoseconds from its beginning.
// A day with a leap second has 86401 of them, which time.Time cannot say.
type civil struct {
	day int64 // days since 1958-01-01
	ns  int64 // 0 to 86400999999999
}

// civil turns TAI into UTC, leap seconds included.
func (i Instant) civil() civil {
	s, ns := floorDiv(int64(i), int64(time.Second))
	n := sort.Search(len(leaps), func(n int) bool { return leaps[n].from+leaps[n].offset > s })
	utc := s - leaps[max(n-1, 0)].offset
	leap := n > 0 && n < len(leaps) && utc == leaps[n].from
	if leap {
		utc--
	}
	day, second := floorDiv(utc, daySeconds)
	if leap {
		second++
	}
	return civil{day, second*int64(time.Second) + ns}
}

// instant turns UTC into TAI. A second behind the end of the day is refused unless there
// was a leap second.
func (c civil) instant() (Instant, error) {
	const reach = 1 << 17 // days; an Instant reaches some 106000 either way
	if c.day < -reach || c.day > reach || c.ns < 0 {
		return 0, ccsds.Errorf("time code", 0, ccsds.ErrReserved, "day %d is out of reach", c.day)
	}
	s := c.day * daySeconds
	end := s + daySeconds
	k := sort.Search(len(leaps), func(n int) bool { return leaps[n].from > s })
	offset := leaps[max(k-1, 0)].offset
	long := k > 0 && k < len(leaps) && leaps[k].from == end
	if second := c.ns / int64(time.Second); second > daySeconds || second == daySeconds && !long {
		return 0, ccsds.Errorf("time code", 0, ccsds.ErrReserved, "second %d of a day without a leap second", second)
	}
	s += c.ns/int64(time.Second) + offset
	if most := int64(math.MaxInt64/1_000_000_000 - 1); s > most || s < -most {
		return 0, ccsds.Errorf("time code", 0, ccsds.ErrReserved, "day %d is out of reach", c.day)
	}
	return Instant(s*int64(time.Second) + c.ns%int64(time.Second)), nil
}

// date is the day in the calendar.
func (c civil) date() time.Time { return time.Unix(epochUnix+c.day*daySeconds, 0).UTC() }

// clock is hour, minute and second; the second is 60 within a leap second.
func (c civil) clock() (hour, minute, second int) {
	s := int(c.ns / int64(time.Second))
	if s >= daySeconds {
		return 23, 59, 60
	}
	return s / 3600, s / 60 % 60, s % 60
}

// fraction is the nanoseconds of the second.
func (c civil) fraction() int { return int(c.ns % int64(time.Second)) }

// fields are the numbers of a calendar code; month 0 means that day counts from 1 January.
type fields struct{ year, month, day, hour, minute, second, ns int }

// civil checks the numbers and joins them.
func (f fields) civil() (civil, error) {
	bad := func(what string, n int) (civil, error) {
		return civil{}, ccsds.Errorf("time code", 0, ccsds.ErrReserved, "%s %d", what, n)
	}
	month := max(f.month, 1)
	first := time.Date(f.year, time.Month(month), 1, 0, 0, 0, 0, time.UTC)
	length := first.AddDate(0, 1, 0)
	if f.month == 0 {
		length = first.AddDate(1, 0, 0)
	}
	switch {
	case f.year < 1 || f.year > 9999:
		return bad("year", f.year)
	case f.month < 0 || f.month > 12:
		return bad("month", f.month)
	case f.day < 1 || f.day > int(length.Sub(first)/(24*time.Hour)):
		return bad("day", f.day)
	case f.hour > 23:
		return bad("hour", f.hour)
	case f.minute > 59:
		return bad("minute", f.minute)
	case f.second > 60 || f.second == 60 && (f.hour != 23 || f.minute != 59):
		return bad("second", f.second)
	}
	day := (first.Unix()-epochUnix)/daySeconds + int64(f.day) - 1
	s := int64(f.hour)*3600 + int64(f.minute)*60 + int64(f.second)
	return civil{day, s*int64(time.Second) + int64(f.ns)}, nil
}

// errEncode says that a moment cannot be written in a form.
func errEncode(format string, args ...any) error {
	return fmt.Errorf("time code: "+format, args...)
}
