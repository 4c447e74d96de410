package timecode

import (
	"encoding/binary"

	"github.com/perilune/perilune/ccsds"
)

// Sub is what a day segmented code says below the millisecond.
type Sub uint8

// The resolutions of the day segmented code (§3.3.2).
const (
	Milliseconds Sub = 0 // no field
	Microseconds Sub = 1 // 16 bits, 0 to 999
	Picoseconds  Sub = 2 // 32 bits, 0 to 999999999
)

// codeDay is the time code identification of the day segmented code.
const codeDay = 4

// CDS is a form of the day segmented code (§3.3): days of UTC, milliseconds of the day,
// and perhaps something below. It has a leap second as milliseconds 86400000 to 86400999.
type CDS struct {
	Day   int   // octets of the day, 2 or 3
	Sub   Sub   // resolution
	Epoch int64 // day 0, in days since 1958-01-01; the agency's epoch if not 0
}

// Validate reports a form that cannot be coded.
func (c CDS) Validate() error {
	if c.Day != 2 && c.Day != 3 || c.Sub > Picoseconds {
		return errEncode("day of %d octets and resolution %d, want 2 or 3 and 0 to 2", c.Day, c.Sub)
	}
	return nil
}

// Length is the T-field in octets.
func (c CDS) Length() int { return c.Day + 4 + 2*int(c.Sub) }

// Append appends the T-field for i to dst, rounded down.
func (c CDS) Append(dst []byte, i Instant) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return dst, err
	}
	t := i.civil()
	day := t.day - c.Epoch
	if day < 0 || day>>(8*c.Day) != 0 {
		return dst, errEncode("day %d does not fit %d octets", day, c.Day)
	}
	if c.Day == 3 {
		dst = append(dst, byte(day>>16))
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(day))
	dst = binary.BigEndian.AppendUint32(dst, uint32(t.ns/1e6))
	switch c.Sub {
	case Microseconds:
		dst = binary.BigEndian.AppendUint16(dst, uint16(t.ns/1e3%1e3))
	case Picoseconds:
		dst = binary.BigEndian.AppendUint32(dst, uint32(t.ns%1e6*1e3))
	}
	return dst, nil
}

// Encode returns the T-field for i.
func (c CDS) Encode(i Instant) ([]byte, error) { return c.Append(make([]byte, 0, c.Length()), i) }

// Decode reads the T-field that data begins with. Picoseconds are rounded down to
// nanoseconds.
func (c CDS) Decode(data []byte) (Instant, error) {
	if err := c.Validate(); err != nil {
		return 0, err
	}
	if len(data) < c.Length() {
		return 0, ccsds.Errorf("time code", len(data), ccsds.ErrTruncated, "needs %d octets, have %d", c.Length(), len(data))
	}
	var day int64
	for _, b := range data[:c.Day] {
		day = day<<8 | int64(b)
	}
	data = data[c.Day:]
	ns, below := int64(binary.BigEndian.Uint32(data))*1e6, int64(0)
	switch c.Sub {
	case Microseconds:
		below = int64(binary.BigEndian.Uint16(data[4:])) * 1e3
	case Picoseconds:
		below = int64(binary.BigEndian.Uint32(data[4:])) / 1e3
	}
	if below >= 1e6 {
		return 0, ccsds.Errorf("time code", c.Day+4, ccsds.ErrReserved, "%d ns are more than a millisecond", below)
	}
	return civil{day + c.Epoch, ns + below}.instant()
}

// AppendPField appends the P-field that describes c to dst.
func (c CDS) AppendPField(dst []byte) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return dst, err
	}
	p := byte(codeDay<<4) | byte(c.Sub)
	if c.Epoch != 0 {
		p |= 8
	}
	if c.Day == 3 {
		p |= 4
	}
	return append(dst, p), nil
}

// parseCDS reads the P-field b of a day segmented code.
func parseCDS(b byte, agency int64) (CDS, error) {
	c := CDS{Day: 2, Sub: Sub(b & 3)}
	if b&4 != 0 {
		c.Day = 3
	}
	if b&8 != 0 {
		c.Epoch = agency
	}
	if c.Sub > Picoseconds {
		return CDS{}, ccsds.Errorf("time code", 0, ccsds.ErrReserved, "resolution %02b of a day segmented code", c.Sub)
	}
	return c, nil
}
