package router_test

import (
	"bytes"
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
)

// A report that is longer than a frame goes down in parts, which the ground puts together; the
// packet is whole, with its own checksum.
func TestLargeReport(t *testing.T) {
	h := newHarness(1000)
	data := bytes.Repeat([]byte{1, 2, 3}, 1500)
	if err := h.Flight(3, 10, data); err != nil {
		t.Fatal(err)
	}
	s := newSink(100)
	h.Fill(s)
	var ground pus.Assembler
	whole := 0
	for _, p := range s.sent[0] {
		tm, err := pus.ParseTM(p)
		if err != nil || tm.Service != 13 {
			t.Fatalf("a packet of service %d (%v)", tm.Service, err)
		}
		if len(p) > 1000 {
			t.Errorf("a part of %d octets", len(p))
		}
		k := pus.Kind{TM: true, Service: 13, Subtype: tm.Subtype}
		body, err := pus.DecodeMessage(k, tm.Payload)
		if err != nil {
			t.Fatal(err)
		}
		packet, _, err := ground.Add(k, body.(pus.LargePart))
		if err != nil {
			t.Fatal(err)
		}
		if packet == nil {
			continue
		}
		whole++
		if tm, err := pus.ParseTM(packet); err != nil || tm.Service != 3 || tm.Subtype != 10 || !bytes.Equal(tm.Payload, data) {
			t.Errorf("TM[%d,%d] of %d octets (%v)", tm.Service, tm.Subtype, len(tm.Payload), err)
		}
	}
	if whole != 1 {
		t.Errorf("%d whole packets", whole)
	}
}
