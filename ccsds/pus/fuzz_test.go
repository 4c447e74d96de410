package pus_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
)

// FuzzParse: no input panics, every refusal has a code, and what parses is
// built again octet by octet.
func FuzzParse(f *testing.F) {
	for _, s := range [][2]uint8{{17, 1}, {8, 1}, {11, 4}, {9, 128}, {128, 1}} {
		p, err := pus.BuildTC(1, 1, pus.AckAll, s[0], s[1], 0, []byte("mission.list\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		// Give the input a checksum that holds, or hardly any gets past it.
		if n := len(p); n > 2 {
			c := ccsds.CRC16(p[:n-2])
			p[n-2], p[n-1] = byte(c>>8), byte(c)
		}
		var r *pus.Refusal
		if tc, err := pus.ParseTC(p); err == nil {
			q, err := pus.BuildTC(tc.APID, tc.Seq, tc.Ack, tc.Service, tc.Subtype, tc.Source, tc.Payload)
			if err != nil || !bytes.Equal(p, q) {
				t.Fatalf("%x was built again as %x, %v", p, q, err)
			}
			if err := tc.Check(pus.Form{}); err != nil && (!errors.As(err, &r) || r.Code == pus.FailureNone) {
				t.Fatalf("check: %v", err)
			}
		} else if !errors.As(err, &r) || r.Code == pus.FailureNone {
			t.Fatalf("refused without a code: %v", err)
		}
		if tm, err := pus.ParseTM(p); err == nil {
			q, err := pus.BuildTM(tm.APID, tm.Seq, tm.Service, tm.Subtype, tm.Count, tm.Destination, tm.Time, tm.Quality, tm.Payload)
			if err != nil || !bytes.Equal(p, q) {
				t.Fatalf("%x was built again as %x, %v", p, q, err)
			}
		}
	})
}

// FuzzMessages: no message panics its decoder.
func FuzzMessages(f *testing.F) {
	f.Add(uint8(2), []byte{1, 2, 3, 4, 0, 1, 0, 1, 'x'})
	f.Fuzz(func(t *testing.T, n uint8, b []byte) {
		if v, err := pus.DecodeVerification(n, b); err == nil {
			if q, err := v.Encode(); err != nil || !bytes.Equal(q, b) {
				t.Fatalf("%x came back as %x, %v", b, q, err)
			}
		}
		if v, err := pus.DecodeEvent(n, b); err == nil {
			if q, err := v.Encode(); err != nil || !bytes.Equal(q, b) {
				t.Fatalf("%x came back as %x, %v", b, q, err)
			}
		}
		if v, err := pus.DecodeGuests(b); err == nil {
			if q, err := pus.EncodeGuests(v); err != nil || !bytes.Equal(q, b) {
				t.Fatalf("%x came back as %x, %v", b, q, err)
			}
		}
		if v, err := pus.DecodeFunction(b); err == nil {
			if q, err := v.Encode(); err != nil || !bytes.Equal(q, b) {
				t.Fatalf("%x came back as %x, %v", b, q, err)
			}
		}
		if v, err := full.DecodeInsertion(b); err == nil {
			if q, err := full.EncodeInsertion(v); err != nil || !bytes.Equal(q, b) {
				t.Fatalf("%x came back as %x, %v", b, q, err)
			}
		}
		if v, err := pus.DecodeConsoleText(b); err == nil {
			if q, err := v.Encode(); err != nil || !bytes.Equal(q, b) {
				t.Fatalf("%x came back as %x, %v", b, q, err)
			}
		}
		_, _ = pus.DecodeTimeSetting(b)
		_, _ = pus.DecodeTenantData(b)
		_, _ = pus.DecodeHousekeeping(b)
		_, _, _ = pus.DecodeReport(b)
	})
}
