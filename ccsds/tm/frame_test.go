package tm_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/gopacket"
	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/internal/layertest"
	"github.com/perilune/perilune/ccsds/tm"
)

func TestGolden(t *testing.T) {
	for i, row := range golden.Read(t, "frames.txt") {
		data, octets := row.Hex(6), row.Hex(8)
		f := tm.Frame{
			Params: tm.Params{SCID: ccsds.SCID(row.Int(0)), FrameLength: len(octets), OCF: row.Bool(2), FECF: true},
			SCID:   ccsds.SCID(row.Int(0)), VCID: ccsds.VCID(row.Int(1)), MCFC: uint8(row.Int(3)), VCFC: uint8(row.Int(4)),
			SegLengthID: 3, FirstHeaderPointer: uint16(row.Int(5)), OCF: [4]byte(row.Hex(7)),
		}
		got, err := tm.Append(nil, &f, data)
		if err != nil || !bytes.Equal(got, octets) {
			t.Errorf("frame %d encodes differently (%v)", i, err)
		}
		d := tm.Frame{Params: f.Params}
		if err := d.DecodeFromBytes(octets, nil); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if !bytes.Equal(d.LayerPayload(), data) || !bytes.Equal(d.LayerContents(), octets[:6]) {
			t.Errorf("frame %d: wrong payload or contents", i)
		}
		if d.SCID != f.SCID || d.VCID != f.VCID || d.MCFC != f.MCFC || d.VCFC != f.VCFC || d.OCF != f.OCF ||
			d.HasOCF != f.Params.OCF || d.FirstHeaderPointer != f.FirstHeaderPointer || d.SegLengthID != 3 {
			t.Errorf("frame %d decodes to %+v", i, d)
		}
	}
}

var params = tm.Params{SCID: 42, FrameLength: 64, OCF: true, FECF: true}

// sealed returns a good frame after change, with its FECF made anew.
func sealed(t *testing.T, change func(frame []byte)) []byte {
	t.Helper()
	f := tm.Frame{Params: params, SCID: 42, SegLengthID: 3}
	b, err := tm.Append(nil, &f, make([]byte, params.DataLength()))
	if err != nil {
		t.Fatal(err)
	}
	change(b)
	return layertest.Seal(b)
}

func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		frame  []byte
		params tm.Params
		want   error
	}{
		{"short", make([]byte, 63), params, ccsds.ErrLength},
		{"empty", nil, params, ccsds.ErrLength},
		{"parameters without room", make([]byte, 12), tm.Params{FrameLength: 12, OCF: true, FECF: true}, ccsds.ErrLength},
		{"noise", bytes.Repeat([]byte{0xA5}, 64), params, ccsds.ErrChecksum},
		{"version", sealed(t, func(b []byte) { b[0] |= 0x40 }), params, ccsds.ErrVersion},
		{"spacecraft", sealed(t, func(b []byte) { b[1] ^= 0x10 }), params, ccsds.ErrForeign},
		{"ocf flag", sealed(t, func(b []byte) { b[1] ^= 1 }), params, ccsds.ErrReserved},
		{"pointer behind the data", sealed(t, func(b []byte) { b[4], b[5] = 0x18, 52 }), params, ccsds.ErrReserved},
		{"secondary header too long", sealed(t, func(b []byte) { b[4], b[6] = 0x98, 0x3F }), params, ccsds.ErrLength},
		{"secondary header too short", sealed(t, func(b []byte) { b[4], b[6] = 0x98, 0 }), params, ccsds.ErrLength},
		{"secondary header version", sealed(t, func(b []byte) { b[4], b[6] = 0x98, 0x43 }), params, ccsds.ErrVersion},
	} {
		f := tm.Frame{Params: c.params}
		if err := f.DecodeFromBytes(c.frame, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	for name, change := range map[string]func(*tm.Frame){
		"spacecraft": func(f *tm.Frame) { f.SCID = 1024 },
		"channel":    func(f *tm.Frame) { f.VCID = 8 },
		"segment id": func(f *tm.Frame) { f.SegLengthID = 4 },
		"pointer":    func(f *tm.Frame) { f.FirstHeaderPointer = 0x800 },
		"secondary":  func(f *tm.Frame) { f.SecondaryHeader = []byte{5, 1} },
		"length":     func(f *tm.Frame) { f.Params.FrameLength = 65 },
		"too long":   func(f *tm.Frame) { f.Params.FrameLength = 4096 },
		"params":     func(f *tm.Frame) { f.Params.SCID = 5000 },
	} {
		f := tm.Frame{Params: params, SCID: 42}
		change(&f)
		if _, err := tm.Append(nil, &f, make([]byte, 52)); err == nil {
			t.Errorf("%s: is encoded", name)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := tm.Params{
			SCID: ccsds.SCID(rapid.IntRange(0, 1023).Draw(t, "scid")), FrameLength: rapid.IntRange(128, 2048).Draw(t, "length"),
			OCF: rapid.Bool().Draw(t, "ocf"), FECF: rapid.Bool().Draw(t, "fecf"),
		}
		f := tm.Frame{
			Params: p, SCID: p.SCID, VCID: ccsds.VCID(rapid.IntRange(0, 7).Draw(t, "vc")), SegLengthID: 3,
			MCFC: rapid.Byte().Draw(t, "mcfc"), VCFC: rapid.Byte().Draw(t, "vcfc"),
			FirstHeaderPointer: rapid.SampledFrom([]uint16{0, 1, 30, tm.NoPacketStart, tm.OnlyIdleData}).Draw(t, "fhp"),
		}
		if p.OCF {
			f.OCF = [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "word"))
		}
		if n := rapid.IntRange(1, 64).Draw(t, "secondary"); n > 1 {
			f.SecondaryHeader = make([]byte, n)
			f.SecondaryHeader[0] = byte(n - 1)
		}
		data := rapid.SliceOfN(rapid.Byte(), p.DataLength()-len(f.SecondaryHeader), p.DataLength()-len(f.SecondaryHeader)).Draw(t, "data")
		octets, err := tm.Append(nil, &f, data)
		if err != nil {
			t.Fatal(err)
		}
		layertest.Serializes(t, &f, data, octets)
		d := tm.Frame{Params: p}
		if err := d.DecodeFromBytes(octets, nil); err != nil {
			t.Fatal(err)
		}
		again, err := tm.Append(nil, &d, d.Payload)
		if err != nil || !bytes.Equal(again, octets) || !bytes.Equal(d.Payload, data) || d.Idle() != (f.FirstHeaderPointer == tm.OnlyIdleData) {
			t.Fatalf("decoding and encoding changes the frame (%v)", err)
		}
	})
}

func TestGopacket(t *testing.T) {
	octets := sealed(t, func([]byte) {})
	if f, ok := gopacket.NewPacket(octets, tm.LayerTypeFrame, gopacket.Default).Layer(tm.LayerTypeFrame).(*tm.Frame); !ok || f.SCID != 42 {
		t.Error("the registered decoder does not decode")
	}
	if gopacket.NewPacket(octets[:5], tm.LayerTypeFrame, gopacket.Default).ErrorLayer() == nil {
		t.Error("a cut frame decodes")
	}
	own := gopacket.NewPacket(octets, tm.NewDecoder(tm.Params{SCID: 41, FrameLength: 64, OCF: true, FECF: true}), gopacket.Default)
	if own.ErrorLayer() == nil {
		t.Error("a frame of another spacecraft decodes")
	}
}

func TestDecodeAllocates(t *testing.T) {
	octets := sealed(t, func([]byte) {})
	f := tm.Frame{Params: params}
	layertest.Allocates(t, &f, octets)
}

// What decodes must encode to the same octets, all managed parameters being as found.
func FuzzFrame(f *testing.F) {
	good := tm.Frame{Params: tm.Params{SCID: 42, FrameLength: 32}, SCID: 42, SegLengthID: 3}
	octets, err := tm.Append(nil, &good, make([]byte, 26))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(octets, false, false)
	f.Add(make([]byte, 40), true, true)
	f.Fuzz(func(t *testing.T, octets []byte, ocf, fecf bool) {
		if len(octets) < 2 {
			return
		}
		scid := ccsds.SCID(octets[0])<<4&0x3F0 | ccsds.SCID(octets[1])>>4
		d := tm.Frame{Params: tm.Params{SCID: scid, FrameLength: len(octets), OCF: ocf, FECF: fecf}}
		if d.DecodeFromBytes(octets, nil) != nil {
			return
		}
		again, err := tm.Append(nil, &d, d.Payload)
		if err != nil || !bytes.Equal(again, octets) {
			t.Fatalf("%x encodes as %x (%v)", octets, again, err)
		}
	})
}
