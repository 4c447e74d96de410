package slot_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/tender/wire"
)

// A guest in a slot uses a block ring, behind both filters.
func TestRing(t *testing.T) {
	for call, want := range map[string]string{"1 0 B 200": "0", "2 200 B 400": "0", "1 1000 B 200": "2", "race": "raced"} {
		path := filepath.Join(t.TempDir(), "disk")
		if err := os.WriteFile(path, make([]byte, 4096), 0o644); err != nil {
			t.Fatal(err)
		}
		disk, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer disk.Close()
		p := start(t)
		p.claim(t, wire.Claim{Guest: "acme/ring", MemMiB: 2, Cmdline: call,
			Devices: []wire.Device{{Name: "storage", Type: uint8(hvt.Block), Source: wire.File}}},
			tendertest.Guest(t, "ring"), disk)
		p.running(t)
		if text, _, e := p.finish(t); text != want || e.Status != 99 || e.Kind != wire.Halt {
			t.Errorf("%s: %q, %+v", call, text, e)
		}
	}
}
