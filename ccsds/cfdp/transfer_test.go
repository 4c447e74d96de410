package cfdp_test

import (
	"bytes"
	"testing"

	"github.com/perilune/perilune/ccsds/cfdp"
)

func TestClass2Clean(t *testing.T) {
	a, b := newNode(t, ground, nil), newNode(t, craft, nil)
	l := newLink(t, a, b, 1)
	data := pattern(100_001, 1)
	a.write("in.bin", data)
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in.bin", DestName: "d/out.bin", Messages: [][]byte{[]byte("hello")}})
	l.run(1000, l.quiet)
	i := a.check(id, cfdp.NoError)
	if i.NAKs != 0 || i.Retransmitted != 0 || i.Done != i.Size {
		t.Errorf("sender: %+v", i)
	}
	r := b.check(id, cfdp.NoError)
	if r.Done != 100_001 || r.Name != "in.bin" || r.DestName != "d/out.bin" || len(r.Messages) != 1 || string(r.Messages[0]) != "hello" {
		t.Errorf("receiver: %+v", r)
	}
	if !bytes.Equal(b.read("d/out.bin"), data) {
		t.Error("file differs")
	}
}

// At 12 % loss, with duplicates and disorder, every file arrives, with NAKs.
func TestClass2Lossy(t *testing.T) {
	for seed := range uint64(20) {
		a, b := newNode(t, ground, nil), newNode(t, craft, func(c *cfdp.Config) { c.NAK = nakMode(seed%2 == 1); c.CRC = seed%3 == 1 })
		l := newLink(t, a, b, seed)
		l.loss, l.dup, l.reorder = 0.12, 0.03, 0.1
		data := pattern(60_000+int(seed)*777, seed)
		a.write("in.bin", data)
		id := a.put(l, cfdp.Put{Dest: craft, Source: "in.bin", DestName: "out.bin", Checksum: []cfdp.ChecksumType{cfdp.ChecksumModular, cfdp.ChecksumCRC32C, cfdp.ChecksumCRC32, cfdp.ChecksumNull}[seed%4]})
		l.run(20000, l.quiet)
		if i := a.check(id, cfdp.NoError); i.NAKs == 0 || i.Retransmitted == 0 {
			t.Errorf("seed %d: nothing was sent again: %+v", seed, i)
		}
		b.check(id, cfdp.NoError)
		if !bytes.Equal(b.read("out.bin"), data) {
			t.Errorf("seed %d: file differs", seed)
		}
		if a.naks == 0 || b.naks == 0 {
			t.Errorf("seed %d: NAK events %d and %d", seed, a.naks, b.naks)
		}
	}
}
