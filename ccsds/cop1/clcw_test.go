package cop1_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
)

// Field positions worked out by hand from CCSDS 232.0-B-4 figure 4-6.
func TestCLCWKnownWords(t *testing.T) {
	for _, tc := range []struct {
		want string
		clcw cop1.CLCW
	}{
		{"01000000", cop1.CLCW{COP: 1}},
		{"010400ff", cop1.CLCW{COP: 1, VC: 1, ReportValue: 255}},
		{"01fc2800", cop1.CLCW{COP: 1, VC: 63, Lockout: true, Retransmit: true}},
		{"1d08d67b", cop1.CLCW{Status: 7, COP: 1, VC: 2, NoRF: true, NoBitLock: true, Wait: true, FARMB: 3, ReportValue: 123}},
	} {
		word := tc.clcw.Octets()
		if got := hex.EncodeToString(word[:]); got != tc.want {
			t.Errorf("encode %+v = %s, want %s", tc.clcw, got, tc.want)
		}
		p := gopacket.NewPacket(word[:], cop1.LayerTypeCLCW, gopacket.Default)
		c, ok := p.Layer(cop1.LayerTypeCLCW).(*cop1.CLCW)
		if !ok {
			t.Fatalf("%s: no CLCW layer: %v", tc.want, p.ErrorLayer())
		}
		if c.Octets() != word || c.VC != tc.clcw.VC || c.ReportValue != tc.clcw.ReportValue {
			t.Errorf("decode %s = %+v", tc.want, c)
		}
	}
}

func TestCLCWRefused(t *testing.T) {
	for in, want := range map[string]error{
		"":         ccsds.ErrTruncated,
		"010000":   ccsds.ErrTruncated,
		"81000000": ccsds.ErrReserved,
		"21000000": ccsds.ErrVersion,
	} {
		data, _ := hex.DecodeString(in)
		if err := new(cop1.CLCW).DecodeFromBytes(data, gopacket.NilDecodeFeedback); !errors.Is(err, want) {
			t.Errorf("decode %q = %v, want %v", in, err, want)
		}
	}
}

func FuzzCLCW(f *testing.F) {
	f.Add([]byte{1, 4, 0, 255})
	f.Add([]byte{0x1d, 0x08, 0xd6, 0x7b, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		var c, again cop1.CLCW
		if c.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil {
			return
		}
		b := gopacket.NewSerializeBuffer()
		if err := c.SerializeTo(b, gopacket.SerializeOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := again.DecodeFromBytes(b.Bytes(), gopacket.NilDecodeFeedback); err != nil {
			t.Fatal(err)
		}
		if again.Octets() != c.Octets() {
			t.Fatalf("%+v became %+v", c, again)
		}
	})
}
