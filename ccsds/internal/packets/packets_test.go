package packets_test

import (
	"testing"

	"github.com/perilune/perilune/ccsds/internal/packets"
)

func TestLength(t *testing.T) {
	for _, c := range []struct {
		hdr   string
		encap bool
		want  int
		ok    bool
	}{
		{"", true, 0, true},
		{"\x00\x01\xc0\x00\x00\x04", false, 11, true},
		{"\x00\x01\xc0", false, 0, true},
		{"\x20", true, 0, false},
		{"\xe0", true, 1, true},
		{"\xe4", true, 1, false},        // one octet that claims a protocol
		{"\xe0", false, 0, false},       // not a valid version on this channel
		{"\xe5\x09", true, 9, true},     // 2 octets of header
		{"\xe5\x01", true, 1, false},    // shorter than its header
		{"\xe6\x00\x01", true, 0, true}, // header not whole
		{"\xe6\x00\x01\x00", true, 256, true},
		{"\xe7\x00\x00\x00\x00\x01\x00\x00", true, 65536, true},
		{"\xe7\x00\x00\x00\xff\xff\xff\xff", true, 4294967295, true},
	} {
		if n, ok := packets.Length([]byte(c.hdr), c.encap); ok != c.ok || ok && n != c.want {
			t.Errorf("%x: %d, %t; want %d, %t", c.hdr, n, ok, c.want, c.ok)
		}
	}
	if !packets.Idle([]byte{0xE0}) || packets.Idle([]byte{0xE5, 2}) || !packets.Idle([]byte{0x07, 0xFF}) || packets.Idle(nil) {
		t.Error("idle packets are not told from others")
	}
}
