package turbo_test

import (
	"bytes"
	"testing"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/turbo"
	"github.com/perilune/perilune/ccsds/internal/golden"
)

// Codewords made by power series instead of shift registers are ours, and decode.
func TestCodewordsGolden(t *testing.T) {
	for _, row := range golden.Read(t, "codewords.txt") {
		for _, r := range rates {
			if r.String() != row.Columns[1] {
				continue
			}
			c := newCode(t, row.Int(0), r)
			data, word := row.Hex(2), row.Hex(3)
			if got, err := c.Encode(nil, data); err != nil || !bytes.Equal(got, word) {
				t.Errorf("k=%d rate %v: codeword differs, %v", c.DataBits(), r, err)
			}
			d := newDecoder(t, c, turbo.Options{})
			if got, err := d.Decode(nil, coding.AppendSoft(nil, word, 30)[:c.Bits()]); err != nil || !bytes.Equal(got, data) {
				t.Errorf("k=%d rate %v: does not decode, %v", c.DataBits(), r, err)
			}
		}
	}
}
