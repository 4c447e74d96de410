package hostile_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/tender/tendertest"
)

// change is one edit of the tender's source that takes a defence away.
type change struct{ file, old, new string }

// defences, by name, and what takes each away.
var defences = map[string][]change{
	"bounds": {{"tender/memory.go", "func (m *memory) slice(gpa, n uint64, allowed func(zone) bool) ([]byte, error) {",
		`func (m *memory) slice(gpa, n uint64, allowed func(zone) bool) ([]byte, error) {
	if end := m.limit; gpa >= end || n > end-gpa {
		return m.b[gpa : gpa+n], nil
	}`}},
	"zones": {{"tender/memory.go", "z.start < gpa+n && !allowed(z)", "z.start < gpa+n && !allowed(z) && false"}},
	"disk": {{"tender/modules/block.go", "return io.Offset < d.capacity &&",
		"return true || io.Offset < d.capacity &&"}},
	"handle": {
		{"tender/hypercalls.go", "io.Handle < hvt.MaxEntries && m.blocks[io.Handle] != nil", "true"},
		{"tender/hypercalls.go", "io.Handle < hvt.MaxEntries && m.nets[io.Handle] != nil", "true"},
	},
	"protection": {{"tender/memory.go", "err := unix.Mprotect(m.b[start:end], prot)", "err := error(nil)"}},
	"stop":       {{"tender/kvm/vcpu.go", "tid := c.tid.Load(); tid != 0", "tid := c.tid.Load(); tid == -1"}},
	"console":    {{"tender/slot/console.go", "c.allow(float64(n)) && c.send", "c.send"}},
}

// without builds the tender that lacks one defence.
func without(t *testing.T, defence string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for _, c := range defences[defence] {
		path := filepath.Join(root, c.file)
		from := path
		if replace[path] != "" {
			from = replace[path]
		}
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), c.old) {
			t.Fatalf("%s has no %q any more", c.file, c.old)
		}
		replace[path] = filepath.Join(dir, filepath.Base(c.file))
		if err := os.WriteFile(replace[path], []byte(strings.ReplaceAll(string(b), c.old, c.new)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	prog, err := tendertest.BuildTender("-overlay", file)
	if err != nil {
		t.Fatal(err)
	}
	return prog
}

// Without its defence, each row of TestCalls ends otherwise: the tender
// crashes, shows what it should not, or enlarges the tenant's disk.
func TestControls(t *testing.T) {
	if testing.Short() {
		t.Skip("builds several tenders; left out of short runs")
	}
	guest := tendertest.GuestFrom(t, "calls")
	for _, defence := range []string{"bounds", "zones", "disk", "handle"} {
		t.Run(defence, func(t *testing.T) {
			tender := without(t, defence)
			for _, r := range rows {
				if r.defence != defence {
					continue
				}
				if e := run(t, tender, guest, r.call, true); e.is(r.want) && e.disk == 4096 {
					t.Errorf("%s: ends in the same way: %+v", r.call, e)
				}
			}
		})
	}
	t.Run("protection", func(t *testing.T) {
		if e := run(t, without(t, "protection"), tendertest.GuestFrom(t, "mmio"), "w X", false); !e.is("") {
			t.Errorf("text cannot be written: %+v", e)
		}
	})
}
