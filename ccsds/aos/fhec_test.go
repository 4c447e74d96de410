package aos_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/internal/golden"
)

// Two words that another implementation publishes for its own test (YAMCS 5,
// AosFrameHeaderErrorCorrTest), and those of testdata.
func TestHeaderControl(t *testing.T) {
	check := func(id uint16, signaling uint8, want uint16) {
		t.Helper()
		if got := aos.HeaderControl(id, signaling); got != want {
			t.Errorf("control of %04x %02x is %04x, want %04x", id, signaling, got, want)
		}
	}
	check(0x1234, 0x56, 0x94DC)
	check(0x369C, 0xFA, 0x457C)
	for _, row := range golden.Read(t, "fhec.txt") {
		check(binary.BigEndian.Uint16(row.Hex(0)), row.Hex(1)[0], binary.BigEndian.Uint16(row.Hex(2)))
	}
}

// Any two wrong symbols of header and parity are corrected, and counted.
func TestHeaderCorrection(t *testing.T) {
	p := aos.Params{SCID: 511, FrameLength: 40, FHEC: true, FECF: true}
	where := []int{0, 1, 2, 3, 10, 11, 12, 13, 14, 15} // symbols of four bits
	rapid.Check(t, func(t *rapid.T) {
		f := aos.Frame{Params: p, SCID: p.SCID, VCID: ccsds.VCID(rapid.IntRange(0, 63).Draw(t, "vc")), Replay: rapid.Bool().Draw(t, "replay")}
		good, err := aos.Append(nil, &f, make([]byte, p.DataLength()))
		if err != nil {
			t.Fatal(err)
		}
		bad := bytes.Clone(good)
		i := rapid.IntRange(0, 9).Draw(t, "i")
		j := rapid.IntRange(0, 9).Draw(t, "j")
		for _, k := range []int{i, j} {
			e := byte(rapid.IntRange(1, 15).Draw(t, "error"))
			bad[where[k]/2] ^= e << (4 * (1 - where[k]%2))
			if i == j {
				break
			}
		}
		want := 2
		if i == j {
			want = 1
		}
		d := aos.Frame{Params: p}
		if err := d.DecodeFromBytes(bad, nil); err != nil || d.Corrected != want || d.VCID != f.VCID || d.SCID != f.SCID || d.Replay != f.Replay {
			t.Fatalf("symbols %d and %d wrong: %v, corrected %d of %d", i, j, err, d.Corrected, want)
		}
	})
}

// Most patterns of three wrong symbols are seen to be too many; none makes a panic.
func TestHeaderBeyondCorrection(t *testing.T) {
	p := aos.Params{SCID: 1, FrameLength: 40, FHEC: true}
	good, err := aos.Append(nil, &aos.Frame{Params: p, SCID: 1}, make([]byte, p.DataLength()))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for e := range 3375 {
		bad := bytes.Clone(good)
		bad[0] ^= byte(e%15) + 1
		bad[1] ^= byte(e/15%15) + 1
		bad[7] ^= byte(e/225) + 1
		d := aos.Frame{Params: p}
		if err := d.DecodeFromBytes(bad, nil); errors.Is(err, ccsds.ErrChecksum) || errors.Is(err, ccsds.ErrForeign) || errors.Is(err, ccsds.ErrVersion) {
			refused++
		}
	}
	if refused < 3000 {
		t.Errorf("%d of 3375 refused", refused)
	}
}
