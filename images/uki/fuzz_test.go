package uki

import (
	"bytes"
	"debug/pe"
	"os"
	"testing"
)

// Whatever passes for a stub, the result is a PE file with our sections, or
// there is an error.
func FuzzStub(f *testing.F) {
	if b, err := os.ReadFile(Stub["amd64"]); err == nil {
		f.Add(b[:0x400]) // all headers; the rest would only slow the fuzzer down
	}
	f.Add([]byte("MZ"))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := appendSections(b, []section{{".cmdline", []byte("quiet")}, {".linux", make([]byte, 100)}})
		if err != nil {
			return
		}
		p, err := pe.NewFile(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if s := p.Sections[len(p.Sections)-1]; s.Name != ".linux" || s.VirtualSize != 100 {
			t.Errorf("last section %q of %d octets", s.Name, s.VirtualSize)
		}
	})
}
