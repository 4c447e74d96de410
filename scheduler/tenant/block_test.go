package tenant

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/missions/store"
	"github.com/perilune/perilune/scheduler/safe"
)

// Each writable device of a mission has a copy of its own that stays from start to start,
// until another version comes.
func TestWritableBlocks(t *testing.T) {
	m := newTestManager(safe.NewRecords(), &noSlots{})
	m.cfg.Scratch = t.TempDir()
	blob := filepath.Join(t.TempDir(), "blob")
	if err := os.WriteFile(blob, []byte("fresh"), 0o600); err != nil {
		t.Fatal(err)
	}
	one := &store.Installed{Tenant: "acme", Name: "a", Digest: "sha256:0123456789abcdef"}
	two := &store.Installed{Tenant: "acme", Name: "a", Digest: "sha256:fedcba9876543210"}
	// use opens both devices as a start does, says what they hold, and writes to them.
	use := func(in *store.Installed, write string) (held [2]string) {
		var files [2]*os.File
		for i, name := range []string{"left", "right"} {
			f, err := m.openBlock(in, name, blob, false)
			if err != nil {
				t.Fatal(err)
			}
			files[i] = f
		}
		for i, f := range files {
			b, err := io.ReadAll(f)
			if err == nil {
				_, err = f.WriteAt([]byte(write), 0)
			}
			if err != nil {
				t.Fatal(err)
			}
			held[i] = string(b)
			f.Close()
		}
		return held
	}
	for i, step := range []struct {
		in          *store.Installed
		write, want string
	}{{one, "first", "fresh"}, {one, "again", "first"}, {two, "other", "fresh"}, {two, "other", "other"}, {one, "", "fresh"}} {
		if got := use(step.in, step.write); got != [2]string{step.want, step.want} {
			t.Errorf("start %d: the devices hold %q, want %q in both", i, got, step.want)
		}
	}
}
