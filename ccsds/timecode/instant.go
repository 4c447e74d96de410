// Package timecode is the time codes of CCSDS 301.0-B-4: the unsegmented code (§3.2), the
// day and calendar segmented codes (§3.3, §3.4) and the ASCII codes (§3.5), and the step
// between the TAI that clocks count and the UTC that people read.
package timecode

import (
	"fmt"
	"sort"
	"time"
)

// Instant is a moment in nanoseconds of TAI since 1958-01-01T00:00:00 TAI, the CCSDS
// epoch (§3.2.1). It reaches from 1665 to 2250.
type Instant int64

// epoch is 1958-01-01 on the calendar; TAI and UTC are both counted from it here.
var epoch = time.Date(1958, 1, 1, 0, 0, 0, 0, time.UTC)

// epochUnix is epoch in seconds of Unix time.
var epochUnix = epoch.Unix()

// leap is a moment of UTC, in seconds since epoch, from which TAI-UTC is offset seconds.
type leap struct{ from, offset int64 }

// leaps is the table of IERS Bulletin C. Leap seconds are announced half a year ahead; none
// has been announced since the one of 2017.
var leaps = func() []leap {
	days := []struct {
		year  int
		month time.Month
	}{
		{1972, 1}, {1972, 7}, {1973, 1}, {1974, 1}, {1975, 1}, {1976, 1}, {1977, 1},
		{1978, 1}, {1979, 1}, {1980, 1}, {1981, 7}, {1982, 7}, {1983, 7}, {1985, 7},
		{1988, 1}, {1990, 1}, {1991, 1}, {1992, 7}, {1993, 7}, {1994, 7}, {1996, 1},
		{1997, 7}, {1999, 1}, {2006, 1}, {2009, 1}, {2012, 7}, {2015, 7}, {2017, 1},
	}
	t := make([]leap, len(days))
	for i, d := range days {
		t[i] = leap{time.Date(d.year, d.month, 1, 0, 0, 0, 0, time.UTC).Unix() - epochUnix, int64(10 + i)}
	}
	return t
}()

// TAIMinusUTC returns the seconds by which TAI is ahead of UTC at t. Before 1972, when UTC
// was not in whole seconds from TAI, it returns the 10 s of its beginning.
func TAIMinusUTC(t time.Time) int {
	s := t.Unix() - epochUnix
	i := sort.Search(len(leaps), func(i int) bool { return leaps[i].from > s })
	return int(leaps[max(i-1, 0)].offset)
}

// FromTime turns UTC into TAI.
func FromTime(t time.Time) Instant {
	s := t.Unix() - epochUnix + int64(TAIMinusUTC(t))
	return Instant(s*int64(time.Second) + int64(t.Nanosecond()))
}

// Time turns TAI into UTC. time.Time has no word for the second 23:59:60: a leap second
// has the same Time as the second after it.
func (i Instant) Time() time.Time {
	s, ns := floorDiv(int64(i), int64(time.Second))
	n := sort.Search(len(leaps), func(n int) bool { return leaps[n].from+leaps[n].offset > s })
	return time.Unix(s-leaps[max(n-1, 0)].offset+epochUnix, ns).UTC()
}

// Add returns the instant d later.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d) }

// Sub returns the time from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i - j) }

// String gives the instant as UTC.
func (i Instant) String() string { return i.Time().Format("2006-01-02T15:04:05.000000000Z") }

func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

// Quality says how far a clock may be trusted. It travels as the time reference status
// of PUS telemetry.
type Quality uint8

// The three qualities of an on-board clock.
const (
	Free        Quality = 0 // runs from where it happened to start
	Set         Quality = 1 // was set by a telecommand
	Disciplined Quality = 2 // follows a reference
)

func (q Quality) String() string {
	switch q {
	case Free:
		return "free"
	case Set:
		return "set"
	case Disciplined:
		return "disciplined"
	}
	return fmt.Sprintf("quality(%d)", uint8(q))
}

// Valid reports whether schedules may run by a clock of this quality.
func (q Quality) Valid() bool { return q == Set || q == Disciplined }
