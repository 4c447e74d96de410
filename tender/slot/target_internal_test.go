package slot

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/snapshot"
)

type nothing struct{}

func (nothing) ReadMemory(_ uint64, b []byte) error { clear(b); return nil }

// What is spoiled is no snapshot, however much of it was written.
func TestSpoil(t *testing.T) {
	manifest, err := hvt.Manifest{}.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	h := &snapshot.Header{Memory: hvt.MemoryStep, Mapped: hvt.MemoryStep, Manifest: manifest, VCPUs: []snapshot.VCPU{{Begun: true}}}
	f, err := os.Create(filepath.Join(t.TempDir(), "snapshot"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	to := &target{f: f, left: 1 << 20}
	if err := to.spoil(); err != nil {
		t.Errorf("spoil nothing: %v", err)
	}
	if err := snapshot.Write(to, h, nothing{}); err != nil {
		t.Fatal(err)
	}
	check := func() error {
		in, err := os.Open(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		_, err = snapshot.Check(in)
		return err
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	if err := to.spoil(); err != nil {
		t.Fatal(err)
	}
	if err := check(); !errors.Is(err, snapshot.ErrNotOne) {
		t.Errorf("spoiled: %v", err)
	}
}
