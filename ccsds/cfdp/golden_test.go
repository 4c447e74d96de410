package cfdp_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// The files of testdata were written by PyPI's spacepackets 0.32.0 and cfdp-py
// 0.7.0, with test/golden/cfdp.py.

func lines(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

type fields struct {
	t *testing.T
	f []string
}

func (f *fields) text() string {
	if len(f.f) == 0 {
		f.t.Fatal("a field is missing")
	}
	s := f.f[0]
	f.f = f.f[1:]
	return s
}

func (f *fields) num() uint64 {
	n, err := strconv.ParseUint(f.text(), 10, 64)
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func (f *fields) set() bool { return f.num() == 1 }

func (f *fields) octets() []byte {
	b, err := hex.DecodeString(f.text())
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

func goldenBody(f *fields) cfdp.Body {
	switch name := f.text(); name {
	case "EOF":
		return &cfdp.EOF{Condition: cfdp.Condition(f.num()), Checksum: uint32(f.num()), FileSize: f.num(), Fault: cfdp.EntityID{Value: f.num(), Length: uint8(f.num())}}
	case "Finished":
		return &cfdp.Finished{Condition: cfdp.Condition(f.num()), Incomplete: f.set(), Status: cfdp.FileStatus(f.num()), Fault: cfdp.EntityID{Value: f.num(), Length: uint8(f.num())}}
	case "ACK":
		return &cfdp.ACK{Of: cfdp.Directive(f.num()), Condition: cfdp.Condition(f.num()), Status: cfdp.Status(f.num())}
	case "Metadata":
		m := &cfdp.Metadata{Closure: f.set(), Checksum: cfdp.ChecksumType(f.num()), FileSize: f.num(), Source: f.text(), Dest: f.text()}
		for len(f.f) > 0 {
			m.TLVs = append(m.TLVs, cfdp.TLV{Type: cfdp.TLVMessageToUser, Value: f.octets()})
		}
		return m
	case "NAK":
		n := &cfdp.NAK{Start: f.num(), End: f.num(), Segments: []cfdp.Segment{}}
		for len(f.f) > 0 {
			n.Segments = append(n.Segments, cfdp.Segment{Start: f.num(), End: f.num()})
		}
		return n
	case "Prompt":
		return &cfdp.Prompt{KeepAlive: f.set()}
	case "KeepAlive":
		return &cfdp.KeepAlive{Progress: f.num()}
	case "FileData":
		d := &cfdp.FileData{}
		if state := f.text(); state != "" {
			n, err := strconv.Atoi(state)
			if err != nil {
				f.t.Fatal(err)
			}
			d.HasMetadata, d.Continuation = true, uint8(n)
		}
		if m := f.octets(); d.HasMetadata {
			d.SegmentMeta = m
		}
		d.Offset, d.Data = f.num(), f.octets()
		return d
	default:
		f.t.Fatalf("unknown PDU %q", name)
		return nil
	}
}

func TestGoldenPDUs(t *testing.T) {
	all := lines(t, "pdu.csv")
	if len(all) != 120 {
		t.Fatalf("%d lines", len(all))
	}
	for i, line := range all {
		part := strings.Split(line, ";")
		h := fields{t, strings.Split(part[0], ",")}
		want := cfdp.Header{Source: h.num(), Sequence: h.num(), Destination: h.num(), EntityLength: uint8(h.num()), SequenceLength: uint8(h.num()),
			Mode: cfdp.Mode(h.num()), CRC: h.set(), LargeFile: h.set(), TowardSender: h.set()}
		body := goldenBody(&fields{t, strings.Split(part[1], ",")})
		octets := (&fields{t, part[2:]}).octets()
		got, err := cfdp.Append(nil, want, body)
		if err != nil || !bytes.Equal(got, octets) {
			t.Errorf("line %d: %s\nbuilt %x, %v\nwant  %x", i+1, part[1], got, err, octets)
		}
		gotH, gotB, err := cfdp.Decode(octets)
		if d, ok := body.(*cfdp.FileData); ok {
			want.FileData, want.SegmentMetadata = true, d.HasMetadata
		}
		if err != nil || gotH != want || !reflect.DeepEqual(gotB, body) {
			t.Errorf("line %d: read %+v %+v, %v\nwant %+v %+v", i+1, gotH, gotB, err, want, body)
		}
	}
}

func TestGoldenChecksums(t *testing.T) {
	for i, line := range lines(t, "checksum.csv") {
		f := fields{t, strings.Split(line, ",")}
		kind, data, want := cfdp.ChecksumType(f.num()), f.octets(), f.octets()
		sum, err := cfdp.Checksum(kind, bytes.NewReader(data), uint64(len(data)))
		if err != nil || hex.EncodeToString(want) != hex.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}) {
			t.Errorf("line %d: type %d of %d octets is %08x, %v, want %x", i+1, kind, len(data), sum, err, want)
		}
	}
	if _, err := cfdp.Checksum(cfdp.ChecksumModular, bytes.NewReader(nil), 1); err == nil {
		t.Error("a short file has a checksum")
	}
	// 727.0-B-5 annex F: the octets 00 to 0E give 181C2015.
	b := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}
	if sum, err := cfdp.Checksum(cfdp.ChecksumModular, bytes.NewReader(b), 15); err != nil || sum != 0x181C2015 {
		t.Errorf("modular checksum of the book's example is %08x, %v", sum, err)
	}
}
