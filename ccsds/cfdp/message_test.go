package cfdp_test

import (
	"bytes"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// value is what a line of user.csv describes, as octets of ours and as read.
func value(t *testing.T, kind string, f *fields, octets []byte) (built []byte, want, got any) {
	t.Helper()
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		return b
	}
	tlv := func(v cfdp.TLV, err error) []byte { return must(v.Value, err) }
	var err error
	switch kind {
	case "request":
		w := cfdp.FilestoreRequest{Action: cfdp.Action(f.num()), First: f.text(), Second: f.text()}
		got, err = cfdp.DecodeFilestoreRequest(octets)
		built, want = tlv(w.TLV()), w
	case "response":
		w := cfdp.FilestoreResponse{}
		w.Action, w.Status = cfdp.Action(f.num()), cfdp.RequestStatus(f.num())
		w.First, w.Second, w.Message = f.text(), f.text(), f.text()
		got, err = cfdp.DecodeFilestoreResponse(octets)
		built, want = tlv(w.TLV()), w
	case "fault":
		w := cfdp.FaultHandler{Condition: cfdp.Condition(f.num()), Handler: cfdp.Handler(f.num())}
		return tlv(w.TLV()), nil, nil
	default:
		w := message(t, kind, f)
		var ok bool
		if got, ok, err = cfdp.DecodeMessage(octets); !ok {
			t.Errorf("%s is not known", kind)
		}
		built, want = must(w.Append(nil)), w
	}
	if err != nil {
		t.Errorf("%s: %v", kind, err)
	}
	return built, want, got
}

func message(t *testing.T, kind string, f *fields) cfdp.Message {
	t.Helper()
	switch kind {
	case "put":
		return cfdp.Message{Type: cfdp.MessageProxyPut, Dest: cfdp.EntityID{Value: f.num(), Length: uint8(f.num())}, First: f.text(), Second: f.text()}
	case "cancel":
		return cfdp.Message{Type: cfdp.MessageProxyCancel}
	case "closure":
		return cfdp.Message{Type: cfdp.MessageProxyClosure, Flag: f.set()}
	case "mode":
		return cfdp.Message{Type: cfdp.MessageProxyMode, Mode: cfdp.Mode(f.num())}
	case "answer":
		return cfdp.Message{Type: cfdp.MessageProxyPutResponse, Faulty: cfdp.Condition(f.num()), Incomplete: f.set(), File: cfdp.FileStatus(f.num())}
	case "origin":
		m := cfdp.Message{Type: cfdp.MessageOriginating}
		m.ID.Source, m.EntityLength = f.num(), uint8(f.num())
		m.ID.Sequence, m.SequenceLength = f.num(), uint8(f.num())
		return m
	case "list":
		return cfdp.Message{Type: cfdp.MessageListing, First: f.text(), Second: f.text()}
	case "listed":
		return cfdp.Message{Type: cfdp.MessageListingResponse, Flag: !f.set(), First: f.text(), Second: f.text()}
	}
	t.Fatalf("unknown kind %q", kind)
	return cfdp.Message{}
}

func TestGoldenUserFields(t *testing.T) {
	all := lines(t, "user.csv")
	if len(all) < 80 {
		t.Fatalf("%d lines", len(all))
	}
	for i, line := range all {
		part := strings.Split(line, ";")
		octets := (&fields{t, part[2:]}).octets()
		built, want, got := value(t, part[0], &fields{t, strings.Split(part[1], ",")}, octets)
		if !bytes.Equal(built, octets) {
			t.Errorf("line %d: %s\nbuilt %x\nwant  %x", i+1, line, built, octets)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("line %d: read %+v, want %+v", i+1, got, want)
		}
	}
}

// The types that spacepackets does not know: what was written is read again.
func TestMessagesRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		types := []cfdp.MessageType{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x10, 0x11, 0x20, 0x21, 0x30, 0x31, 0x38, 0x39}
		octets := rapid.SliceOfN(rapid.Byte(), 0, 255).Draw(rt, "octets")
		value := append([]byte("cfdp"), byte(rapid.SampledFrom(types).Draw(rt, "type")))
		m, ok, err := cfdp.DecodeMessage(append(value, octets...))
		if !ok || err != nil {
			return
		}
		built, err := m.Append(nil)
		if err != nil {
			rt.Fatalf("%+v: %v", m, err)
		}
		again, ok, err := cfdp.DecodeMessage(built)
		if !ok || err != nil || !reflect.DeepEqual(again, m) {
			rt.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
	id := cfdp.TransactionID{Source: 1, Sequence: 70_000}
	for _, m := range []cfdp.Message{
		{Type: cfdp.MessageSuspend, ID: id}, {Type: cfdp.MessageReport, ID: id, First: "r"},
		{Type: cfdp.MessageSuspendResponse, Flag: true, Status: cfdp.StatusActive, ID: id},
		{Type: cfdp.MessageReportResponse, Flag: true, Status: cfdp.StatusUnrecognized, ID: id},
		{Type: cfdp.MessageProxyFault, Faulty: cfdp.NAKLimitReached, Handler: cfdp.HandlerIgnore},
		{Type: cfdp.MessageProxyMessage, Value: []byte("hello")}, {Type: cfdp.MessageProxySegmentation, Flag: true},
	} {
		b, err := m.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, ok, err := cfdp.DecodeMessage(b)
		if got.EntityLength == 2 {
			got.EntityLength, got.SequenceLength = 0, 0
		}
		if !ok || err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%+v became %+v, %v", m, got, err)
		}
	}
}

// 211.2-B-3 annex C: the remainder of the file, times x^32, divided by
// x^32+x^23+x^21+x^11+x^2+1, worked out with whole numbers.
func TestProximityChecksum(t *testing.T) {
	divisor := new(big.Int).SetUint64(1<<32 | 1<<23 | 1<<21 | 1<<11 | 1<<2 | 1)
	for _, n := range []int{0, 1, 3, 4, 5, 64, 257} {
		data := pattern(n, uint64(n))
		rest := new(big.Int).Lsh(new(big.Int).SetBytes(data), 32)
		for rest.BitLen() > 32 {
			rest.Xor(rest, new(big.Int).Lsh(divisor, uint(rest.BitLen()-33)))
		}
		sum, err := cfdp.Checksum(cfdp.ChecksumProximity1, bytes.NewReader(data), uint64(n))
		if err != nil || uint64(sum) != rest.Uint64() {
			t.Errorf("%d octets: %08x, %v, want %08x", n, sum, err, rest)
		}
	}
}

func FuzzUserFields(f *testing.F) {
	f.Add([]byte("cfdp\x00\x01\x02\x01a\x01b"))
	f.Add([]byte("cfdp\x31\x80\x13\x00\x01\x00\x00\x00\x01"))
	f.Add([]byte("\x20\x01a\x01b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, ok, err := cfdp.DecodeMessage(b); ok && err == nil {
			if _, err := m.Append(nil); err != nil && len(b) < 256 {
				t.Errorf("%+v: %v", m, err)
			}
		}
		if r, err := cfdp.DecodeFilestoreRequest(b); err == nil && len(b) < 256 {
			if _, err := r.TLV(); err != nil {
				t.Errorf("%+v: %v", r, err)
			}
		}
		if r, err := cfdp.DecodeFilestoreResponse(b); err == nil && len(b) < 256 {
			v, err := r.TLV()
			if again, err2 := cfdp.DecodeFilestoreResponse(v.Value); err != nil || err2 != nil || again != r {
				t.Errorf("%+v: %v, %v", r, err, err2)
			}
		}
	})
}
