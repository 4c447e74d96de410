package aos_test

import (
	"bytes"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/internal/golden"
)

// TestGoldenServices: frames with access data and with B_PDUs, as another implementation makes
// them, insert zones included.
func TestGoldenServices(t *testing.T) {
	for i, row := range golden.Read(t, "services.txt") {
		service, data, octets := row.Columns[0], row.Hex(7), row.Hex(8)
		p := aos.Params{SCID: ccsds.SCID(row.Int(1)), FrameLength: len(octets), FECF: row.Bool(6), OCF: row.Columns[5] != "-"}
		f := aos.Frame{Params: p, SCID: p.SCID, VCID: ccsds.VCID(row.Int(2)), VCFC: uint32(row.Int(3))}
		if row.Columns[4] != "-" {
			f.InsertZone = row.Hex(4)
			p.InsertZone = len(f.InsertZone)
			f.Params = p
		}
		if p.OCF {
			f.OCF = [4]byte(row.Hex(5))
		}
		field := data
		if service == "bitstream" {
			var err error
			if field, err = (aos.BPDU{Bits: 8 * len(data), Zone: data}).Append(nil); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := aos.Append(nil, &f, field); err != nil || !bytes.Equal(got, octets) {
			t.Errorf("%s %d encodes to %x (%v)", service, i, got, err)
		}
		d := aos.Frame{Params: p}
		if err := d.DecodeFromBytes(octets, nil); err != nil || d.VCID != f.VCID || d.VCFC != f.VCFC || !bytes.Equal(d.InsertZone, f.InsertZone) {
			t.Fatalf("%s %d decodes to %+v, %v", service, i, d, err)
		}
		got := d.Payload
		if service == "bitstream" {
			b, err := aos.ParseBPDU(d.Payload)
			if err != nil || b.Bits != 8*len(data) {
				t.Fatalf("B_PDU %d has %d bits, %v", i, b.Bits, err)
			}
			got = b.Zone
		}
		if !bytes.Equal(got, data) {
			t.Errorf("%s %d holds %x", service, i, got)
		}
	}
}
