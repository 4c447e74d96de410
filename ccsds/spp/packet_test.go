package spp_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/gopacket"
	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/internal/layertest"
	"github.com/perilune/perilune/ccsds/spp"
)

func TestGolden(t *testing.T) {
	for _, row := range golden.Read(t, "packets.txt") {
		want := spp.Packet{
			Type: spp.Type(row.Int(0)), SecondaryHeader: row.Bool(1), APID: ccsds.APID(row.Int(2)),
			SeqFlags: spp.SeqFlags(row.Int(3)), SeqCount: uint16(row.Int(4)),
		}
		data, octets := row.Hex(5), row.Hex(6)
		got, err := spp.Append(nil, &want, data)
		if err != nil || !bytes.Equal(got, octets) {
			t.Errorf("APID %d: encoded %x, want %x (%v)", want.APID, got, octets, err)
		}
		var p spp.Packet
		if err := p.DecodeFromBytes(append(octets, 1, 2, 3), nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p.LayerPayload(), data) || !bytes.Equal(p.LayerContents(), octets[:6]) {
			t.Errorf("APID %d: payload %x, contents %x", want.APID, p.Payload, p.Contents)
		}
		p.BaseLayer = ccsds.BaseLayer{}
		if p.Type != want.Type || p.SecondaryHeader != want.SecondaryHeader || p.APID != want.APID ||
			p.SeqFlags != want.SeqFlags || p.SeqCount != want.SeqCount {
			t.Errorf("decoded %+v, want %+v", p, want)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct {
		name, octets string
		want         error
	}{
		{"empty", "", ccsds.ErrTruncated},
		{"header cut", "\x00\x01\xc0\x00\x00", ccsds.ErrTruncated},
		{"no data", "\x00\x01\xc0\x00\x00\x00", ccsds.ErrTruncated},
		{"data cut", "\x00\x01\xc0\x00\x00\x02ab", ccsds.ErrTruncated},
		{"version", "\x20\x01\xc0\x00\x00\x00a", ccsds.ErrVersion},
	} {
		var p spp.Packet
		if err := p.DecodeFromBytes([]byte(c.octets), gopacket.NilDecodeFeedback); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	for name, p := range map[string]spp.Packet{
		"version": {Version: 1}, "type": {Type: 2}, "APID": {APID: 2048},
		"flags": {SeqFlags: 4}, "count": {SeqCount: 1 << 14},
	} {
		if _, err := spp.Append(nil, &p, []byte{1}); err == nil {
			t.Errorf("%s out of range is encoded", name)
		}
	}
	for _, n := range []int{0, spp.MaxData + 1} {
		if _, err := spp.Append(nil, &spp.Packet{}, make([]byte, n)); err == nil {
			t.Errorf("data field of %d octets is encoded", n)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	buf := gopacket.NewSerializeBuffer()
	rapid.Check(t, func(t *rapid.T) {
		want := spp.Packet{
			Type:            spp.Type(rapid.IntRange(0, 1).Draw(t, "type")),
			SecondaryHeader: rapid.Bool().Draw(t, "secondary"),
			APID:            ccsds.APID(rapid.IntRange(0, 2047).Draw(t, "apid")),
			SeqFlags:        spp.SeqFlags(rapid.IntRange(0, 3).Draw(t, "flags")),
			SeqCount:        uint16(rapid.IntRange(0, spp.SeqModulo-1).Draw(t, "count")),
		}
		data := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "data")
		if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{}, &want, gopacket.Payload(data)); err != nil {
			t.Fatal(err)
		}
		plain, err := spp.Append(nil, &want, data)
		if err != nil || !bytes.Equal(plain, buf.Bytes()) {
			t.Fatalf("Append and SerializeTo differ (%v)", err)
		}
		var got spp.Packet
		if err := got.DecodeFromBytes(plain, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Payload, data) {
			t.Fatal("payload differs")
		}
		got.BaseLayer = ccsds.BaseLayer{}
		if got.APID != want.APID || got.SeqCount != want.SeqCount || got.SeqFlags != want.SeqFlags || got.Type != want.Type || got.SecondaryHeader != want.SecondaryHeader {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

// The layer works in gopacket's own machinery: registered type, next layer, parser.
func TestGopacket(t *testing.T) {
	octets, err := spp.Append(nil, &spp.Packet{APID: 7, SeqFlags: spp.Unsegmented}, []byte("abc"))
	if err != nil {
		t.Fatal(err)
	}
	p := gopacket.NewPacket(octets, spp.LayerTypePacket, gopacket.Default)
	layer, ok := p.Layer(spp.LayerTypePacket).(*spp.Packet)
	if !ok || layer.APID != 7 || string(p.ApplicationLayer().Payload()) != "abc" {
		t.Fatalf("decoded %v", p)
	}
	if spp.LayerTypePacket.String() != "SpacePacket" || int(spp.LayerTypePacket) != ccsds.LayerNumberSPP {
		t.Errorf("layer type is %v, %d", spp.LayerTypePacket, spp.LayerTypePacket)
	}
	own := spp.Packet{Next: gopacket.LayerTypeDecodeFailure}
	if err := own.DecodeFromBytes(octets, nil); err != nil || own.NextLayerType() != gopacket.LayerTypeDecodeFailure {
		t.Errorf("next layer %v (%v)", own.NextLayerType(), err)
	}
	if bad := gopacket.NewPacket(octets[:8], spp.LayerTypePacket, gopacket.Default); bad.ErrorLayer() == nil {
		t.Error("a cut packet decodes")
	}
}

func TestIdle(t *testing.T) {
	var p spp.Packet
	if err := p.DecodeFromBytes(spp.Idle(100), nil); err != nil || !p.Idle() || len(p.Payload) != 94 {
		t.Errorf("idle packet: %+v, %v", p, err)
	}
	if spp.Idle(6) != nil {
		t.Error("there is an idle packet of 6 octets")
	}
}

func TestCounter(t *testing.T) {
	var c spp.Counter
	for i := range spp.SeqModulo + 3 {
		if got := c.Next(5); int(got) != i%spp.SeqModulo {
			t.Fatalf("count %d is %d", i, got)
		}
	}
	if got := c.Next(6); got != 0 {
		t.Errorf("another application process begins at %d", got)
	}
	for _, g := range []struct {
		last, now uint16
		want      int
	}{{0, 1, 0}, {16383, 0, 0}, {16382, 1, 2}, {5, 5, 16383}} {
		if got := spp.Gap(g.last, g.now); got != g.want {
			t.Errorf("from %d to %d %d packets are missing, want %d", g.last, g.now, got, g.want)
		}
	}
}

func TestDecodeAllocates(t *testing.T) {
	octets := spp.Idle(200)
	var p spp.Packet
	layertest.Allocates(t, &p, octets)
}

// What decodes must encode to the same octets.
func FuzzPacket(f *testing.F) {
	f.Add(spp.Idle(9))
	f.Add([]byte("\x18\x65\xc0\x00\x00\x02abc"))
	f.Add([]byte("\x18\x65\xc0\x00\xff\xffabc"))
	f.Fuzz(func(t *testing.T, octets []byte) {
		var p spp.Packet
		if p.DecodeFromBytes(octets, nil) != nil {
			return
		}
		again, err := spp.Append(nil, &p, p.Payload)
		if err != nil || !bytes.Equal(again, octets[:len(again)]) {
			t.Fatalf("%x encodes as %x (%v)", octets, again, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	octets := spp.Idle(200)
	var p spp.Packet
	b.ReportAllocs()
	for b.Loop() {
		if err := p.DecodeFromBytes(octets, nil); err != nil {
			b.Fatal(err)
		}
	}
}
