package sdls_test

import (
	"reflect"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// The log tells what was refused and what was changed, oldest first, and forgets the oldest.
func TestLog(t *testing.T) {
	c := newCraft(t)
	if _, err := c.do(sdls.AssociationPDU(sdls.SAStop, 2), nil); err == nil {
		t.Fatal("stopped")
	}
	c.must(t, sdls.RekeyPDU(2, 11, 5, 12))
	c.must(t, sdls.PDU{Procedure: sdls.Ping})
	s, r := pair(t, 0)
	field := apply(t, s, 1, 9, "x")
	if _, err := r.Open(0, header, field); err != nil {
		t.Fatal(err)
	}
	_, err := r.Open(0, header, field)
	c.log.Frame(field, sdls.Layout{}, err)
	c.log.Frame([]byte{1}, sdls.Layout{}, ccsds.Errorf("sdls", 1, sdls.ErrTruncated, "short"))
	c.log.Frame(field, sdls.Layout{}, nil)
	want := []sdls.LogEvent{{Tag: 0x1E, Code: sdls.LogRefused, SPI: 2}, {Tag: 0x16, Code: sdls.LogCarriedOut, SPI: 2},
		{Tag: sdls.LogFrame, Code: sdls.LogReplayed, SPI: 1, Number: 9}, {Tag: sdls.LogFrame, Code: sdls.LogTruncated}}
	if got, err := sdls.ParseLog(c.must(t, sdls.PDU{Procedure: sdls.DumpLog})); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("log %+v (%v), want %+v", got, err, want)
	}
	for i := range uint64(sdls.LogSize) {
		c.log.Add(sdls.LogEvent{Number: i})
	}
	if n, room, err := sdls.ParseLogStatus(c.must(t, sdls.PDU{Procedure: sdls.LogStatus})); err != nil || n != sdls.LogSize || room != 0 || c.log.Events()[0].Number != 0 {
		t.Errorf("%d events, room for %d, %v; oldest %+v", n, room, err, c.log.Events()[0])
	}
	if n, room, err := sdls.ParseLogStatus(c.must(t, sdls.PDU{Procedure: sdls.EraseLog})); err != nil || n != 0 || room != sdls.LogSize {
		t.Errorf("after erasing %d events, room for %d, %v", n, room, err)
	}
}

func TestSelfTest(t *testing.T) {
	if err := sdls.SelfTest(); err != nil {
		t.Error(err)
	}
	if good, err := sdls.ParseSelfTest(newCraft(t).must(t, sdls.PDU{Procedure: sdls.SelfTesting})); err != nil || !good {
		t.Errorf("%v, %v", good, err)
	}
}
