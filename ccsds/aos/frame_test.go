package aos_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/gopacket"
	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

func TestGolden(t *testing.T) {
	for i, row := range golden.Read(t, "frames.txt") {
		data, octets := row.Hex(11), row.Hex(13)
		p := aos.Params{
			SCID: ccsds.SCID(row.Int(0)), FrameLength: len(octets), InsertZone: row.Int(6),
			FHEC: row.Bool(7), OCF: row.Bool(8), FECF: row.Bool(9),
		}
		f := aos.Frame{
			Params: p, SCID: p.SCID, VCID: ccsds.VCID(row.Int(1)), VCFC: uint32(row.Int(2)),
			Replay: row.Bool(3), CycleUsed: row.Bool(4), Cycle: uint8(row.Int(5)), OCF: [4]byte(row.Hex(12)),
		}
		if p.InsertZone > 0 {
			f.InsertZone = row.Hex(10)
		}
		got, err := aos.Append(nil, &f, data)
		if err != nil || !bytes.Equal(got, octets) {
			t.Errorf("frame %d encodes to %x (%v)", i, got, err)
		}
		d := aos.Frame{Params: p}
		if err := d.DecodeFromBytes(octets, nil); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if d.SCID != f.SCID || d.VCID != f.VCID || d.VCFC != f.VCFC || d.Replay != f.Replay || d.CycleUsed != f.CycleUsed ||
			d.Cycle != f.Cycle || d.OCF != f.OCF || !bytes.Equal(d.InsertZone, f.InsertZone) || !bytes.Equal(d.Payload, data) {
			t.Errorf("frame %d decodes to %+v", i, d)
		}
	}
}

func drawParams(t *rapid.T) aos.Params {
	return aos.Params{
		SCID: ccsds.SCID(rapid.IntRange(0, 1023).Draw(t, "scid")), FrameLength: rapid.IntRange(48, 1200).Draw(t, "length"),
		InsertZone: rapid.SampledFrom([]int{0, 0, 1, 16}).Draw(t, "insert"), FHEC: rapid.Bool().Draw(t, "fhec"),
		OCF: rapid.Bool().Draw(t, "ocf"), FECF: rapid.Bool().Draw(t, "fecf"),
		Cycle: rapid.Bool().Draw(t, "cycle"), Encap: rapid.Bool().Draw(t, "encap"),
	}
}

func octets(t *rapid.T, n int, name string) []byte {
	return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, name)
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawParams(t)
		f := aos.Frame{
			Params: p, SCID: p.SCID, VCID: ccsds.VCID(rapid.IntRange(0, 63).Draw(t, "vc")),
			VCFC: uint32(rapid.IntRange(0, 1<<24-1).Draw(t, "count")), Replay: rapid.Bool().Draw(t, "replay"),
			CycleUsed: p.Cycle, InsertZone: octets(t, p.InsertZone, "zone"),
		}
		if p.Cycle {
			f.Cycle = uint8(rapid.IntRange(0, 15).Draw(t, "cycles"))
		}
		if p.OCF {
			f.OCF = [4]byte(octets(t, 4, "word"))
		}
		data := octets(t, p.DataLength(), "data")
		frame, err := aos.Append(nil, &f, data)
		if err != nil {
			t.Fatal(err)
		}
		layertest.Serializes(t, &f, data, frame)
		d := aos.Frame{Params: p}
		if err := d.DecodeFromBytes(frame, nil); err != nil {
			t.Fatal(err)
		}
		again, err := aos.Append(nil, &d, d.Payload)
		if err != nil || !bytes.Equal(again, frame) || !bytes.Equal(d.Payload, data) || d.Count() != f.Count() || d.Idle() != (f.VCID == 63) {
			t.Fatalf("comes back as %+v (%v)", d, err)
		}
	})
}

var params = aos.Params{SCID: 42, FrameLength: 64, FECF: true}

func sealed(t *testing.T, change func(frame []byte)) []byte {
	t.Helper()
	b, err := aos.Append(nil, &aos.Frame{Params: params, SCID: 42}, make([]byte, params.DataLength()))
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
		params aos.Params
		want   error
	}{
		{"short", make([]byte, 63), params, ccsds.ErrLength},
		{"empty", nil, params, ccsds.ErrLength},
		{"parameters without room", make([]byte, 12), aos.Params{FrameLength: 12, OCF: true}, ccsds.ErrLength},
		{"insert zone without room", make([]byte, 64), aos.Params{FrameLength: 64, InsertZone: 60}, ccsds.ErrLength},
		{"noise", bytes.Repeat([]byte{0xA5}, 64), params, ccsds.ErrChecksum},
		{"version", sealed(t, func(b []byte) { b[0] ^= 0x40 }), params, ccsds.ErrVersion},
		{"spacecraft", sealed(t, func(b []byte) { b[1] ^= 0x40 }), params, ccsds.ErrForeign},
		{"wide spacecraft", sealed(t, func(b []byte) { b[5] ^= 0x10 }), params, ccsds.ErrForeign},
	} {
		f := aos.Frame{Params: c.params}
		if err := f.DecodeFromBytes(c.frame, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	for name, change := range map[string]func(*aos.Frame){
		"spacecraft": func(f *aos.Frame) { f.SCID = 1024 },
		"channel":    func(f *aos.Frame) { f.VCID = 64 },
		"count":      func(f *aos.Frame) { f.VCFC = 1 << 24 },
		"cycle":      func(f *aos.Frame) { f.Cycle = 1 },
		"long cycle": func(f *aos.Frame) { f.CycleUsed, f.Cycle = true, 16 },
		"insert":     func(f *aos.Frame) { f.InsertZone = []byte{1} },
		"length":     func(f *aos.Frame) { f.Params.FrameLength = 65 },
		"params":     func(f *aos.Frame) { f.Params.SCID = 5000 },
	} {
		f := aos.Frame{Params: params, SCID: 42}
		change(&f)
		if _, err := aos.Append(nil, &f, make([]byte, params.DataLength())); err == nil {
			t.Errorf("%s: is encoded", name)
		}
	}
}

func TestGopacket(t *testing.T) {
	frame := sealed(t, func([]byte) {})
	p := gopacket.NewPacket(frame, aos.LayerTypeFrame, gopacket.Default)
	f, ok := p.Layer(aos.LayerTypeFrame).(*aos.Frame)
	if !ok || f.SCID != 42 || p.ErrorLayer() != nil {
		t.Fatalf("layers %v", p.Layers())
	}
	if p := gopacket.NewPacket([]byte{1}, aos.LayerTypeFrame, gopacket.Default); p.ErrorLayer() == nil {
		t.Error("one octet is a frame")
	}
}

// Any octets, with any parameters: no panic, and what decodes encodes to the same.
func FuzzFrame(f *testing.F) {
	seed, _ := aos.Append(nil, &aos.Frame{Params: params, SCID: 42}, make([]byte, params.DataLength()))
	f.Add(seed, byte(4), byte(0))
	f.Add(seed, byte(7), byte(3))
	f.Fuzz(func(t *testing.T, octets []byte, options, insert byte) {
		p := aos.Params{FrameLength: len(octets), InsertZone: int(insert), FHEC: options&1 != 0, OCF: options&2 != 0, FECF: options&4 != 0}
		if len(octets) >= 6 {
			p.SCID = ccsds.SCID(octets[0]&0x3F)<<2 | ccsds.SCID(octets[1])>>6 | ccsds.SCID(octets[5]>>4&3)<<8
		}
		d := aos.Frame{Params: p}
		if d.DecodeFromBytes(octets, nil) != nil {
			return
		}
		if _, err := aos.ParseMPDU(d.Payload); err == nil && len(d.Payload) < 3 {
			t.Fatal("m_pdu out of nothing")
		}
		if b, err := aos.ParseBPDU(d.Payload); err == nil && b.Bits > 8*len(b.Zone) {
			t.Fatalf("%d bits in %d octets", b.Bits, len(b.Zone))
		}
		if !d.CycleUsed && d.Cycle != 0 {
			return // read, but not written
		}
		again, err := aos.Append(nil, &d, d.Payload)
		if err != nil || d.Corrected == 0 && !bytes.Equal(again, octets) {
			t.Fatalf("%x becomes %x (%v)", octets, again, err)
		}
	})
}
