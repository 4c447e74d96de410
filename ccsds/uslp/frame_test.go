package uslp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"testing"

	"github.com/google/gopacket"
	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/internal/layertest"
	"github.com/perilune/perilune/ccsds/uslp"
)

func TestGolden(t *testing.T) {
	for i, row := range golden.Read(t, "frames.txt") {
		zone, octets := row.Hex(16), row.Hex(18)
		p := uslp.Params{SCID: ccsds.SCID(row.Int(0)), FECF: uslp.FECF(row.Int(14))}
		count, err := strconv.ParseUint(row.Columns[9], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		f := uslp.Frame{
			SCID: p.SCID, Destination: row.Bool(1), VCID: ccsds.VCID(row.Int(2)), MAP: ccsds.MAPID(row.Int(3)), Truncated: row.Bool(4),
			Bypass: row.Bool(5), Command: row.Bool(6), HasOCF: row.Bool(7), CountLength: uint8(row.Int(8)), Count: count,
			OCF: [4]byte(row.Hex(17)),
		}
		d := uslp.Field{Rule: uslp.Rule(row.Int(10)), UPID: uslp.UPID(row.Int(11)), Zone: zone}
		if row.Columns[12] != "-" {
			d.Pointer = uint16(row.Int(12))
		}
		if row.Bool(13) {
			p.FrameLength = len(octets)
		} else if f.Truncated {
			p.TruncatedLength = len(octets)
		}
		if row.Columns[15] != "-" {
			f.InsertZone = row.Hex(15)
			p.InsertZone = len(f.InsertZone)
		}
		f.Params = p
		field, err := d.Append(nil, f.Truncated)
		if err != nil {
			t.Fatal(err)
		}
		got, err := uslp.Append(nil, &f, field)
		if err != nil || !bytes.Equal(got, octets) {
			t.Errorf("frame %d encodes to\n%x, want\n%x (%v)", i, got, octets, err)
		}
		back := uslp.Frame{Params: p}
		if err := back.DecodeFromBytes(octets, nil); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if back.Destination != f.Destination || back.VCID != f.VCID || back.MAP != f.MAP || back.Truncated != f.Truncated ||
			back.Bypass != f.Bypass || back.Command != f.Command || back.HasOCF != f.HasOCF || back.CountLength != f.CountLength ||
			back.Count != f.Count || back.OCF != f.OCF || !bytes.Equal(back.InsertZone, f.InsertZone) {
			t.Errorf("frame %d decodes to %+v", i, back)
		}
		if df, err := back.Field(); err != nil || df.Rule != d.Rule || df.UPID != d.UPID || df.Pointer != d.Pointer || !bytes.Equal(df.Zone, zone) {
			t.Errorf("frame %d: data field %+v (%v)", i, df, err)
		}
	}
}

func octets(t *rapid.T, n int, name string) []byte {
	return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, name)
}

func drawParams(t *rapid.T) uslp.Params {
	p := uslp.Params{
		SCID: ccsds.SCID(rapid.Uint16().Draw(t, "scid")), Destination: rapid.Bool().Draw(t, "destination"),
		FECF: rapid.SampledFrom([]uslp.FECF{uslp.NoFECF, uslp.CRC16, uslp.CRC32}).Draw(t, "fecf"),
	}
	if rapid.Bool().Draw(t, "fixed") {
		p.FrameLength = rapid.IntRange(60, 1200).Draw(t, "length")
		p.InsertZone = rapid.SampledFrom([]int{0, 0, 5}).Draw(t, "insert")
	} else {
		p.MaxLength = rapid.IntRange(60, 1200).Draw(t, "longest")
		p.TruncatedLength = rapid.SampledFrom([]int{0, 16, 60}).Draw(t, "truncated length")
	}
	return p
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawParams(t)
		f := uslp.Frame{
			Params: p, SCID: p.SCID, Destination: p.Destination, VCID: ccsds.VCID(rapid.IntRange(0, 63).Draw(t, "vc")),
			MAP: ccsds.MAPID(rapid.IntRange(0, 15).Draw(t, "map")),
		}
		n := rapid.IntRange(3, 30).Draw(t, "data length")
		if f.Truncated = p.TruncatedLength > 0 && rapid.Bool().Draw(t, "truncated"); f.Truncated {
			n = p.TruncatedLength - uslp.TruncatedHeaderLength - int(p.FECF)
		} else {
			f.Bypass, f.Command, f.HasOCF = rapid.Bool().Draw(t, "bypass"), rapid.Bool().Draw(t, "command"), rapid.Bool().Draw(t, "ocf")
			f.CountLength = uint8(rapid.IntRange(0, 7).Draw(t, "count length"))
			f.Count = rapid.Uint64Range(0, 1<<(8*f.CountLength)-1).Draw(t, "count")
			f.InsertZone = octets(t, p.InsertZone, "insert zone")
			over := 7 + int(f.CountLength) + p.InsertZone + int(p.FECF)
			if f.HasOCF {
				over += 4
				f.OCF = [4]byte(octets(t, 4, "word"))
			}
			if p.Fixed() {
				n = p.FrameLength - over
			}
		}
		data := octets(t, n, "data")
		frame, err := uslp.Append(nil, &f, data)
		if err != nil {
			t.Fatal(err)
		}
		layertest.Serializes(t, &f, data, frame)
		d := uslp.Frame{Params: p}
		if err := d.DecodeFromBytes(frame, nil); err != nil {
			t.Fatal(err)
		}
		again, err := uslp.Append(nil, &d, d.Payload)
		if err != nil || !bytes.Equal(again, frame) || !bytes.Equal(d.Payload, data) || d.Idle() != (f.VCID == 63) {
			t.Fatalf("comes back as %+v (%v)", d, err)
		}
	})
}

var params = uslp.Params{SCID: 0xABCD, MaxLength: 200, FECF: uslp.CRC16}

func sealed(t *testing.T, change func(frame []byte)) []byte {
	t.Helper()
	b, err := uslp.Append(nil, &uslp.Frame{Params: params, SCID: params.SCID, VCID: 3}, []byte{0xE0, 1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	change(b)
	return layertest.Seal(b)
}

func TestDecodeErrors(t *testing.T) {
	fixed := uslp.Params{SCID: 0xABCD, FrameLength: 13, FECF: uslp.CRC16}
	for _, c := range []struct {
		name   string
		frame  []byte
		params uslp.Params
		want   error
	}{
		{"empty", nil, params, ccsds.ErrTruncated},
		{"header cut", []byte{0xCA, 0xBC, 0xD0, 0}, params, ccsds.ErrTruncated},
		{"frame cut", sealed(t, func([]byte) {})[:12], params, ccsds.ErrTruncated},
		{"version", sealed(t, func(b []byte) { b[0] ^= 0x10 }), params, ccsds.ErrVersion},
		{"noise", []byte{0xCA, 0xBC, 0xD0, 0, 0, 12, 0, 1, 2, 3, 4, 5, 6}, params, ccsds.ErrChecksum},
		{"no truncated frames", []byte{0xCA, 0xBC, 0xD0, 1, 0, 12, 0, 1, 2, 3, 4, 5, 6}, params, ccsds.ErrReserved},
		{"length of 1", []byte{0xCA, 0xBC, 0xD0, 0, 0, 0, 0}, params, ccsds.ErrLength},
		{"ends in the header", []byte{0xCA, 0xBC, 0xD0, 0, 0, 5, 0}, uslp.Params{SCID: 1}, ccsds.ErrLength},
		{"too long", []byte{0xCA, 0xBC, 0xD0, 0, 1, 0, 0}, params, ccsds.ErrLength},
		{"not as long as all", sealed(t, func(b []byte) { b[5]++ }), fixed, ccsds.ErrLength},
		{"spacecraft", sealed(t, func(b []byte) { b[1] ^= 1 }), params, ccsds.ErrForeign},
		{"spare", sealed(t, func(b []byte) { b[6] |= 0x10 }), params, ccsds.ErrReserved},
		{"count leaves nothing", sealed(t, func(b []byte) { b[6] = 4 }), params, ccsds.ErrLength},
		{"ocf leaves nothing", sealed(t, func(b []byte) { b[6] = 8 }), params, ccsds.ErrLength},
		{"parameters", sealed(t, func([]byte) {}), uslp.Params{FECF: 3}, ccsds.ErrLength},
	} {
		f := uslp.Frame{Params: c.params}
		if err := f.DecodeFromBytes(c.frame, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	for name, change := range map[string]func(*uslp.Frame){
		"channel":   func(f *uslp.Frame) { f.VCID = 64 },
		"map":       func(f *uslp.Frame) { f.MAP = 16 },
		"count":     func(f *uslp.Frame) { f.CountLength, f.Count = 1, 256 },
		"no count":  func(f *uslp.Frame) { f.Count = 1 },
		"insert":    func(f *uslp.Frame) { f.InsertZone = []byte{1} },
		"too long":  func(f *uslp.Frame) { f.Params.MaxLength = 20 },
		"truncated": func(f *uslp.Frame) { f.Truncated = true },
		"truncated with count": func(f *uslp.Frame) {
			f.Truncated, f.CountLength, f.Params.TruncatedLength = true, 1, 106
		},
		"insert zone of variable frames":  func(f *uslp.Frame) { f.Params.InsertZone = 2 },
		"truncated among fixed ones":      func(f *uslp.Frame) { f.Params.FrameLength, f.Params.TruncatedLength = 109, 20 },
		"truncated frames without length": func(f *uslp.Frame) { f.Params.TruncatedLength = 5 },
	} {
		f := uslp.Frame{Params: params, SCID: 42}
		change(&f)
		if _, err := uslp.Append(nil, &f, make([]byte, 100)); err == nil {
			t.Errorf("%s: is encoded", name)
		}
	}
	if _, err := (uslp.Field{Rule: 8}).Append(nil, false); err == nil {
		t.Error("rule 8 is encoded")
	}
}

func TestGopacket(t *testing.T) {
	p := gopacket.NewPacket(sealed(t, func([]byte) {}), uslp.LayerTypeFrame, gopacket.Default)
	if f, ok := p.Layer(uslp.LayerTypeFrame).(*uslp.Frame); !ok || f.SCID != 0xABCD || f.VCID != 3 || p.ErrorLayer() != nil {
		t.Fatalf("layers %v", p.Layers())
	}
	if p := gopacket.NewPacket([]byte{0xC0}, uslp.LayerTypeFrame, gopacket.Default); p.ErrorLayer() == nil {
		t.Error("one octet is a frame")
	}
}

// Any octets, with any parameters: no panic, and what decodes encodes to the same.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{0xCA, 0xBC, 0xD0, 0, 0, 12, 0, 0xE0, 2, 3, 4, 5, 6}, byte(0), uint16(0), uint16(0))
	f.Add([]byte{0xCA, 0xBC, 0xD0, 1, 0xE0, 12, 0, 1, 2}, byte(0), uint16(9), uint16(0))
	f.Add([]byte{0xCA, 0xBC, 0xD0, 0, 0, 20, 0x0F, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 1, 2, 3}, byte(1), uint16(0), uint16(0))
	f.Fuzz(func(t *testing.T, octets []byte, fixed byte, truncated, insert uint16) {
		p := uslp.Params{TruncatedLength: int(truncated), InsertZone: int(insert)}
		if fixed&1 != 0 {
			p.FrameLength = len(octets)
		}
		if len(octets) >= 4 {
			p.SCID = ccsds.SCID(binary.BigEndian.Uint32(octets) >> 12)
		}
		d := uslp.Frame{Params: p}
		if d.DecodeFromBytes(octets, nil) != nil {
			return
		}
		n, err := uslp.Length(octets, p.TruncatedLength)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := uslp.Append(nil, &d, d.Payload); err != nil || !bytes.Equal(again, octets[:n]) {
			t.Fatalf("%x becomes %x (%v)", octets[:n], again, err)
		}
		field, err := d.Field()
		if err != nil {
			return
		}
		if again, err := field.Append(nil, d.Truncated); err != nil || !bytes.Equal(again, d.Payload) {
			t.Fatalf("field %x becomes %x (%v)", d.Payload, again, err)
		}
	})
}
