package hvt_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"github.com/perilune/perilune/hvt"
)

func TestExtendedEntries(t *testing.T) {
	m := hvt.Manifest{Entries: []hvt.Entry{{Name: "disk", Type: hvt.Block}, hvt.Extend("disk", hvt.BlockRing, 1024),
		hvt.Extend("", hvt.VCPUs, 2), hvt.Extend("seed", hvt.Seed, 0), hvt.Extend("peer", hvt.Channel, 4096)}}
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	ring := b[4+8+2*104:]
	if typ, depth := binary.LittleEndian.Uint32(ring[68:]), binary.LittleEndian.Uint32(ring[72:]); typ != 0x3a500003 || depth != 1024 {
		t.Errorf("type %#x, depth %d", typ, depth)
	}
	if got, err := hvt.ParseManifest(b); err != nil || !reflect.DeepEqual(got, m) || !got.Extended() {
		t.Errorf("%+v, %v", got, err)
	}
	if (hvt.Manifest{Entries: m.Entries[:1]}).Extended() {
		t.Error("a plain guest is extended")
	}
	for _, e := range []hvt.Entry{hvt.Extend("", hvt.VCPUs, 0), hvt.Extend("", hvt.VCPUs, hvt.MaxVCPUs+1),
		hvt.Extend("d", hvt.BlockRing, 0), hvt.Extend("d", hvt.BlockRing, 1), hvt.Extend("d", hvt.BlockRing, 3),
		hvt.Extend("d", hvt.NetRing, 2048), hvt.Extend("d", hvt.NetRing, 1<<31), hvt.Extend("s", hvt.Seed, 1),
		hvt.Extend("c", hvt.Channel, 0), hvt.Extend("c", hvt.Channel, hvt.MaxChannelMessage+1),
		{Name: "x", Type: hvt.VCPUs, Payload: [16]byte{0: 1, 15: 1}}} {
		if _, err := (hvt.Manifest{Entries: []hvt.Entry{e}}).MarshalBinary(); !errors.Is(err, hvt.ErrManifest) {
			t.Errorf("%s of %d: %v", e.Type, e.Count(), err)
		}
		raw, _ := hvt.Manifest{Entries: []hvt.Entry{{Name: e.Name, Type: hvt.Net}}}.MarshalBinary()
		binary.LittleEndian.PutUint32(raw[4+8+104+68:], uint32(e.Type))
		copy(raw[4+8+104+72:], e.Payload[:])
		if _, err := hvt.ParseManifest(raw); !errors.Is(err, hvt.ErrManifest) {
			t.Errorf("parse %s of %d: %v", e.Type, e.Count(), err)
		}
	}
}

// What there can be several of has its limit.
func TestCounts(t *testing.T) {
	for _, c := range []struct {
		e    hvt.Entry
		most int
	}{{hvt.Extend("", hvt.Channel, 4096), hvt.MaxChannels}, {hvt.Extend("", hvt.BlockRing, 8), hvt.MaxRings},
		{hvt.Extend("", hvt.VCPUs, 2), 1}, {hvt.Extend("", hvt.Seed, 0), hvt.MaxEntries - 1}} {
		var m hvt.Manifest
		for len(m.Entries) < c.most {
			m.Entries = append(m.Entries, c.e)
		}
		if _, err := m.MarshalBinary(); err != nil {
			t.Errorf("%d of %s: %v", c.most, c.e.Type, err)
		}
		m.Entries = append(m.Entries, c.e)
		if _, err := m.MarshalBinary(); !errors.Is(err, hvt.ErrManifest) {
			t.Errorf("%d of %s: %v", c.most+1, c.e.Type, err)
		}
	}
}

func TestRecord(t *testing.T) {
	r := hvt.Record{Items: []hvt.Item{{Type: hvt.VCPUs, Index: 1, A: 2, Status: hvt.ItemOK},
		{Type: hvt.BlockRing, Index: 3, GPA: hvt.ExtensionBase + hvt.RecordSize, Size: hvt.RingSize(64), A: 64, B: hvt.KickPort(1), Status: hvt.ItemOK}}}
	b, err := r.MarshalBinary()
	if err != nil || len(b) != 16+2*48 || !bytes.HasPrefix(b, []byte("PLEX")) {
		t.Fatalf("% x, %v", b, err)
	}
	if got, err := hvt.ParseRecord(append(b, 0, 0)); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := (hvt.Record{Items: make([]hvt.Item, hvt.MaxEntries)}).MarshalBinary(); !errors.Is(err, hvt.ErrRecord) {
		t.Error(err)
	}
	// All that can be declared has its place.
	const most = hvt.MaxEntries - 1
	if hvt.RecordSeed(most) > hvt.RecordSize || 16+48*most > hvt.RecordSeed(0) ||
		hvt.RecordSize+most*hvt.RingSize(hvt.MaxDepth) > hvt.ExtensionMax {
		t.Error("the extension area is too small")
	}
}

func FuzzParseRecord(f *testing.F) {
	good, _ := hvt.Record{Items: []hvt.Item{{Type: hvt.Seed, Index: 1, Status: hvt.ItemOK}}}.MarshalBinary()
	f.Add(good)
	f.Add(good[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := hvt.ParseRecord(b)
		if err != nil {
			if !errors.Is(err, hvt.ErrRecord) {
				t.Fatalf("unnamed error %v", err)
			}
			return
		}
		again, err := r.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := hvt.ParseRecord(again); err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("%+v, then %+v, %v", r, got, err)
		}
	})
}

func FuzzSubmission(f *testing.F) {
	f.Add(make([]byte, hvt.SubmissionSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := hvt.DecodeSubmission(b)
		if !ok {
			return
		}
		var again [hvt.SubmissionSize]byte
		s.Put(again[:])
		if !bytes.Equal(again[:], b[:hvt.SubmissionSize]) {
			t.Fatalf("% x, then % x", b, again)
		}
	})
}
