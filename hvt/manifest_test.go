package hvt_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/perilune/perilune/hvt"
	"pgregory.net/rapid"
)

func TestManifestLayout(t *testing.T) {
	m := hvt.Manifest{Entries: []hvt.Entry{{Name: "storage", Type: hvt.Block}, {Name: "service0", Type: hvt.Net}}}
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	// Sizes and offsets of Solo5 include/mft_abi.h: 4 octets of padding, a
	// header of 8, entries of 104 with name at 0 and type at 68.
	if len(b) != 4+8+3*104 {
		t.Fatalf("%d octets", len(b))
	}
	le := binary.LittleEndian
	for at, want := range map[int]uint32{4: 1, 8: 3, 12 + 68: 1 << 30, 12 + 104 + 68: 1, 12 + 208 + 68: 2} {
		if got := le.Uint32(b[at:]); got != want {
			t.Errorf("word at %d is %d, want %d", at, got, want)
		}
	}
	if !bytes.HasPrefix(b[12+104:], []byte("storage\x00")) {
		t.Errorf("name is %q", b[12+104:12+104+8])
	}
	got, err := hvt.ParseManifest(b)
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%+v, %v", got, err)
	}
	if h, ok := got.Find("service0", hvt.Net); h != 2 || !ok {
		t.Errorf("handle %d, %v", h, ok)
	}
	if _, ok := got.Find("service0", hvt.Block); ok {
		t.Error("found a NET device as BLOCK")
	}
}

func TestManifestTable(t *testing.T) {
	m := hvt.Manifest{Entries: []hvt.Entry{{Name: "disk", Type: hvt.Block}, {Name: "net", Type: hvt.Net}}}
	b, err := m.Table([]hvt.Attachment{{Attached: true, Capacity: 1 << 33, SectorSize: 4096},
		{Attached: true, MAC: [6]byte{2, 3, 4, 5, 6, 7}, MTU: 1500}})
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	disk, net := b[8+104:], b[8+208:]
	if le.Uint64(disk[72:]) != 1<<33 || le.Uint16(disk[80:]) != 4096 || disk[96] != 1 {
		t.Errorf("block entry % x", disk[72:104])
	}
	if !bytes.Equal(net[72:78], []byte{2, 3, 4, 5, 6, 7}) || le.Uint16(net[78:]) != 1500 || net[96] != 1 {
		t.Errorf("net entry % x", net[72:104])
	}
	if _, err := m.Table(nil); !errors.Is(err, hvt.ErrManifest) {
		t.Errorf("no attachments: %v", err)
	}
}

func TestManifestRules(t *testing.T) {
	good, _ := hvt.Manifest{Entries: []hvt.Entry{{Name: "a", Type: hvt.Block}}}.MarshalBinary()
	change := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	for name, b := range map[string][]byte{
		"empty": nil, "header cut": good[:11], "entry cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0),
		"version": change(4, 2), "no entries": change(8, 0), "65 entries": change(8, 65),
		"first not reserved": change(12+71, 0), "first has a name": change(12, 'x'),
		"unterminated name": change(12+104+67, 'x'), "attached": change(12+104+96, 1),
	} {
		if _, err := hvt.ParseManifest(b); !errors.Is(err, hvt.ErrManifest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, m := range []hvt.Manifest{
		{Entries: make([]hvt.Entry, hvt.MaxEntries)},
		{Entries: []hvt.Entry{{Name: strings.Repeat("x", 68), Type: hvt.Net}}},
		{Entries: []hvt.Entry{{Name: "a\x00b", Type: hvt.Net}}},
	} {
		if _, err := m.MarshalBinary(); !errors.Is(err, hvt.ErrManifest) {
			t.Errorf("%d entries: %v", len(m.Entries), err)
		}
	}
}

func TestManifestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := hvt.Manifest{}
		for range rapid.IntRange(0, hvt.MaxEntries-1).Draw(t, "devices") {
			m.Entries = append(m.Entries, hvt.Entry{
				Name: rapid.StringMatching(`[A-Za-z0-9]{1,67}`).Draw(t, "name"),
				Type: hvt.DeviceType(rapid.Uint32().Draw(t, "type"))})
		}
		b, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := hvt.ParseManifest(b); err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	good, _ := hvt.Manifest{Entries: []hvt.Entry{{Name: "disk", Type: hvt.Block}, {Name: "radio", Type: hvt.Net}}}.MarshalBinary()
	f.Add(good)
	f.Add(good[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := hvt.ParseManifest(b)
		if err != nil {
			if !errors.Is(err, hvt.ErrManifest) {
				t.Fatalf("unnamed error %v", err)
			}
			return
		}
		again, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := hvt.ParseManifest(again); err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("%+v, then %+v, %v", m, got, err)
		}
	})
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{"": false, ".": false, "..": false, "a/b": false, "earth.121": true,
		"A_b-9.raw": true, "ä": false, "a b": false, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false} {
		if hvt.ValidProductName(name) != want {
			t.Errorf("product name %q: %v", name, !want)
		}
	}
	for name, want := range map[string]bool{"": false, "disk0": true, "a-b": false, strings.Repeat("x", 67): true, strings.Repeat("x", 68): false} {
		if hvt.ValidDeviceName(name) != want {
			t.Errorf("device name %q: %v", name, !want)
		}
	}
}
