package timecode

import (
	"time"

	"github.com/perilune/perilune/ccsds"
)

// codeCalendar is the time code identification of the calendar segmented code.
const codeCalendar = 5

// MaxFraction is the largest fraction of a calendar segmented code in octets of two digits.
const MaxFraction = 6

// CCS is a form of the calendar segmented code (§3.4): UTC in decimal digits, four bits
// each. A leap second is second 60.
type CCS struct {
	DayOfYear bool // day of the year, not month and day
	Fraction  int  // octets below the second, 0 to 6
}

// Validate reports a form that cannot be coded.
func (c CCS) Validate() error {
	if c.Fraction < 0 || c.Fraction > MaxFraction {
		return errEncode("fraction of %d octets, want 0 to %d", c.Fraction, MaxFraction)
	}
	return nil
}

// Length is the T-field in octets.
func (c CCS) Length() int { return 7 + c.Fraction }

func digits(n int) byte { return byte(n/10%10)<<4 | byte(n%10) }

// Append appends the T-field for i to dst, rounded down.
func (c CCS) Append(dst []byte, i Instant) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return dst, err
	}
	t := i.civil()
	d := t.date()
	dst = append(dst, digits(d.Year()/100), digits(d.Year()))
	if c.DayOfYear {
		dst = append(dst, digits(d.YearDay()/100), digits(d.YearDay()))
	} else {
		dst = append(dst, digits(int(d.Month())), digits(d.Day()))
	}
	hour, minute, second := t.clock()
	dst = append(dst, digits(hour), digits(minute), digits(second))
	for k, ps := 0, t.fraction()*1000; k < c.Fraction; k++ {
		dst = append(dst, digits(ps/1e10))
		ps = ps % 1e10 * 100
	}
	return dst, nil
}

// Encode returns the T-field for i.
func (c CCS) Encode(i Instant) ([]byte, error) { return c.Append(make([]byte, 0, c.Length()), i) }

// Decode reads the T-field that data begins with. Digits below the nanosecond are dropped.
func (c CCS) Decode(data []byte) (Instant, error) {
	if err := c.Validate(); err != nil {
		return 0, err
	}
	if len(data) < c.Length() {
		return 0, ccsds.Errorf("time code", len(data), ccsds.ErrTruncated, "needs %d octets, have %d", c.Length(), len(data))
	}
	var n [7 + MaxFraction]int
	for k, b := range data[:c.Length()] {
		if b>>4 > 9 || b&15 > 9 {
			return 0, ccsds.Errorf("time code", k, ccsds.ErrReserved, "%02x are no decimal digits", b)
		}
		n[k] = int(b>>4)*10 + int(b&15)
	}
	f := fields{year: n[0]*100 + n[1], month: n[2], day: n[3], hour: n[4], minute: n[5], second: n[6]}
	if c.DayOfYear {
		f.month, f.day = 0, n[2]*100+n[3]
	} else if f.month == 0 {
		return 0, ccsds.Errorf("time code", 2, ccsds.ErrReserved, "month 0")
	}
	ps := 0
	for k := range MaxFraction {
		ps = ps*100 + n[7+k]
	}
	f.ns = ps / 1000
	t, err := f.civil()
	if err != nil {
		return 0, err
	}
	return t.instant()
}

// AppendPField appends the P-field that describes c to dst.
func (c CCS) AppendPField(dst []byte) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return dst, err
	}
	p := byte(codeCalendar<<4) | byte(c.Fraction)
	if c.DayOfYear {
		p |= 8
	}
	return append(dst, p), nil
}

// parseCCS reads the P-field b of a calendar segmented code.
func parseCCS(b byte) (CCS, error) {
	c := CCS{DayOfYear: b&8 != 0, Fraction: int(b & 7)}
	if c.Fraction > MaxFraction {
		return CCS{}, ccsds.Errorf("time code", 0, ccsds.ErrReserved, "resolution %03b of a calendar segmented code", c.Fraction)
	}
	return c, nil
}

// Code is a form of a binary time code.
type Code interface {
	Validate() error
	Length() int // T-field in octets
	Append(dst []byte, i Instant) ([]byte, error)
	Decode(data []byte) (Instant, error)
	AppendPField(dst []byte) ([]byte, error)
}

// ParseCode reads the P-field of any binary code and returns the form that it describes
// and its own octets. Codes with an epoch of the agency count from agency, the day
// segmented code from the day it lies in.
func ParseCode(data []byte, agency Instant) (Code, int, error) {
	if len(data) == 0 {
		return nil, 0, ccsds.Errorf("time code", 0, ccsds.ErrTruncated, "no P-field")
	}
	id := data[0] >> 4 & 7
	if id != codeDay && id != codeCalendar {
		return parseUnsegmented(data, agency)
	}
	if data[0]&0x80 != 0 {
		return nil, 0, ccsds.Errorf("time code", 0, ccsds.ErrReserved, "P-field of a segmented code goes on")
	}
	var c Code
	var err error
	if id == codeDay {
		c, err = parseCDS(data[0], agency.civil().day)
	} else {
		c, err = parseCCS(data[0])
	}
	if err != nil {
		return nil, 0, err
	}
	return c, 1, nil
}

func parseUnsegmented(data []byte, agency Instant) (Code, int, error) {
	c, n, err := ParsePField(data, agency)
	if err != nil {
		return nil, 0, err
	}
	return c, n, nil
}

// DaysSince is the day number of a date for CDS.Epoch.
func DaysSince(year int, month time.Month, day int) int64 {
	d, _ := floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()-epochUnix, daySeconds)
	return d
}
