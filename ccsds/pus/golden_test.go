package pus_test

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"os"
	"strconv"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// The files of testdata were written by PyPI's spacepackets 0.32.0, with
// test/golden/pus.py.

type row struct {
	t      *testing.T
	fields []string
}

func golden(t *testing.T, file string, columns int) []row {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = columns
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 40 {
		t.Fatalf("%s has %d rows", file, len(all))
	}
	var rows []row
	for _, f := range all {
		rows = append(rows, row{t, f})
	}
	return rows
}

func (r row) num(i int) uint16 {
	n, err := strconv.ParseUint(r.fields[i], 10, 16)
	if err != nil {
		r.t.Fatal(err)
	}
	return uint16(n)
}

func (r row) hex(i int) []byte {
	b, err := hex.DecodeString(r.fields[i])
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

func TestGoldenTelecommands(t *testing.T) {
	for i, r := range golden(t, "tc.csv", 8) {
		want := r.hex(7)
		p, err := pus.BuildTC(ccsds.APID(r.num(0)), r.num(1), pus.Ack(r.num(2)), uint8(r.num(3)), uint8(r.num(4)), r.num(5), r.hex(6))
		if err != nil || !bytes.Equal(p, want) {
			t.Errorf("row %d: built %x, %v, want %x", i, p, err, want)
		}
		tc, err := pus.ParseTC(want)
		if err != nil {
			t.Errorf("row %d: %v", i, err)
			continue
		}
		if uint16(tc.APID) != r.num(0) || tc.Seq != r.num(1) || uint16(tc.Ack) != r.num(2) || uint16(tc.Service) != r.num(3) ||
			uint16(tc.Subtype) != r.num(4) || tc.Source != r.num(5) || !bytes.Equal(tc.Payload, r.hex(6)) {
			t.Errorf("row %d: read %+v from %v", i, tc, r.fields)
		}
	}
}

func TestGoldenTelemetry(t *testing.T) {
	for i, r := range golden(t, "tm.csv", 10) {
		want := r.hex(9)
		at, err := timecode.Default.Decode(r.hex(7))
		if err != nil {
			t.Fatal(err)
		}
		p, err := pus.BuildTM(ccsds.APID(r.num(0)), r.num(1), uint8(r.num(2)), uint8(r.num(3)), r.num(4), r.num(5), at, timecode.Quality(r.num(6)), r.hex(8))
		if err != nil || !bytes.Equal(p, want) {
			t.Errorf("row %d: built %x, %v, want %x", i, p, err, want)
		}
		tm, err := pus.ParseTM(want)
		if err != nil {
			t.Errorf("row %d: %v", i, err)
			continue
		}
		if uint16(tm.APID) != r.num(0) || tm.Seq != r.num(1) || uint16(tm.Service) != r.num(2) || uint16(tm.Subtype) != r.num(3) ||
			tm.Count != r.num(4) || tm.Destination != r.num(5) || uint16(tm.Quality) != r.num(6) || tm.Time != at || !bytes.Equal(tm.Payload, r.hex(8)) {
			t.Errorf("row %d: read %+v from %v", i, tm, r.fields)
		}
	}
}

func TestGoldenRequestIDs(t *testing.T) {
	for i, r := range golden(t, "request.csv", 2) {
		id, ok := pus.RequestIDOf(r.hex(0))
		v, err := pus.Verification{Subtype: pus.CompletionSuccess, Request: id}.Encode()
		if !ok || err != nil || !bytes.Equal(v, r.hex(1)) {
			t.Errorf("row %d: %x, %v, want %s", i, v, err, r.fields[1])
		}
		if pus.NewRequestID(id.APID(), id.Seq()) != id || uint32(id) != binary.BigEndian.Uint32(r.hex(1)) {
			t.Errorf("row %d: %v does not come back", i, id)
		}
	}
}

func TestGoldenVerification(t *testing.T) {
	for i, r := range golden(t, "verification.csv", 6) {
		request, err := strconv.ParseUint(r.fields[1], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		want := pus.Verification{Subtype: uint8(r.num(0)), Request: pus.RequestID(request), Step: r.num(2), Code: pus.Failure(r.num(3)), Text: r.fields[4]}
		if got, err := want.Encode(); err != nil || !bytes.Equal(got, r.hex(5)) {
			t.Errorf("row %d: %x, want %s (%v)", i, got, r.fields[5], err)
		}
		if got, err := pus.DecodeVerification(want.Subtype, r.hex(5)); err != nil || got != want {
			t.Errorf("row %d: read %+v, want %+v (%v)", i, got, want, err)
		}
	}
}

func TestGoldenTest(t *testing.T) {
	for i, r := range golden(t, "test.csv", 5) {
		tm, err := pus.ParseTM(r.hex(4))
		if err != nil {
			t.Errorf("row %d: %v", i, err)
			continue
		}
		if at, err := timecode.Default.Decode(r.hex(3)); err != nil || tm.Time != at || uint16(tm.APID) != r.num(0) || tm.Seq != r.num(1) ||
			tm.Service != pus.ServiceTest || uint16(tm.Subtype) != r.num(2) || len(tm.Payload) != 0 {
			t.Errorf("row %d: read %+v from %v (%v)", i, tm, r.fields, err)
		}
	}
}
