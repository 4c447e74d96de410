package tc_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/gopacket"
	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/internal/layertest"
	"github.com/perilune/perilune/ccsds/tc"
)

func TestGolden(t *testing.T) {
	for i, row := range golden.Read(t, "frames.txt") {
		f := tc.Frame{
			Params: tc.Params{SCID: ccsds.SCID(row.Int(0)), FECF: true},
			SCID:   ccsds.SCID(row.Int(0)), VCID: ccsds.VCID(row.Int(1)),
			Bypass: row.Bool(2), Control: row.Bool(3), Seq: uint8(row.Int(4)),
		}
		data, octets := row.Hex(5), row.Hex(6)
		got, err := tc.Append(nil, &f, data)
		if err != nil || !bytes.Equal(got, octets) {
			t.Errorf("frame %d: encoded %x, want %x (%v)", i, got, octets, err)
		}
		d := tc.Frame{Params: f.Params}
		if err := d.DecodeFromBytes(append(octets, 0x55, 0x55, 0x55), nil); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if !bytes.Equal(d.LayerPayload(), data) || !bytes.Equal(d.LayerContents(), octets[:5]) {
			t.Errorf("frame %d: wrong payload or contents", i)
		}
		if d.SCID != f.SCID || d.VCID != f.VCID || d.Bypass != f.Bypass || d.Control != f.Control || d.Seq != f.Seq {
			t.Errorf("frame %d decodes to %+v", i, d)
		}
	}
}

var params = tc.Params{SCID: 42, FECF: true, MaxLength: 256}

// sealed returns a good frame of 20 octets after change, with its FECF made anew.
func sealed(t testing.TB, change func(frame []byte)) []byte {
	t.Helper()
	b, err := tc.Append(nil, &tc.Frame{Params: params, SCID: 42}, make([]byte, 13))
	if err != nil {
		t.Fatal(err)
	}
	change(b)
	return layertest.Seal(b)
}

func TestDecodeErrors(t *testing.T) {
	long, err := tc.Append(nil, &tc.Frame{Params: tc.Params{FECF: true}, SCID: 42}, make([]byte, 250))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		frame []byte
		want  error
	}{
		{"empty", nil, ccsds.ErrTruncated},
		{"header cut", sealed(t, func([]byte) {})[:4], ccsds.ErrTruncated},
		{"frame cut", sealed(t, func([]byte) {})[:19], ccsds.ErrTruncated},
		{"noise", append([]byte{0, 42, 0, 19}, bytes.Repeat([]byte{0x5A}, 30)...), ccsds.ErrChecksum},
		{"version", sealed(t, func(b []byte) { b[0] |= 0x40 }), ccsds.ErrVersion},
		{"spare bits", sealed(t, func(b []byte) { b[0] |= 0x04 }), ccsds.ErrReserved},
		{"control without bypass", sealed(t, func(b []byte) { b[0] |= 0x10 }), ccsds.ErrReserved},
		{"spacecraft", sealed(t, func(b []byte) { b[1]++ }), ccsds.ErrForeign},
		{"longer than allowed", long, ccsds.ErrLength},
		{"no data field", append([]byte{0, 42, 0, 6}, make([]byte, 20)...), ccsds.ErrLength},
	} {
		f := tc.Frame{Params: params}
		if err := f.DecodeFromBytes(c.frame, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	for name, f := range map[string]tc.Frame{
		"spacecraft": {SCID: 1024}, "channel": {VCID: 64}, "control without bypass": {Control: true},
	} {
		if _, err := tc.Append(nil, &f, []byte{1}); err == nil {
			t.Errorf("%s: is encoded", name)
		}
	}
	for _, n := range []int{0, 250} {
		if _, err := tc.Append(nil, &tc.Frame{Params: params}, make([]byte, n)); err == nil {
			t.Errorf("a data field of %d octets is encoded", n)
		}
	}
	if params.MaxData() != 249 || (tc.Params{MaxLength: 5000}).MaxData() != 1019 {
		t.Errorf("largest data fields are %d, %d", params.MaxData(), tc.Params{MaxLength: 5000}.MaxData())
	}
}

func TestKind(t *testing.T) {
	for want, f := range map[string]tc.Frame{
		"AD": {}, "BD": {Bypass: true}, "BC": {Bypass: true, Control: true}, "reserved": {Control: true},
	} {
		if f.Kind() != want {
			t.Errorf("%s is called %s", want, f.Kind())
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := tc.Params{SCID: ccsds.SCID(rapid.IntRange(0, 1023).Draw(t, "scid")), FECF: rapid.Bool().Draw(t, "fecf")}
		f := tc.Frame{
			Params: p, SCID: p.SCID, VCID: ccsds.VCID(rapid.IntRange(0, 63).Draw(t, "vc")),
			Bypass: rapid.Bool().Draw(t, "bypass"), Seq: rapid.Byte().Draw(t, "seq"),
		}
		f.Control = f.Bypass && rapid.Bool().Draw(t, "control")
		data := rapid.SliceOfN(rapid.Byte(), 1, 1017).Draw(t, "data")
		octets, err := tc.Append(nil, &f, data)
		if err != nil {
			t.Fatal(err)
		}
		layertest.Serializes(t, &f, data, octets)
		d := tc.Frame{Params: p}
		if err := d.DecodeFromBytes(octets, nil); err != nil {
			t.Fatal(err)
		}
		again, err := tc.Append(nil, &d, d.Payload)
		if err != nil || !bytes.Equal(again, octets) || !bytes.Equal(d.Payload, data) {
			t.Fatalf("decoding and encoding changes the frame (%v)", err)
		}
	})
}

func TestGopacket(t *testing.T) {
	octets := sealed(t, func([]byte) {})
	if f, ok := gopacket.NewPacket(octets, tc.LayerTypeFrame, gopacket.Default).Layer(tc.LayerTypeFrame).(*tc.Frame); !ok || f.SCID != 42 {
		t.Error("the registered decoder does not decode")
	}
	if gopacket.NewPacket(octets, tc.NewDecoder(tc.Params{SCID: 1, FECF: true}), gopacket.Default).ErrorLayer() == nil {
		t.Error("a frame of another spacecraft decodes")
	}
}

func TestDecodeAllocates(t *testing.T) {
	octets := sealed(t, func([]byte) {})
	f := tc.Frame{Params: params}
	layertest.Allocates(t, &f, octets)
}

// What decodes must encode to the same octets.
func FuzzFrame(f *testing.F) {
	f.Add(sealed(f, func([]byte) {}), true)
	f.Add([]byte{0x20, 42, 0, 6, 0, 1, 2}, false)
	f.Add([]byte{0x30, 42, 3, 255, 0}, false)
	f.Fuzz(func(t *testing.T, octets []byte, fecf bool) {
		d := tc.Frame{Params: tc.Params{FECF: fecf, AnySCID: true}}
		if d.DecodeFromBytes(octets, nil) != nil {
			return
		}
		again, err := tc.Append(nil, &d, d.Payload)
		if err != nil || !bytes.Equal(again, octets[:len(again)]) {
			t.Fatalf("%x encodes as %x (%v)", octets, again, err)
		}
	})
}
