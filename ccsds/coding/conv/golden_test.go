package conv_test

import (
	"bytes"
	"testing"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
	"github.com/perilune/perilune/ccsds/internal/golden"
)

// Symbols made by numpy, of which libfec decodes those of rate 1/2: ours are the same, and
// decode to the same data.
func TestSymbolsGolden(t *testing.T) {
	for _, row := range golden.Read(t, "symbols.txt") {
		for _, r := range rates {
			if r.String() != row.Columns[0] {
				continue
			}
			data, want := row.Hex(1), row.Hex(2)
			e, d := newPair(t, r, conv.Options{})
			if got := e.Flush(e.Terminate(e.Encode(nil, data))); !bytes.Equal(got, want) {
				t.Errorf("rate %v: symbols %x, want %x", r, got, want)
			}
			d.Reset(true)
			soft := coding.AppendSoft(nil, want, 70)[:r.SymbolsFor(8*len(data)+6)]
			if got := d.Flush(d.Decode(nil, soft), true); !bytes.Equal(got, data) {
				t.Errorf("rate %v: decoded %x, want %x", r, got, data)
			}
		}
	}
}
