package spacelink

import (
	"os"
	"path/filepath"
	"testing"
)

// A recording ends at its bound, within a piece too; the count of what passed goes on.
func TestRecorderIsBounded(t *testing.T) {
	dir := t.TempDir()
	r, err := newRecorder(dir, "down.sent")
	if err != nil {
		t.Fatal(err)
	}
	defer r.f.Close()
	r.most = 10
	for range 4 {
		if err := r.add([]byte("octets")); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "down.sent.raw")); err != nil || string(got) != "octetsocte" || r.n.Load() != 24 {
		t.Errorf("%q, %d, %v", got, r.n.Load(), err)
	}
}
