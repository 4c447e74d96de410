package cfdp_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
)

// from makes a PDU as entity 1 would send it to 2.
func from(t testing.TB, seq uint64, b cfdp.Body) []byte {
	t.Helper()
	h := cfdp.Header{EntityLength: 2, SequenceLength: 4, Source: ground, Sequence: seq, Destination: craft, LargeFile: true}
	pdu, err := cfdp.Append(nil, h, b)
	if err != nil {
		t.Fatal(err)
	}
	return pdu
}

func TestFileSizeLimits(t *testing.T) {
	now := time.Unix(1, 0)
	for what, pdus := range map[string][]cfdp.Body{
		"metadata":            {&cfdp.Metadata{Dest: "out", FileSize: 1001}},
		"EOF":                 {&cfdp.Metadata{Dest: "out"}, &cfdp.EOF{FileSize: 1001}},
		"data":                {&cfdp.Metadata{Dest: "out"}, &cfdp.FileData{Offset: 1000, Data: []byte{1}}},
		"early data":          {&cfdp.FileData{Offset: 1<<63 + 5, Data: []byte{1}}},
		"data beyond size":    {&cfdp.Metadata{Dest: "out", FileSize: 10}, &cfdp.FileData{Offset: 10, Data: []byte{1}}},
		"data beyond EOF":     {&cfdp.Metadata{Dest: "out"}, &cfdp.EOF{FileSize: 10}, &cfdp.FileData{Offset: 10, Data: []byte{1}}},
		"EOF before data end": {&cfdp.Metadata{Dest: "out"}, &cfdp.FileData{Offset: 10, Data: []byte{1}}, &cfdp.EOF{FileSize: 10}},
		"metadata too small":  {&cfdp.FileData{Offset: 10, Data: []byte{1}}, &cfdp.Metadata{Dest: "out", FileSize: 10}},
	} {
		b := newNode(t, craft, func(c *cfdp.Config) { c.Limits.MaxFileSize = 1000 })
		for _, p := range pdus {
			_ = b.e.Receive(now, from(t, 1, p)) // the event tells
		}
		if i := b.finished[cfdp.TransactionID{Source: ground, Sequence: 1}]; i.Condition != cfdp.FileSizeError {
			t.Errorf("%s: %v", what, i.Condition)
		}
		b.noParts(t)
	}
}

func TestNamesThatLeaveTheRoot(t *testing.T) {
	b := newNode(t, craft, nil)
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(b.dir, "link")); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"../x", "/etc/x", "a/../../x", "link/x", ".", "..", ".cfdp-part/0.part", "a/.CFDP-PART/x", "a\x00b", "a\nb", `a\b`, "a//b", "a/", strings.Repeat("n", 255) + "", "./x"} {
		seq := uint64(i + 1)
		_ = b.e.Receive(time.Unix(1, 0), from(t, seq, &cfdp.Metadata{Dest: name, FileSize: 1}))
		_ = b.e.Receive(time.Unix(1, 0), from(t, seq, &cfdp.FileData{Data: []byte{0}}))
		_ = b.e.Receive(time.Unix(1, 0), from(t, seq, &cfdp.EOF{FileSize: 1}))
		if len(name) == 255 {
			continue
		}
		if c := b.finished[cfdp.TransactionID{Source: ground, Sequence: seq}].Condition; c != cfdp.FilestoreRejection {
			t.Errorf("%q: %v", name, c)
		}
	}
	if e, err := os.ReadDir(outside); err != nil || len(e) != 0 {
		t.Errorf("outside are %v, %v", e, err)
	}
	b.noParts(t)
	for _, name := range []string{"link/x", "../" + filepath.Base(outside), "link", "."} {
		if _, err := b.e.Put(time.Unix(1, 0), cfdp.Put{Dest: ground, Source: name, DestName: "x"}); err == nil {
			t.Errorf("%q is sent", name)
		}
	}
}

func TestChecksumFailure(t *testing.T) {
	b := newNode(t, craft, nil)
	for _, p := range []cfdp.Body{&cfdp.Metadata{Dest: "out", FileSize: 4}, &cfdp.FileData{Data: []byte("abcd")}, &cfdp.EOF{FileSize: 4, Checksum: 1}} {
		_ = b.e.Receive(time.Unix(1, 0), from(t, 1, p))
	}
	b.check(cfdp.TransactionID{Source: ground, Sequence: 1}, cfdp.ChecksumFailure)
	_ = b.e.Receive(time.Unix(1, 0), from(t, 2, &cfdp.Metadata{Dest: "out", FileSize: 4, Checksum: 4}))
	b.check(cfdp.TransactionID{Source: ground, Sequence: 2}, cfdp.UnsupportedChecksum)
	if b.exists("out") {
		t.Error("the file is there")
	}
	b.noParts(t)
}

// Early data is held within bounds, however small its pieces.
func TestEarlyDataIsBounded(t *testing.T) {
	b := newNode(t, craft, func(c *cfdp.Config) { c.Limits.MaxEarly = 10_000; c.Limits.MaxSegments = 50 })
	for i := range uint64(500) {
		if err := b.e.Receive(time.Unix(1, 0), from(t, 1, &cfdp.FileData{Offset: 2 * i, Data: []byte{1}})); err != nil {
			t.Fatal(err)
		}
	}
	if i := b.e.Transactions()[0]; i.Done != 50 {
		t.Errorf("%d octets are held, want 50, one for each part allowed", i.Done)
	}
	b = newNode(t, craft, func(c *cfdp.Config) { c.Limits.MaxEarly = 10_000 })
	for i := range uint64(500) {
		_ = b.e.Receive(time.Unix(1, 0), from(t, 1, &cfdp.FileData{Offset: i, Data: []byte{1}}))
	}
	if i := b.e.Transactions()[0]; i.Done != 10_000/129 {
		t.Errorf("%d octets are held, want %d", i.Done, 10_000/129)
	}
}

func TestWrongEntities(t *testing.T) {
	b := newNode(t, craft, nil)
	for _, h := range []cfdp.Header{
		{Source: 1, Destination: 3}, {Source: 2, Destination: 2}, {Source: 9, Destination: 2, TowardSender: true},
	} {
		h.EntityLength, h.SequenceLength = 2, 4
		pdu, err := cfdp.Append(nil, h, &cfdp.KeepAlive{})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.e.Receive(time.Unix(1, 0), pdu); !errors.Is(err, ccsds.ErrForeign) {
			t.Errorf("%+v: %v", h, err)
		}
	}
	if _, ok := b.e.Next(time.Unix(1, 0)); ok {
		t.Error("it is answered")
	}
}

// Filestore requests are answered as not performed, and unknown fields skipped.
func TestFilestoreRequestsAreNotPerformed(t *testing.T) {
	b := newNode(t, craft, nil)
	b.write("victim", []byte("x"))
	meta := &cfdp.Metadata{TLVs: []cfdp.TLV{
		{Type: cfdp.TLVFilestoreRequest, Value: []byte("\x10\x06victim")},
		{Type: cfdp.TLVFilestoreRequest, Value: []byte("\x20\x06victim\x01y")},
		{Type: cfdp.TLVFilestoreRequest, Value: []byte("\x20\xFFvictim")},
		{Type: cfdp.TLVFaultHandler, Value: []byte{1}}, {Type: 0x77, Value: []byte("?")},
	}}
	for _, p := range []cfdp.Body{meta, &cfdp.EOF{}} {
		if err := b.e.Receive(time.Unix(1, 0), from(t, 1, p)); err != nil {
			t.Fatal(err)
		}
	}
	b.check(cfdp.TransactionID{Source: ground, Sequence: 1}, cfdp.NoError)
	for pdu, ok := b.e.Next(time.Unix(1, 0)); ok; pdu, ok = b.e.Next(time.Unix(1, 0)) {
		if _, p := body(t, pdu); isA[*cfdp.Finished](p) {
			f := p.(*cfdp.Finished)
			if f.Status != cfdp.FileUnreported || len(f.TLVs) != 3 || string(f.TLVs[0].Value) != "\x1F\x06victim\x00" || string(f.TLVs[1].Value) != "\x2F\x06victim\x01y\x00" ||
				string(f.TLVs[2].Value) != "\x2F\x00\x00\x00" { // of this one nothing but the action could be read
				t.Errorf("finished: %+v", f)
			}
		}
	}
	if !b.exists("victim") {
		t.Error("the file is gone")
	}
}

// A body of each kind, drawn at random.
func drawBody(t *rapid.T, large bool) cfdp.Body {
	off := rapid.Uint64Range(0, 1<<32-1)
	if large {
		off = rapid.Uint64Range(0, 1<<63)
	}
	cond := cfdp.Condition(rapid.Uint8Range(0, 15).Draw(t, "condition"))
	octets := rapid.SliceOfN(rapid.Byte(), 0, 63)
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return &cfdp.EOF{Condition: cond, Checksum: rapid.Uint32().Draw(t, "sum"), FileSize: off.Draw(t, "size")}
	case 1:
		return &cfdp.Finished{Condition: cond, Incomplete: rapid.Bool().Draw(t, "incomplete"), Status: cfdp.FileStatus(rapid.Uint8Range(0, 3).Draw(t, "status"))}
	case 2:
		return &cfdp.ACK{Of: rapid.SampledFrom([]cfdp.Directive{cfdp.DirectiveEOF, cfdp.DirectiveFinished}).Draw(t, "of"), Condition: cond, Status: cfdp.Status(rapid.Uint8Range(0, 3).Draw(t, "status"))}
	case 3:
		return &cfdp.Metadata{Closure: rapid.Bool().Draw(t, "closure"), Checksum: cfdp.ChecksumType(rapid.Uint8Range(0, 15).Draw(t, "type")), FileSize: off.Draw(t, "size"),
			Source: rapid.StringN(0, 20, 80).Draw(t, "source"), Dest: rapid.StringN(0, 20, 80).Draw(t, "dest"), TLVs: []cfdp.TLV{{Type: cfdp.TLVType(rapid.Uint8().Draw(t, "tlv")), Value: octets.Draw(t, "value")}}}
	case 4:
		n := &cfdp.NAK{Start: off.Draw(t, "start"), End: off.Draw(t, "end")}
		for range rapid.IntRange(0, 9).Draw(t, "segments") {
			s := off.Draw(t, "s")
			n.Segments = append(n.Segments, cfdp.Segment{Start: s, End: s + rapid.Uint64Range(0, 1<<32-1-min(s, 1<<32-1)).Draw(t, "e")})
		}
		return n
	case 5:
		return &cfdp.Prompt{KeepAlive: rapid.Bool().Draw(t, "keep alive")}
	case 6:
		return &cfdp.KeepAlive{Progress: off.Draw(t, "progress")}
	default:
		return &cfdp.FileData{Offset: off.Draw(t, "offset"), Data: octets.Draw(t, "data")}
	}
}

func TestCodecRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := cfdp.Header{EntityLength: 2, SequenceLength: 4, Source: 1, Destination: 2, Sequence: uint64(rapid.Uint32().Draw(t, "seq")),
			CRC: rapid.Bool().Draw(t, "crc"), LargeFile: rapid.Bool().Draw(t, "large"), TowardSender: rapid.Bool().Draw(t, "direction")}
		pdu, err := cfdp.Append([]byte("front"), h, drawBody(t, h.LargeFile))
		if err != nil {
			t.Fatal(err)
		}
		pdu = pdu[5:]
		gh, gb, err := cfdp.Decode(pdu)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := cfdp.Append(nil, gh, gb); err != nil || !bytes.Equal(again, pdu) {
			t.Fatalf("%x came back as %x, %v", pdu, again, err)
		}
		for n := range pdu {
			if _, _, err := cfdp.Decode(pdu[:n]); err == nil {
				t.Fatalf("%x cut to %d octets was taken", pdu, n)
			}
		}
		if h.CRC {
			pdu[rapid.IntRange(0, len(pdu)-1).Draw(t, "octet")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			if _, _, err := cfdp.Decode(pdu); err == nil && pdu[0]&2 != 0 {
				t.Fatalf("a flipped bit was not seen in %x", pdu)
			}
		}
	})
}

// FuzzDecode: no input panics, and what decodes is encoded the same.
func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, b := range []cfdp.Body{&cfdp.EOF{}, &cfdp.EOF{Condition: 5, Fault: cfdp.EntityID{Value: 1, Length: 2}}, &cfdp.Finished{}, &cfdp.ACK{Of: 4}, &cfdp.Metadata{Source: "a", Dest: "b"},
		&cfdp.NAK{Segments: []cfdp.Segment{{Start: 1, End: 2}}}, &cfdp.Prompt{}, &cfdp.KeepAlive{}, &cfdp.FileData{Data: []byte("data")}} {
		f.Add(from(f, r.Uint64N(1000), b))
	}
	f.Fuzz(func(t *testing.T, pdu []byte) {
		h, b, err := cfdp.Decode(pdu)
		if err != nil {
			return
		}
		again, err := cfdp.Append(nil, h, b)
		if err != nil {
			t.Fatalf("%x decodes and does not encode: %v", pdu, err)
		}
		h2, b2, err := cfdp.Decode(again)
		if err != nil {
			t.Fatalf("%x was encoded as %x: %v", pdu, again, err)
		}
		if third, err := cfdp.Append(nil, h2, b2); err != nil || !bytes.Equal(third, again) {
			t.Fatalf("%x, then %x, %v", again, third, err)
		}
	})
}

// FuzzReceive: whatever arrives, the entity neither panics, nor breaks its
// limits, nor makes a PDU that does not decode. The input is PDUs, each with a
// length octet; the ids are put right, so that most are taken.
func FuzzReceive(f *testing.F) {
	var seed []byte
	for _, b := range []cfdp.Body{&cfdp.Metadata{Dest: "out", FileSize: 8}, &cfdp.FileData{Offset: 4, Data: []byte("data")}, &cfdp.EOF{FileSize: 8}, &cfdp.FileData{Data: []byte("data")}, &cfdp.ACK{Of: 5}} {
		pdu := from(f, 1, b)
		seed = append(append(seed, byte(len(pdu))), pdu...)
	}
	f.Add(seed)
	dir := f.TempDir()
	store, err := cfdp.DirStore(dir)
	if err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "in"), make([]byte, 5000), 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		now := time.Unix(1, 0)
		e, err := cfdp.New(cfdp.Config{Local: craft, Store: store, MaxPDU: 64, Limits: cfdp.Limits{MaxFileSize: 1 << 20, MaxTransactions: 3, MaxSegments: 10, MaxEarly: 1000}}, cfdp.Events{})
		if err != nil {
			t.Fatal(err)
		}
		id, err := e.Put(now, cfdp.Put{Dest: ground, Source: "in", DestName: "x"})
		if err != nil {
			t.Fatal(err)
		}
		for len(in) > 0 {
			n := min(int(in[0]), len(in)-1)
			pdu := bytes.Clone(in[1 : 1+n])
			in = in[1+n:]
			if n > 12 && pdu[3]&0x77 == 0x13 {
				copy(pdu[4:], []byte{0, ground, 0, 0, 0, pdu[9] & 3, 0, craft})
				if pdu[0]&8 != 0 {
					copy(pdu[4:], []byte{0, craft, 0, 0, 0, byte(id.Sequence), 0, ground})
				}
				pdu[1], pdu[2] = byte((n-12)>>8), byte(n-12)
			}
			_ = e.Receive(now, pdu)
			now = now.Add(time.Duration(n) * time.Second)
			e.Tick(now)
			for range 3 {
				if out, ok := e.Next(now); ok {
					if _, _, err := cfdp.Decode(out); err != nil || len(out) > 64 {
						t.Fatalf("made %x: %v", out, err)
					}
				}
			}
			if n := len(e.Transactions()); n > 4 {
				t.Fatalf("%d transactions", n)
			}
		}
		for _, i := range e.Transactions() {
			if err := e.Cancel(i.ID); err != nil {
				t.Fatal(err)
			}
		}
	})
}
