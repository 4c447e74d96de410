package tender_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/snapshot"
	"github.com/perilune/perilune/tender/tendertest"
)

// TestMisfits: what does not fit is refused, and the message says what.
func TestMisfits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "snapshot")
	disk := func(fill byte, size int) *modules.Block {
		path := filepath.Join(t.TempDir(), "disk")
		if err := os.WriteFile(path, bytes.Repeat([]byte{fill}, size), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		b, err := modules.NewBlock(f, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	}
	header := func(h *snapshot.Header) {}
	for _, c := range []struct {
		change func(h *snapshot.Header)
		disk   *modules.Block
		vcpus  int
		want   string
	}{
		{header, disk(1, 1024), 0, ""},
		{header, disk(2, 1024), 0, "digest of block device disk"},
		{header, disk(1, 512), 0, "size of block device disk, octets: saved with 1024, here 512"},
		{header, nil, 0, "'disk' of type BLOCK_BASIC declared but not attached"},
		{header, disk(1, 1024), 1, "too many vCPUs"},
		{func(h *snapshot.Header) { h.Arch = "riscv64" }, disk(1, 1024), 0, "architecture: saved with riscv64, here " + runtime.GOARCH},
		{func(h *snapshot.Header) { h.CPU = "perilune-v0" }, disk(1, 1024), 0, "processor: saved with perilune-v0, here "},
		{func(h *snapshot.Header) { h.ABI = 3 }, disk(1, 1024), 0, "ABI: saved with 3, here 2"},
		{func(h *snapshot.Header) { h.CycleFreq *= 2 }, disk(1, 1024), 0, "cycle counter, Hz: saved with "},
		{func(h *snapshot.Header) { h.Mapped += 2 << 20 }, disk(1, 1024), 0, "memory with ring, octets: saved with "},
		{func(h *snapshot.Header) { h.Extension = 0 }, disk(1, 1024), 0, "extension memory, octets: saved with 0, here 2097152"},
		{func(h *snapshot.Header) { h.VCPUs = h.VCPUs[:1] }, disk(1, 1024), 0, "vCPUs: saved with 1, here 2"},
		{func(h *snapshot.Header) { h.VCPUs[0].State = h.VCPUs[0].State[1:] }, disk(1, 1024), 0, "vCPU 0: processor state of "},
		{func(h *snapshot.Header) { h.VCPUs[0].Call = 999 }, disk(1, 1024), 0, "vCPU 0 waits in call 999"},
	} {
		saveChanged(t, file, disk(1, 1024), c.change)
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := snapshot.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := hvt.ParseManifest(r.Header.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		g := tender.Config{Image: &hvt.Image{Manifest: manifest}, VCPUs: c.vcpus}
		if c.disk != nil {
			g.Blocks = map[string]*modules.Block{"disk": c.disk}
		}
		err = newMachine(t).Restore(g, r)
		f.Close()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("want %q: %v", c.want, err)
		}
	}
}

// saveChanged saves a waiting guest with a disk and two vCPUs, and writes it
// with another header.
func saveChanged(t *testing.T, path string, disk *modules.Block, change func(h *snapshot.Header)) {
	t.Helper()
	m, out := newMachine(t), newLines()
	c := config(t, tendertest.Guest(t, "clock-disk"), "1000000")
	c.Console, c.Blocks = out.write, map[string]*modules.Block{"disk": disk}
	if err := m.Load(c); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { m.Run(context.Background()); close(over) }()
	out.until(t, "1")
	f, err := os.CreateTemp(t.TempDir(), "whole")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := m.Snapshot(f, true); err != nil {
		t.Fatal(err)
	}
	<-over
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	r, err := snapshot.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	mem := make(pageMap)
	if err := r.Memory(func(gpa, n uint64) []byte {
		mem[gpa] = make([]byte, n)
		return mem[gpa]
	}); err != nil {
		t.Fatal(err)
	}
	change(r.Header)
	to, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := snapshot.Write(to, r.Header, mem); err != nil {
		t.Fatal(err)
	}
}

// pageMap is memory by runs.
type pageMap map[uint64][]byte

func (p pageMap) ReadMemory(gpa uint64, b []byte) error {
	clear(b)
	for at, run := range p { // runs never cross from one read into another
		if at >= gpa && at-gpa < uint64(len(b)) {
			copy(b[at-gpa:], run)
		}
	}
	return nil
}
