package encap_test

import (
	"bytes"
	"errors"
	"strconv"
	"testing"

	"github.com/google/gopacket"
	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/encap"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

func TestGolden(t *testing.T) {
	for i, row := range golden.Read(t, "packets.txt") {
		octets := row.Hex(6)
		defined, err := strconv.ParseUint(row.Columns[4], 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		p := encap.Packet{
			Protocol: encap.Protocol(row.Int(0)), HeaderLength: row.Int(1), UserDefined: uint8(row.Int(2)),
			Extension: uint8(row.Int(3)), CCSDSDefined: uint16(defined),
		}
		var data []byte
		if row.Columns[5] != "-" {
			data = row.Hex(5)
		}
		got, err := encap.Append(nil, &p, data)
		if err != nil || !bytes.Equal(got, octets) {
			t.Errorf("packet %d encodes to %x, want %x (%v)", i, got, octets, err)
		}
		var d encap.Packet
		if err := d.DecodeFromBytes(octets, nil); err != nil || !bytes.Equal(d.Payload, data) || d.Protocol != p.Protocol ||
			d.HeaderLength != p.HeaderLength || d.UserDefined != p.UserDefined || d.Extension != p.Extension || d.CCSDSDefined != p.CCSDSDefined {
			t.Errorf("packet %d decodes to %+v (%v)", i, d, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := encap.Packet{Protocol: encap.Protocol(rapid.IntRange(0, 7).Draw(t, "protocol"))}
		if p.HeaderLength = rapid.SampledFrom([]int{0, 8, 4}).Draw(t, "header"); p.HeaderLength != 0 {
			p.UserDefined = uint8(rapid.IntRange(0, 15).Draw(t, "user"))
		}
		if p.Protocol == encap.Extended {
			p.Extension = uint8(rapid.IntRange(0, 15).Draw(t, "extension"))
		}
		if p.HeaderLength == 8 {
			p.CCSDSDefined = rapid.Uint16().Draw(t, "defined")
		}
		n := rapid.SampledFrom([]int{0, 1, 252, 253, 254, 1000, 65531}).Draw(t, "length")
		data := bytes.Repeat([]byte{byte(n)}, n)
		octets, err := encap.Append(nil, &p, data)
		if err != nil {
			t.Fatal(err)
		}
		layertest.Serializes(t, &p, data, octets)
		var d encap.Packet
		if err := d.DecodeFromBytes(append(octets, 1, 2), nil); err != nil || !bytes.Equal(d.Payload, data) {
			t.Fatal(err)
		}
		again, err := encap.Append(nil, &d, d.Payload)
		if err != nil || !bytes.Equal(again, octets) {
			t.Fatalf("comes back as %+v (%v)", d, err)
		}
	})
}

// The shortest header is chosen: 1 octet for nothing, 2 up to 255, 4 up to 65535, 8 above.
func TestHeaderLength(t *testing.T) {
	for _, c := range []struct {
		protocol encap.Protocol
		data     int
		want     int
	}{
		{encap.Idle, 0, 1}, {encap.Idle, 1, 2}, {encap.BP, 0, 2}, {encap.BP, 253, 2}, {encap.BP, 254, 4},
		{encap.Extended, 0, 4}, {encap.BP, 65531, 4}, {encap.BP, 65532, 8},
	} {
		octets, err := encap.Append(nil, &encap.Packet{Protocol: c.protocol}, make([]byte, c.data))
		if err != nil || len(octets)-c.data != c.want {
			t.Errorf("protocol %d, %d octets: header of %d, want %d (%v)", c.protocol, c.data, len(octets)-c.data, c.want, err)
		}
	}
}

func TestIdle(t *testing.T) {
	for _, n := range []int{1, 2, 3, 255, 256, 65535, 65536, 70000} {
		octets := encap.AppendIdle([]byte{9}, n)[1:]
		if got, err := encap.TotalLength(octets); got != n || len(octets) != n || err != nil || octets[0]&0x1C != 0 {
			t.Errorf("idle packet of %d octets: has %d, says %d (%v)", n, len(octets), got, err)
		}
	}
	for _, n := range []int{0, -5} {
		if o := encap.AppendIdle(nil, n); o != nil {
			t.Errorf("idle packet of %d octets: %x", n, o)
		}
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		octets []byte
		want   error
	}{
		"empty": {nil, ccsds.ErrTruncated}, "version": {[]byte{0x05, 2}, ccsds.ErrVersion},
		"one octet of a protocol": {[]byte{0xE4}, ccsds.ErrReserved}, "header cut": {[]byte{0xE6, 0, 0}, ccsds.ErrTruncated},
		"short": {[]byte{0xE5, 1}, ccsds.ErrLength}, "data cut": {[]byte{0xE5, 4, 1}, ccsds.ErrTruncated},
		"huge": {[]byte{0xE7, 0, 0, 0, 0xFF, 0, 0, 0}, ccsds.ErrLength}, "extension": {[]byte{0xE6, 1, 0, 4}, ccsds.ErrReserved},
		"no extension": {[]byte{0xF9, 2}, ccsds.ErrReserved},
	} {
		var p encap.Packet
		if err := p.DecodeFromBytes(c.octets, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, p := range map[string]encap.Packet{
		"protocol": {Protocol: 8}, "user": {UserDefined: 16}, "extension": {Extension: 1}, "header too short": {Protocol: encap.BP, HeaderLength: 1},
		"header of 3": {HeaderLength: 3}, "header of 16": {HeaderLength: 16}, "no room for field": {HeaderLength: 4, CCSDSDefined: 1},
	} {
		if o, err := encap.Append(nil, &p, nil); err == nil {
			t.Errorf("%s: encoded as %x", name, o)
		}
	}
}

func TestGopacket(t *testing.T) {
	p := gopacket.NewPacket([]byte{0xE5, 4, 1, 2}, encap.LayerTypePacket, gopacket.Default)
	if l, ok := p.Layer(encap.LayerTypePacket).(*encap.Packet); !ok || l.Protocol != encap.LTP || p.ErrorLayer() != nil {
		t.Fatalf("layers %v", p.Layers())
	}
}

// Any octets: no panic, and what decodes encodes to the same.
func FuzzPacket(f *testing.F) {
	f.Add([]byte{0xE0})
	f.Add([]byte{0xE5, 4, 1, 2})
	f.Add([]byte{0xFA, 0x5A, 0, 6, 1, 2})
	f.Add([]byte{0xF3, 0x50, 9, 9, 0, 0, 0, 9, 1})
	f.Fuzz(func(t *testing.T, octets []byte) {
		var p encap.Packet
		if p.DecodeFromBytes(octets, nil) != nil {
			return
		}
		n := len(p.Contents) + len(p.Payload)
		if again, err := encap.Append(nil, &p, p.Payload); err != nil || !bytes.Equal(again, octets[:n]) {
			t.Fatalf("%x becomes %x (%v)", octets[:n], again, err)
		}
	})
}
