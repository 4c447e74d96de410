package snapshot_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/snapshot"
)

// memory is 2 MiB with three pages that are not zero, two of them neighbours,
// and one in the extension memory.
type memory map[uint64]byte

func (m memory) ReadMemory(gpa uint64, b []byte) error {
	clear(b)
	for at, v := range m {
		if at >= gpa && at-gpa < uint64(len(b)) {
			b[at-gpa] = v
		}
	}
	return nil
}

var pages = memory{0x10000: 1, 0x1fe123: 2, 0x1fffff: 3, hvt.ExtensionBase + 0x2000: 4}

func header() *snapshot.Header {
	manifest, _ := hvt.Manifest{Entries: []hvt.Entry{{Name: "disk", Type: hvt.Block}}}.MarshalBinary()
	return &snapshot.Header{Arch: "amd64", CPU: "set", ABI: 2, CycleFreq: 1e9, Counter: 12345, Wall: 99,
		Memory: 2 << 20, Mapped: 2 << 20, Extension: 2 << 20, Manifest: manifest,
		Protected: []snapshot.Range{{Start: 0x100000, End: 0x101000, Read: true}},
		VCPUs:     []snapshot.VCPU{{Begun: true, Call: 3, Arg: 0x1ff000, Left: 7, State: []byte("state")}, {Woken: true}},
		Blocks:    []snapshot.Block{{Name: "disk", Size: 512, Sector: 512, Digest: sha256.Sum256(nil)}},
		Nets:      []snapshot.Net{{Name: "net", MAC: [6]byte{2, 1}, MTU: 1500}},
		Rings:     []snapshot.Ring{{Number: 1, State: []byte("ring")}}}
}

func file(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := snapshot.Write(&b, header(), pages); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read reads a whole snapshot into low and high, which are large enough.
func read(b, low, high []byte) (*snapshot.Header, error) {
	r, err := snapshot.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return r.Header, r.Memory(func(gpa, n uint64) []byte {
		if gpa >= hvt.ExtensionBase {
			return high[gpa-hvt.ExtensionBase:][:n]
		}
		return low[gpa:][:n]
	})
}

// framed is a file with this header and these runs, its digests right.
func framed(header, runs []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte("PLSNAP\r\n\x01\x00\x00\x00"), uint32(len(header)))
	digest := sha256.Sum256(header)
	b = append(append(append(b, digest[:]...), header...), runs...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func TestRoundTrip(t *testing.T) {
	b := file(t)
	low, high := make([]byte, 2<<20), make([]byte, 2<<20)
	h, err := read(b, low, high)
	if err != nil || !reflect.DeepEqual(h, header()) {
		t.Errorf("%v, %+v", err, h)
	}
	got := memory{}
	for i := range low {
		if low[i] != 0 {
			got[uint64(i)] = low[i]
		}
		if high[i] != 0 {
			got[hvt.ExtensionBase+uint64(i)] = high[i]
		}
	}
	if !reflect.DeepEqual(got, pages) {
		t.Errorf("memory: %v", got)
	}
	if pages := 4 * hvt.PageSize; len(b) > pages+2048 {
		t.Errorf("%d octets for %d of memory: zeroes were written", len(b), pages)
	}
	// The file ends with the digest of all before: sha256sum says the same.
	if sum := sha256.Sum256(b[:len(b)-32]); !bytes.Equal(sum[:], b[len(b)-32:]) {
		t.Error("the digest is not that of the content")
	}
}

// Every shorter file is truncated; every changed octet is found.
func TestDamage(t *testing.T) {
	whole, low, high := file(t), make([]byte, 2<<20), make([]byte, 2<<20)
	for n := 0; n < len(whole); n += 1 + n/64 {
		if _, err := read(whole[:n], low, high); !errors.Is(err, snapshot.ErrTruncated) {
			t.Fatalf("%d of %d octets: %v", n, len(whole), err)
		}
	}
	for at := 0; at < len(whole); at += 1 + at/64 {
		b := bytes.Clone(whole)
		b[at] ^= 0x40
		_, err := read(b, low, high)
		switch {
		case at < 8 && errors.Is(err, snapshot.ErrNotOne):
		case at >= 8 && at < 12 && errors.Is(err, snapshot.ErrVersion):
		case at >= 12 && (errors.Is(err, snapshot.ErrCorrupt) || errors.Is(err, snapshot.ErrTruncated)):
		default:
			t.Fatalf("octet %d changed: %v", at, err)
		}
	}
}

// A header that no tender writes is refused before memory is made for it.
func TestImpossible(t *testing.T) {
	for name, change := range map[string]func(h *snapshot.Header){
		"no memory":      func(h *snapshot.Header) { h.Memory = 0 },
		"odd memory":     func(h *snapshot.Header) { h.Memory += 4096 },
		"more memory":    func(h *snapshot.Header) { h.Memory, h.Mapped = 8<<30, 8<<30 },
		"mapped less":    func(h *snapshot.Header) { h.Mapped = 0 },
		"mapped more":    func(h *snapshot.Header) { h.Mapped += 1 << 30 },
		"huge extension": func(h *snapshot.Header) { h.Extension = 1 << 40 },
		"no vCPU":        func(h *snapshot.Header) { h.VCPUs = nil },
		"vCPU 0 waits":   func(h *snapshot.Header) { h.VCPUs[0].Begun = false },
		"low protection": func(h *snapshot.Header) { h.Protected[0].Start = 0 },
		"far protection": func(h *snapshot.Header) { h.Protected[0].End = 1 << 40 },
		"odd protection": func(h *snapshot.Header) { h.Protected[0].Start++ },
		"void":           func(h *snapshot.Header) { h.Protected[0].End = h.Protected[0].Start },
	} {
		h := header()
		change(h)
		if _, err := snapshot.NewReader(bytes.NewReader(framed(snapshot.Encode(h), nil))); !errors.Is(err, snapshot.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
		if err := snapshot.Write(io.Discard, h, memory{}); !errors.Is(err, snapshot.ErrCorrupt) {
			t.Errorf("%s: written: %v", name, err)
		}
	}
}

// FuzzSnapshot: whatever a file holds, reading it neither crashes nor writes
// beside the memory that its header names. Digests are made right, so that
// what lies behind them is reached.
func FuzzSnapshot(f *testing.F) {
	whole := file(f)
	n := binary.LittleEndian.Uint32(whole[12:])
	f.Add(whole[48:48+n], whole[48+n:len(whole)-32])
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, header, runs []byte) {
		r, err := snapshot.NewReader(bytes.NewReader(framed(header, runs)))
		if err != nil {
			return
		}
		page := make([]byte, 1<<20)
		err = r.Memory(func(gpa, n uint64) []byte {
			if h := r.Header; gpa >= hvt.ExtensionBase && gpa-hvt.ExtensionBase+n > h.Extension || gpa < hvt.ExtensionBase && gpa+n > h.Mapped {
				t.Fatalf("%d octets at %#x of %+v", n, gpa, h)
			}
			return page[:n]
		})
		if again := snapshot.Encode(r.Header); !bytes.Equal(again, header) {
			t.Fatalf("header %x becomes %x", header, again)
		}
		if err == nil && len(runs) < 16 {
			t.Fatal("memory without its end")
		}
	})
}

// Check knows the length of a whole snapshot, whatever lies behind it, and finds what is wrong with
// another one.
func TestCheck(t *testing.T) {
	whole := file(t)
	for _, behind := range [][]byte{nil, make([]byte, 5000)} {
		if n, err := snapshot.Check(bytes.NewReader(append(bytes.Clone(whole), behind...))); err != nil || n != uint64(len(whole)) {
			t.Errorf("%d octets behind it: %d octets of %d, %v", len(behind), n, len(whole), err)
		}
	}
	for n := 0; n < len(whole); n += 211 {
		if _, err := snapshot.Check(bytes.NewReader(whole[:n])); !errors.Is(err, snapshot.ErrTruncated) {
			t.Fatalf("cut to %d of %d octets: %v", n, len(whole), err)
		}
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-100] ^= 1
	if _, err := snapshot.Check(bytes.NewReader(flipped)); !errors.Is(err, snapshot.ErrCorrupt) {
		t.Errorf("a flipped bit: %v", err)
	}
}
