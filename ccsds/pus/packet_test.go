package pus_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

func TestTelecommandRoundTrip(t *testing.T) {
	p, err := pus.BuildTC(1, 42, pus.AckAll, pus.ServiceTest, pus.AreYouAlive, 7, nil)
	if err != nil {
		t.Fatal(err)
	}
	tc, err := pus.ParseTC(p)
	if err != nil {
		t.Fatal(err)
	}
	if tc.APID != 1 || tc.Seq != 42 || tc.Service != 17 || tc.Subtype != 1 || tc.Source != 7 || tc.Ack != pus.AckAll || len(tc.Payload) != 0 {
		t.Errorf("read back %+v", tc)
	}
	if tc.Request != pus.NewRequestID(1, 42) {
		t.Errorf("request id %08x, want %08x", tc.Request, pus.NewRequestID(1, 42))
	}
	if err := tc.Check(pus.Form{}); err != nil {
		t.Errorf("check: %v", err)
	}
}

func TestTelemetryRoundTrip(t *testing.T) {
	at := timecode.Instant(2_145_000_000_500_000_000)
	p, err := pus.BuildTM(100, 16383, pus.ServiceEvent, pus.EventHigh, 65535, 9, at, timecode.Set, []byte("abc"))
	if err != nil {
		t.Fatal(err)
	}
	tm, err := pus.ParseTM(p)
	if err != nil {
		t.Fatal(err)
	}
	if tm.APID != 100 || tm.Seq != 16383 || tm.Service != 5 || tm.Subtype != 4 || tm.Count != 65535 ||
		tm.Destination != 9 || tm.Time != at || tm.Quality != timecode.Set || !bytes.Equal(tm.Payload, []byte("abc")) {
		t.Errorf("read back %+v", tm)
	}
}

func TestRefusals(t *testing.T) {
	good, err := pus.BuildTC(1, 5, pus.AckAll, pus.ServiceTest, pus.AreYouAlive, 0, []byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	edit := func(f func([]byte) []byte) []byte { return f(bytes.Clone(good)) }
	cases := []struct {
		name   string
		packet []byte
		code   pus.Failure
		known  bool
	}{
		{"empty", nil, pus.FailureBadLength, false},
		{"cut header", good[:5], pus.FailureBadLength, true},
		{"cut", good[:len(good)-1], pus.FailureBadLength, true},
		{"too long", append(bytes.Clone(good), 0), pus.FailureBadLength, true},
		{"flipped bit", edit(func(b []byte) []byte { b[12] ^= 1; return b }), pus.FailureBadChecksum, true},
		{"packet version", edit(func(b []byte) []byte { b[0] |= 0x20; return b }), pus.FailureBadHeader, true},
	}
	for _, c := range cases {
		_, err := pus.ParseTC(c.packet)
		var r *pus.Refusal
		if !errors.As(err, &r) {
			t.Errorf("%s: error %v is no refusal", c.name, err)
			continue
		}
		if r.Code != c.code || r.Known != c.known {
			t.Errorf("%s: %v known %v, want %v known %v", c.name, r.Code, r.Known, c.code, c.known)
		}
	}
	if _, err := pus.ParseTM(good); err == nil {
		t.Error("a telecommand passed for telemetry")
	}
	tc, err := pus.ParseTC(good)
	if err != nil {
		t.Fatal(err)
	}
	var r *pus.Refusal
	if err := tc.Check(pus.Form{}); !errors.As(err, &r) || r.Code != pus.FailureBadData {
		t.Errorf("a ping with data: %v", err)
	}
	tc.Subtype = 99
	if err := tc.Check(pus.Form{}); !errors.As(err, &r) || r.Code != pus.FailureIllegalType || r.Request != pus.NewRequestID(1, 5) {
		t.Errorf("unknown subtype: %v", err)
	}
}
