package ccsds_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/golden"
)

func TestCRC16Golden(t *testing.T) {
	for _, row := range golden.Read(t, "crc.txt") {
		data, want := row.Hex(0), row.Int(1)
		if got := ccsds.CRC16(data); int(got) != want {
			t.Errorf("CRC of %d octets is %04x, want %04x", len(data), got, want)
		}
		if got := ccsds.CRC16(append(data, byte(want>>8), byte(want))); got != 0 {
			t.Errorf("CRC over data and CRC is %04x, want 0", got)
		}
	}
}

// Every length, eights and what is left of them, agrees with the division bit by bit.
func TestCRC16Lengths(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var data []byte
	for range 100 {
		remainder := uint16(0xFFFF)
		for _, b := range data {
			for bit := 7; bit >= 0; bit-- {
				top := remainder>>15 ^ uint16(b>>bit&1)
				remainder = remainder<<1 ^ top*0x1021
			}
		}
		if got := ccsds.CRC16(data); got != remainder {
			t.Fatalf("CRC of %d octets is %04x, want %04x", len(data), got, remainder)
		}
		data = append(data, byte(rnd.Uint32()))
	}
}

func BenchmarkCRC16(b *testing.B) {
	data := make([]byte, 1113)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		ccsds.CRC16(data)
	}
}

func TestIdentifiers(t *testing.T) {
	for name, c := range map[string]struct{ got, want bool }{
		"APID 2047":  {ccsds.APID(2047).Valid(), true},
		"APID 2048":  {ccsds.APID(2048).Valid(), false},
		"SCID 1023":  {ccsds.SCID(1023).Valid(), true},
		"SCID 1024":  {ccsds.SCID(1024).Valid(), false},
		"VCID 63":    {ccsds.VCID(63).Valid(), true},
		"VCID 64":    {ccsds.VCID(64).Valid(), false},
		"MAP 63":     {ccsds.MAPID(63).Valid(), true},
		"MAP 64":     {ccsds.MAPID(64).Valid(), false},
		"idle":       {ccsds.PacketIsIdle([]byte{0x07, 0xFF}), true},
		"not idle":   {ccsds.PacketIsIdle([]byte{0x07, 0xFE}), false},
		"cut packet": {ccsds.PacketIsIdle([]byte{0x07}), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %t, want %t", name, c.got, c.want)
		}
	}
}

func TestDecodeError(t *testing.T) {
	err := error(ccsds.Errorf("tc frame", 4, ccsds.ErrLength, "length %d", 7))
	if err.Error() != "tc frame: octet 4: length 7" || !errors.Is(err, ccsds.ErrLength) {
		t.Errorf("error is %q", err)
	}
	if s := ccsds.Errorf("tc frame", -1, nil, "bad").Error(); s != "tc frame: bad" {
		t.Errorf("error is %q", s)
	}
}

func TestPacketLength(t *testing.T) {
	for _, c := range []struct {
		hdr  string
		want int
		err  error
	}{
		{"\x00\x00\x00\x00\x00\x00", 7, nil},
		{"\x00\x00\x00\x00\xff\xff", 65542, nil},
		{"\x00\x00\x00\x00\x00", 0, ccsds.ErrTruncated},
		{"\x20\x00\x00\x00\x00\x00", 0, ccsds.ErrVersion},
	} {
		n, err := ccsds.PacketLength([]byte(c.hdr))
		if n != c.want || !errors.Is(err, c.err) {
			t.Errorf("%x: %d, %v; want %d, %v", c.hdr, n, err, c.want, c.err)
		}
	}
}

func TestIdlePacket(t *testing.T) {
	for _, n := range []int{7, 8, 1000, 65542} {
		p := ccsds.AppendIdlePacket([]byte{1}, n)[1:]
		if l, err := ccsds.PacketLength(p); len(p) != n || l != n || err != nil || !ccsds.PacketIsIdle(p) {
			t.Errorf("idle packet of %d octets: has %d, says %d, %v", n, len(p), l, err)
		}
	}
	for _, n := range []int{-1, 0, 6, 65543} {
		if p := ccsds.AppendIdlePacket(nil, n); p != nil {
			t.Errorf("idle packet of %d octets exists", n)
		}
	}
}
