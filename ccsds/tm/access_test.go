package tm_test

import (
	"bytes"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/tm"
)

// TestGoldenAccess: frames with access data as another implementation makes them.
func TestGoldenAccess(t *testing.T) {
	for i, row := range golden.Read(t, "access.txt") {
		data, octets := row.Hex(7), row.Hex(8)
		p := tm.Params{SCID: ccsds.SCID(row.Int(1)), FrameLength: len(octets), FECF: row.Bool(6), OCF: row.Columns[5] != "-"}
		var ocf [4]byte
		if p.OCF {
			ocf = [4]byte(row.Hex(5))
		}
		b, err := tm.NewBuilder(p)
		if err != nil {
			t.Fatal(err)
		}
		vc, want := ccsds.VCID(row.Int(2)), row.Int(3)
		var got []byte
		for range want + 1 { // both counts begin at zero
			if got, err = b.Access(nil, vc, ocf, data); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, octets) {
			t.Errorf("frame %d encodes to %x", i, got)
		}
		f := tm.Frame{Params: p}
		if err := f.DecodeFromBytes(octets, nil); err != nil || f.VCID != vc || !f.Sync || !bytes.Equal(f.Payload, data) {
			t.Errorf("frame %d decodes to %+v, %v", i, f, err)
		}
	}
	b, err := tm.NewBuilder(tm.Params{SCID: 1, FrameLength: 100})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Access(nil, tm.IdleVCID, [4]byte{}, make([]byte, 94)); err == nil {
		t.Error("sent on the channel of idle frames")
	}
	if _, err := b.Access(nil, 1, [4]byte{}, make([]byte, 93)); err == nil {
		t.Error("sent less than a data field")
	}
}
