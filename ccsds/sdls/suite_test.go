package sdls_test

import (
	"bytes"
	"errors"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/sdls"
)

var masks = map[string][]byte{
	"tc": sdls.MaskTC(true), "tm": sdls.MaskTM(0), "aos": sdls.MaskAOS(true, 0), "uslp": sdls.MaskUSLP(11, 0),
}

// testdata/suites.txt comes from test/golden/sdls_suites.py (PyPI cryptography).
func TestSuitesGolden(t *testing.T) {
	for i, row := range golden.Read(t, "suites.txt") {
		n, err := strconv.ParseUint(row.Columns[8], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sa := sdls.SA{
			SPI: uint16(row.Int(7)), Key: [32]byte(row.Hex(9)), VCs: []ccsds.VCID{3}, Mask: masks[row.Columns[0]],
			Service: sdls.Service(row.Int(1)), Algorithm: sdls.Algorithm(row.Int(2)),
			Layout: sdls.Layout{IV: row.Int(3), SN: row.Int(4), Pad: row.Int(5), MAC: row.Int(6)},
		}
		var data []byte
		if row.Columns[11] != "-" {
			data = row.Hex(11)
		}
		head, field := row.Hex(10), row.Hex(12)
		tx, err := sdls.NewSender([]sdls.SA{sa})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tx.Apply(nil, sa.SPI, 3, n, head, data); err != nil || !bytes.Equal(got, field) || len(got) != len(data)+sa.Overhead() {
			t.Errorf("row %d: %x, want %x (%v)", i, got, field, err)
		}
		rx, err := sdls.NewReceiver([]sdls.SA{sa})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rx.Open(3, head, field); err != nil || !bytes.Equal(got, data) {
			t.Errorf("row %d: opens to %x (%v)", i, got, err)
		}
	}
}

func drawSA(t *rapid.T) sdls.SA {
	sa := sdls.SA{SPI: uint16(rapid.IntRange(1, 65534).Draw(t, "spi")), Key: testKey, VCs: []ccsds.VCID{1}, AnyIV: rapid.Bool().Draw(t, "any iv")}
	switch sa.Service = sdls.Service(rapid.IntRange(0, 2).Draw(t, "service")); {
	case sa.Service == sdls.Authentication && rapid.Bool().Draw(t, "cmac"):
		sa.Algorithm = sdls.AESCMAC
		sa.Layout = sdls.Layout{SN: rapid.IntRange(2, 8).Draw(t, "sn"), MAC: rapid.IntRange(8, 16).Draw(t, "mac")}
	case sa.Service == sdls.Encryption:
		sa.Layout = sdls.Layout{IV: 12, SN: rapid.SampledFrom([]int{0, 4}).Draw(t, "sn")}
	default:
		sa.Layout = sdls.Layout{IV: 12, SN: rapid.SampledFrom([]int{0, 4}).Draw(t, "sn"), MAC: rapid.IntRange(12, 16).Draw(t, "mac")}
	}
	sa.Layout.Pad = rapid.IntRange(0, 2).Draw(t, "pad")
	sa.Mask = rapid.SampledFrom([][]byte{sdls.MaskTC(false), sdls.MaskTM(3), sdls.MaskAOS(false, 5), sdls.MaskUSLP(9, 2), bytes.Repeat([]byte{0xFF}, 12)}).Draw(t, "mask")
	return sa
}

// Any association: what is applied opens, once; with authentication no bit of field or of
// authenticated header may change.
func TestSuitesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sa := drawSA(t)
		tx, err := sdls.NewSender([]sdls.SA{sa})
		if err != nil {
			t.Fatal(err)
		}
		rx, err := sdls.NewReceiver([]sdls.SA{sa})
		if err != nil {
			t.Fatal(err)
		}
		head := rapid.SliceOfN(rapid.Byte(), 12, 12).Draw(t, "header")
		data := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "data")
		n := rapid.Uint64Range(1, 60000).Draw(t, "number")
		field, err := tx.Apply([]byte{9}, sa.SPI, 1, n, head, data)
		if err != nil {
			t.Fatal(err)
		}
		if field = field[1:]; len(field) != len(data)+sa.Overhead() {
			t.Fatalf("%d octets for %d", len(field), len(data))
		}
		if sa.Service != sdls.Encryption {
			bad := bytes.Clone(field)
			bit := rapid.IntRange(0, 8*len(field)-1).Draw(t, "bit")
			bad[bit/8] ^= 1 << (bit % 8)
			if got, err := rx.Open(1, head, bad); err == nil {
				t.Fatalf("bit %d changed, opens to %x", bit, got)
			}
			badHead := bytes.Clone(head)
			bit = rapid.IntRange(0, 8*len(head)-1).Draw(t, "header bit")
			badHead[bit/8] ^= 1 << (bit % 8)
			counts := bit/8 < len(sa.Mask) && sa.Mask[bit/8]>>(bit%8)&1 != 0
			probe, _ := sdls.NewReceiver([]sdls.SA{sa})
			if _, err := probe.Open(1, badHead, field); (err != nil) != counts {
				t.Fatalf("bit %d of the header changed, authenticated %t: %v", bit, counts, err)
			}
		}
		got, err := rx.Open(1, head, field)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("opens to %x (%v)", got, err)
		}
		if _, err := rx.Open(1, head, field); (err == nil) != (sa.Service == sdls.Encryption) {
			t.Fatalf("again: %v", err)
		}
	})
}

func TestSuitesRefused(t *testing.T) {
	for name, sa := range map[string]sdls.SA{
		"service":            {Service: 3},
		"algorithm":          {Algorithm: 2},
		"cmac encrypts":      {Algorithm: sdls.AESCMAC},
		"vector of 8":        {Layout: sdls.Layout{IV: 8, MAC: 16}},
		"cmac with vector":   {Algorithm: sdls.AESCMAC, Service: sdls.Authentication, Layout: sdls.Layout{IV: 12, SN: 4, MAC: 16}},
		"no number":          {Algorithm: sdls.AESCMAC, Service: sdls.Authentication, Layout: sdls.Layout{MAC: 16}},
		"number of 9":        {Layout: sdls.Layout{IV: 12, SN: 9, MAC: 16}},
		"pad of 3":           {Layout: sdls.Layout{IV: 12, Pad: 3, MAC: 16}},
		"short MAC":          {Layout: sdls.Layout{IV: 12, MAC: 8}},
		"short cmac":         {Algorithm: sdls.AESCMAC, Service: sdls.Authentication, Layout: sdls.Layout{SN: 4, MAC: 4}},
		"long MAC":           {Layout: sdls.Layout{IV: 12, MAC: 17}},
		"encryption has MAC": {Service: sdls.Encryption, Layout: sdls.Layout{IV: 12, MAC: 16}},
	} {
		sa.SPI, sa.Key = 1, testKey
		if _, err := sdls.NewSender([]sdls.SA{sa}); !errors.Is(err, sdls.ErrBadSA) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cmac := sdls.SA{SPI: 1, Key: testKey, VCs: []ccsds.VCID{0}, Service: sdls.Authentication, Algorithm: sdls.AESCMAC, Layout: sdls.Layout{SN: 2, MAC: 16}}
	s, err := sdls.NewSender([]sdls.SA{cmac})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(nil, 1, 0, 65536, header, nil); !errors.Is(err, sdls.ErrExhausted) {
		t.Errorf("number 65536 in two octets: %v", err)
	}
	if field, err := s.Apply(nil, 1, 0, 65535, header, nil); err != nil || len(field) != 20 {
		t.Errorf("number 65535: %x, %v", field, err)
	}
	s.Remove(1)
	if _, err := s.Apply(nil, 1, 0, 1, header, nil); !errors.Is(err, sdls.ErrSPI) {
		t.Errorf("removed association: %v", err)
	}
}
