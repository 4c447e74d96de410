package timecode_test

import (
	"bytes"
	"errors"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/timecode"
)

var (
	codeA = timecode.ASCII{Digits: 9}
	codeB = timecode.ASCII{DayOfYear: true, Bare: true}
)

// Moments in the whole table of leap seconds, and inside each of them, in each code.
func TestSegmentedGolden(t *testing.T) {
	forms := []struct {
		code timecode.Code
		step timecode.Instant // resolution
	}{
		{timecode.CDS{Day: 2}, 1e6}, {timecode.CDS{Day: 3, Sub: timecode.Microseconds}, 1e3}, {timecode.CDS{Day: 2, Sub: timecode.Picoseconds}, 1},
		{timecode.CCS{}, 1e9}, {timecode.CCS{DayOfYear: true, Fraction: 6}, 1},
	}
	for _, row := range golden.Read(t, "segmented.txt") {
		ns, err := strconv.ParseInt(row.Columns[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		at := timecode.Instant(ns)
		for k, f := range forms {
			want := row.Hex(1 + k)
			if got, err := f.code.Append(nil, at); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%+v: %s is %x, want %x (%v)", f.code, row.Columns[6], got, want, err)
			}
			if got, err := f.code.Decode(want); err != nil || got != at-at%f.step {
				t.Errorf("%+v: %x is %d, want %d (%v)", f.code, want, got, at-at%f.step, err)
			}
		}
		if a, b := codeA.Format(at), codeB.Format(at); a != row.Columns[6] || b != row.Columns[7] {
			t.Errorf("%d is %s and %s, want %s and %s", at, a, b, row.Columns[6], row.Columns[7])
		}
		if got, a, err := timecode.ParseASCII(row.Columns[6]); err != nil || got != at || a != codeA {
			t.Errorf("%s is %d, %+v (%v)", row.Columns[6], got, a, err)
		}
		if got, b, err := timecode.ParseASCII(row.Columns[7]); err != nil || got != at-at%1e9 || b != codeB {
			t.Errorf("%s is %d, %+v (%v)", row.Columns[7], got, b, err)
		}
	}
}

// Any code and any moment: P-field and T-field come back as the same code and, up to the
// resolution, the same moment, and encode to the same octets.
func TestCodesRoundTrip(t *testing.T) {
	agency := timecode.FromTime(time.Date(1980, 1, 6, 0, 0, 0, 0, time.UTC))
	rapid.Check(t, func(t *rapid.T) {
		day := timecode.CDS{Day: rapid.IntRange(2, 3).Draw(t, "day"), Sub: timecode.Sub(rapid.IntRange(0, 2).Draw(t, "sub"))}
		if rapid.Bool().Draw(t, "agency") {
			day.Epoch = timecode.DaysSince(1980, 1, 6)
		}
		code := rapid.SampledFrom([]timecode.Code{
			day, timecode.CCS{DayOfYear: rapid.Bool().Draw(t, "day of year"), Fraction: rapid.IntRange(0, 6).Draw(t, "fraction")},
			timecode.CUC{Coarse: 5, Fine: rapid.IntRange(0, 8).Draw(t, "fine")},
		}).Draw(t, "code")
		at := timecode.Instant(rapid.Int64Range(int64(agency), 5_600_000_000_000_000_000).Draw(t, "at"))
		octets, err := code.AppendPField(nil)
		if err != nil {
			t.Fatal(err)
		}
		if octets, err = code.Append(octets, at); err != nil {
			t.Fatal(err)
		}
		back, n, err := timecode.ParseCode(octets, agency)
		if err != nil || back != code || len(octets) != n+code.Length() {
			t.Fatalf("%+v comes back as %+v (%v)", code, back, err)
		}
		got, err := back.Decode(octets[n:])
		if err != nil || got > at || at-got > 1e9 {
			t.Fatalf("%d comes back as %d (%v)", at, got, err)
		}
		if again, err := back.Append(octets[:n:n], got); err != nil || !bytes.Equal(again, octets) {
			t.Fatalf("%x becomes %x (%v)", octets, again, err)
		}
		text := timecode.ASCII{DayOfYear: rapid.Bool().Draw(t, "code B"), Digits: 9}
		if got, form, err := timecode.ParseASCII(text.Format(at)); err != nil || got != at || form != text {
			t.Fatalf("%s is %d, want %d (%v)", text.Format(at), got, at, err)
		}
	})
}

func TestCodePFields(t *testing.T) {
	for _, c := range []struct {
		code timecode.Code
		want byte
	}{
		{timecode.CDS{Day: 2}, 0x40}, {timecode.CDS{Day: 3, Sub: timecode.Microseconds}, 0x45},
		{timecode.CDS{Day: 2, Sub: timecode.Picoseconds, Epoch: 9}, 0x4A}, {timecode.CCS{}, 0x50}, {timecode.CCS{DayOfYear: true, Fraction: 6}, 0x5E},
	} {
		if got, err := c.code.AppendPField(nil); err != nil || !bytes.Equal(got, []byte{c.want}) {
			t.Errorf("%+v: P-field %x, want %02x (%v)", c.code, got, c.want, err)
		}
	}
	for _, b := range [][]byte{{}, {0x43}, {0x57}, {0xC0}, {0x60}, {0x00}} {
		if c, _, err := timecode.ParseCode(b, 0); err == nil {
			t.Errorf("P-field %x is %+v", b, c)
		}
	}
}

func TestSegmentedErrors(t *testing.T) {
	for name, c := range map[string]struct {
		code   timecode.Code
		octets []byte
		want   error
	}{
		"day cut":           {timecode.CDS{Day: 2}, make([]byte, 5), ccsds.ErrTruncated},
		"day too long":      {timecode.CDS{Day: 2}, []byte{0, 1, 0x05, 0x26, 0x5C, 0x00}, ccsds.ErrReserved}, // 86400000 ms
		"day out of reach":  {timecode.CDS{Day: 3}, []byte{255, 255, 255, 0, 0, 0, 0}, ccsds.ErrReserved},
		"behind 2250":       {timecode.CDS{Day: 3}, []byte{1, 0xB0, 0, 0, 0, 0, 0}, ccsds.ErrReserved},
		"microseconds":      {timecode.CDS{Day: 2, Sub: timecode.Microseconds}, []byte{0, 1, 0, 0, 0, 0, 3, 0xE8}, ccsds.ErrReserved},
		"calendar cut":      {timecode.CCS{}, make([]byte, 6), ccsds.ErrTruncated},
		"digits":            {timecode.CCS{}, []byte{0x20, 0x1A, 1, 1, 0, 0, 0}, ccsds.ErrReserved},
		"month 0":           {timecode.CCS{}, []byte{0x20, 0x24, 0, 1, 0, 0, 0}, ccsds.ErrReserved},
		"month 13":          {timecode.CCS{}, []byte{0x20, 0x24, 0x13, 1, 0, 0, 0}, ccsds.ErrReserved},
		"29 February 2023":  {timecode.CCS{}, []byte{0x20, 0x23, 2, 0x29, 0, 0, 0}, ccsds.ErrReserved},
		"day 366 of 2023":   {timecode.CCS{DayOfYear: true}, []byte{0x20, 0x23, 3, 0x66, 0, 0, 0}, ccsds.ErrReserved},
		"hour 24":           {timecode.CCS{}, []byte{0x20, 0x23, 2, 1, 0x24, 0, 0}, ccsds.ErrReserved},
		"minute 60":         {timecode.CCS{}, []byte{0x20, 0x23, 2, 1, 0, 0x60, 0}, ccsds.ErrReserved},
		"second 60 at noon": {timecode.CCS{}, []byte{0x20, 0x16, 0x12, 0x31, 0x12, 0, 0x60}, ccsds.ErrReserved},
		"no leap second":    {timecode.CCS{}, []byte{0x20, 0x23, 0x12, 0x31, 0x23, 0x59, 0x60}, ccsds.ErrReserved},
		"year 0":            {timecode.CCS{}, []byte{0, 0, 1, 1, 0, 0, 0}, ccsds.ErrReserved},
		"year out of reach": {timecode.CCS{}, []byte{0x99, 0x99, 1, 1, 0, 0, 0}, ccsds.ErrReserved},
	} {
		if i, err := c.code.Decode(c.octets); !errors.Is(err, c.want) {
			t.Errorf("%s: %d, %v; want %v", name, i, err, c.want)
		}
	}
	for _, c := range []timecode.Code{timecode.CDS{}, timecode.CDS{Day: 2, Sub: 3}, timecode.CCS{Fraction: 7}, timecode.CCS{Fraction: -1}} {
		if _, err := c.Append(nil, 0); err == nil {
			t.Errorf("%+v encodes", c)
		}
		if _, err := c.AppendPField(nil); err == nil {
			t.Errorf("%+v has a P-field", c)
		}
		if _, err := c.Decode(make([]byte, 20)); err == nil {
			t.Errorf("%+v decodes", c)
		}
	}
	if _, err := (timecode.CDS{Day: 2}).Encode(-1e18); err == nil {
		t.Error("a day before the epoch is encoded")
	}
}

// What may be left out at the end, and what may not be there.
func TestParseASCII(t *testing.T) {
	for s, want := range map[string]string{
		"1988-01-18T17:20:43.123456Z": "1988-01-18T17:20:43.123456000Z", "1988-018T17:20:43.123456Z": "1988-01-18T17:20:43.123456000Z",
		"2024-02-29": "2024-02-29T00:00:00.000000000Z", "2024-060T01Z": "2024-02-29T01:00:00.000000000Z",
		"2024-060T01:02": "2024-02-29T01:02:00.000000000Z", "2016-366T23:59:60.5": "2016-12-31T23:59:60.500000000Z",
		"2024-060T01:02:03.1234567891": "2024-02-29T01:02:03.123456789Z",
	} {
		if i, _, err := timecode.ParseASCII(s); err != nil || codeA.Format(i) != want {
			t.Errorf("%s is %s, want %s (%v)", s, codeA.Format(i), want, err)
		}
	}
	for _, s := range []string{
		"", "2024", "2024-1-1", "24-01-01", "2024-01-01T", "2024-01-01T1", "2024-01-01T10:", "2024-01-01T10:11:12.", "2024-01-01 10:11",
		"2024-01-01Zx", "2024-00-01", "2024-367", "2024-01-01T25", "T10:11:12", "2023-12-31T23:59:60Z", "9999-01-01", "２024-01-01",
	} {
		if i, _, err := timecode.ParseASCII(s); err == nil {
			t.Errorf("%q is %s", s, i)
		}
	}
}

// Any octets: no panic, and what decodes encodes to the same moment.
func FuzzCode(f *testing.F) {
	f.Add([]byte{0x40, 0x5E, 0x2C, 1, 2, 3, 4})
	f.Add([]byte{0x4D, 0, 0x5E, 0x2C, 1, 2, 3, 4, 0, 9})
	f.Add([]byte{0x56, 0x20, 0x24, 2, 0x29, 0x23, 0x59, 0x59, 1, 2, 3, 4, 5, 6})
	f.Fuzz(func(t *testing.T, octets []byte) {
		c, n, err := timecode.ParseCode(octets, 1e18)
		if err != nil {
			return
		}
		at, err := c.Decode(octets[n:])
		if err != nil {
			return
		}
		again, err := c.Append(nil, at)
		if err != nil {
			return // an unsegmented code may round up past its last second
		}
		if got, err := c.Decode(again); err != nil || got != at {
			t.Fatalf("%+v: %x is %d, which becomes %x, which is %d (%v)", c, octets, at, again, got, err)
		}
	})
}

// Any text: no panic, and what is read is written to be read the same.
func FuzzASCII(f *testing.F) {
	f.Add("2024-02-29T23:59:59.999999999Z")
	f.Add("2016-366T23:59:60")
	f.Fuzz(func(t *testing.T, s string) {
		at, form, err := timecode.ParseASCII(s)
		if err != nil {
			return
		}
		if got, again, err := timecode.ParseASCII(form.Format(at)); err != nil || got != at || again != form {
			t.Fatalf("%q is %d, written as %q, read as %d (%v)", s, at, form.Format(at), got, err)
		}
	})
}
