package timecode_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/timecode"
)

// Each leap second of the IERS table, the second before it, and a time between.
func TestLeapSecondsGolden(t *testing.T) {
	for _, row := range golden.Read(t, "leap.txt") {
		utc, tai := time.Unix(int64(row.Int(0)), 250).UTC(), timecode.Instant(row.Int(1))*1e9+250
		if got := timecode.FromTime(utc); got != tai {
			t.Errorf("%v is %d, want %d", utc, got, tai)
		}
		if got := tai.Time(); !got.Equal(utc) {
			t.Errorf("%d is %v, want %v", tai, got, utc)
		}
	}
}

func TestInstant(t *testing.T) {
	y2024 := time.Date(2024, 6, 1, 12, 0, 0, 0, time.FixedZone("", 7200))
	if got := timecode.TAIMinusUTC(y2024); got != 37 {
		t.Errorf("TAI-UTC is %d in 2024, want 37", got)
	}
	if got := timecode.TAIMinusUTC(time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)); got != 10 {
		t.Errorf("TAI-UTC is %d in 1960, want 10", got)
	}
	i := timecode.FromTime(y2024)
	if s := i.String(); s != "2024-06-01T10:00:00.000000000Z" {
		t.Errorf("printed %s", s)
	}
	if d := i.Add(time.Minute).Sub(i); d != time.Minute {
		t.Errorf("a minute later is %v later", d)
	}
	// The leap second 2016-12-31T23:59:60 itself: the second after it, twice.
	after := timecode.FromTime(time.Date(2017, 1, 1, 0, 0, 0, 5e8, time.UTC))
	if got := after.Add(-time.Second).Time(); !got.Equal(after.Time()) {
		t.Errorf("inside the leap second it is %v", got)
	}
	if got := after.Add(-2 * time.Second).Time(); !got.Equal(time.Date(2016, 12, 31, 23, 59, 59, 5e8, time.UTC)) {
		t.Errorf("before the leap second it is %v", got)
	}
}

func TestUTCRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		utc := time.Unix(rapid.Int64Range(-10_000_000_000/2, 8_000_000_000).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		if got := timecode.FromTime(utc).Time(); !got.Equal(utc) {
			t.Fatalf("%v comes back as %v", utc.UTC(), got)
		}
	})
}

func TestQuality(t *testing.T) {
	for q, want := range map[timecode.Quality]string{
		timecode.Free: "free", timecode.Set: "set", timecode.Disciplined: "disciplined", 9: "quality(9)",
	} {
		if q.String() != want || q.Valid() != (q == timecode.Set || q == timecode.Disciplined) {
			t.Errorf("%d is %v, valid %t", uint8(q), q, q.Valid())
		}
	}
}

// Codes worked out by hand: 2^32 s is where four octets end, half a second is 80 00 00.
func TestCUC(t *testing.T) {
	for _, c := range []struct {
		form timecode.CUC
		at   timecode.Instant
		want []byte
	}{
		{timecode.Default, 0, []byte{0, 0, 0, 0, 0, 0, 0}},
		{timecode.Default, 1_500_000_000, []byte{0, 0, 0, 1, 0x80, 0, 0}},
		{timecode.Default, 59, []byte{0, 0, 0, 0, 0, 0, 0}},
		{timecode.Default, 60, []byte{0, 0, 0, 0, 0, 0, 1}},
		{timecode.Default, 4294967295_999999999, []byte{255, 255, 255, 255, 255, 255, 255}},
		{timecode.CUC{Coarse: 1}, 255_999_999_999, []byte{255}},
		{timecode.CUC{Coarse: 5, Fine: 1}, 4294967296_250000000, []byte{1, 0, 0, 0, 0, 0x40}},
		{timecode.CUC{Coarse: 2, Fine: 10}, 1_750_000_000, []byte{0, 1, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{timecode.CUC{Coarse: 4, Epoch: 7_000_000_000}, 9_000_000_000, []byte{0, 0, 0, 2}},
	} {
		got, err := c.form.Encode(c.at)
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%+v: %d is %x, want %x (%v)", c.form, c.at, got, c.want, err)
		}
	}
	for name, c := range map[string]struct {
		form timecode.CUC
		at   timecode.Instant
	}{
		"before the epoch": {timecode.Default, -1}, "too late": {timecode.Default, 4294967296_000000000},
		"too late for one octet": {timecode.CUC{Coarse: 1}, 256_000_000_000},
		"no seconds":             {timecode.CUC{Fine: 3}, 0}, "too fine": {timecode.CUC{Coarse: 4, Fine: 11}, 0},
	} {
		if got, err := c.form.Encode(c.at); err == nil {
			t.Errorf("%s: encoded as %x", name, got)
		}
	}
}

func TestCUCDecodeErrors(t *testing.T) {
	if _, err := timecode.Default.Decode(make([]byte, 6)); !errors.Is(err, ccsds.ErrTruncated) {
		t.Errorf("6 octets: %v", err)
	}
	if _, err := (timecode.CUC{Coarse: 7}).Decode(bytes.Repeat([]byte{255}, 7)); !errors.Is(err, ccsds.ErrReserved) {
		t.Errorf("2^56 s: %v", err)
	}
	if _, err := (timecode.CUC{}).Decode(nil); err == nil {
		t.Error("no form at all decodes")
	}
	for _, b := range [][]byte{{}, {0x9E}, {0x9E, 0x80}, {0x4C}, {0x00}} {
		if c, _, err := timecode.ParsePField(b, 0); err == nil {
			t.Errorf("P-field %x is %+v", b, c)
		}
	}
}

func TestPField(t *testing.T) {
	for _, c := range []struct {
		form timecode.CUC
		want []byte
	}{
		{timecode.Default, []byte{0x1F}},
		{timecode.CUC{Coarse: 4, Fine: 2}, []byte{0x1E}},
		{timecode.CUC{Coarse: 4, Fine: 3, Epoch: 5}, []byte{0x2F}},
		{timecode.CUC{Coarse: 7, Fine: 10}, []byte{0x9F, 0x7C}},
	} {
		got, err := c.form.AppendPField(nil)
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%+v: P-field %x, want %x (%v)", c.form, got, c.want, err)
		}
	}
}

// What is decoded from an encoded time is at most one step of the fraction earlier, and
// encodes to the same octets.
func TestCUCRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := timecode.CUC{Coarse: rapid.IntRange(4, 7).Draw(t, "coarse"), Fine: rapid.IntRange(0, 10).Draw(t, "fine")}
		if rapid.Bool().Draw(t, "agency") {
			c.Epoch = timecode.FromTime(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		}
		at := c.Epoch + timecode.Instant(rapid.Int64Range(0, 4294967295_999999999).Draw(t, "ns"))
		octets, err := c.EncodeWithPField(at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := timecode.DecodeWithPField(octets, c.Epoch)
		if err != nil {
			t.Fatal(err)
		}
		step := timecode.Instant(1_000_000_000>>(8*min(c.Fine, 4))) + 1
		if got > at || got < at-step {
			t.Fatalf("%d comes back as %d", at, got)
		}
		if again, err := c.EncodeWithPField(got); err != nil || !bytes.Equal(again, octets) {
			t.Fatalf("%x becomes %x (%v)", octets, again, err)
		}
	})
}

// Any octets: no panic, and what decodes encodes to the same, up to the precision of
// a nanosecond.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x1F, 0x6E, 0x12, 0x34, 0x56, 0x80, 0, 1})
	f.Add([]byte{0x9F, 0x7C, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17})
	f.Add([]byte{0x2C, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, octets []byte) {
		c, n, err := timecode.ParsePField(octets, 12345)
		if err != nil {
			return
		}
		at, err := c.Decode(octets[n:])
		if err != nil {
			return
		}
		again, err := c.Encode(at)
		if err != nil {
			return // rounding up may pass the last second that fits
		}
		if fine := min(c.Fine, 3); !bytes.Equal(again[:c.Coarse+fine], octets[n:n+c.Coarse+fine]) && c.Fine <= 3 {
			t.Fatalf("%x becomes %x", octets[n:], again)
		}
	})
}
