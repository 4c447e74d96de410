package tender_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/snapshot"
	"github.com/perilune/perilune/tender/tendertest"
	"golang.org/x/sys/unix"
)

// lines collects a guest's console and tells of each line.
type lines struct {
	all  strings.Builder
	each chan string
}

func newLines() *lines { return &lines{each: make(chan string, 1000)} }

func (l *lines) write(p []byte) error {
	l.all.Write(p)
	for line := range strings.Lines(string(p)) {
		l.each <- line
	}
	return nil
}

// until waits for a piece of text.
func (l *lines) until(t *testing.T, text string) {
	t.Helper()
	for deadline := time.After(60 * time.Second); ; {
		select {
		case line := <-l.each:
			if line == text {
				return
			}
		case <-deadline:
			t.Fatalf("no %q on the console", text)
		}
	}
}

// TestSnapshotGoesOn: a guest that is saved does not notice, and what was saved
// goes on in another machine, from where it was.
func TestSnapshotGoesOn(t *testing.T) {
	const rounds = "12"
	m, out := newMachine(t), newLines()
	c := config(t, tendertest.Guest(t, "clock"), rounds)
	c.Console = out.write
	if err := m.Load(c); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "snapshot"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	over := make(chan tender.Exit, 1)
	go func() { over <- m.Run(context.Background()) }()
	out.until(t, "3")
	if err := m.Snapshot(file, false); err != nil {
		t.Fatal(err)
	}
	if e := <-over; e.Kind != tender.Halt || e.Status != 0 || !strings.HasSuffix(out.all.String(), "jumps 0, beats went on\n") {
		t.Errorf("the saved guest: %+v, %q", e, out.all.String())
	}
	if err := m.Snapshot(file, false); err != tender.ErrOver {
		t.Errorf("a guest that is over was saved: %v", err)
	}
	before := out.all.String()

	// In another machine, twice: a snapshot is not used up.
	for range 2 {
		if _, err := file.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
		again := newLines()
		e := restored(t, file, again)
		text := again.all.String()
		if e.Kind != tender.Halt || e.Status != 0 || !strings.HasSuffix(text, "jumps 0, beats went on\n") {
			t.Errorf("the restored guest: %+v, %q", e, text)
		}
		if strings.Contains(text, "round 2 ") || !strings.Contains(text, "round 11 ") || len(text) >= len(before) {
			t.Errorf("it did not go on where it was: %q", text)
		}
	}
}

// A guest that never makes a hypercall is saved as well, and spins on; a
// snapshot that is asked for too early waits for it to begin.
func TestSnapshotOfSpinner(t *testing.T) {
	m := newMachine(t)
	if err := m.Load(config(t, tendertest.Guest(t, "hostile"), "spin")); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "snapshot"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	saved := make(chan error, 1)
	go func() { saved <- m.Snapshot(file, false) }()
	select {
	case err := <-saved:
		t.Fatalf("saved before it ran: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	over := make(chan tender.Exit, 1)
	go func() { over <- m.Run(context.Background()) }()
	if err := <-saved; err != nil {
		t.Fatal(err)
	}
	if err := m.Snapshot(file, true); err != nil {
		t.Fatal(err)
	}
	if e := <-over; e != (tender.Exit{Kind: tender.Killed, Reason: tender.Saved}) {
		t.Errorf("%+v", e)
	}
}

// A network comes with Solo5's ring, whose indices are saved too; another MTU
// is refused, and the MAC is the one that the guest knows.
func TestSnapshotWithNet(t *testing.T) {
	packet := func(mac byte) *modules.Net {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		n, err := modules.NewPacket(os.NewFile(uintptr(fds[0]), "packet"), [6]byte{2, mac})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close(); unix.Close(fds[1]) })
		return n
	}
	m, out := newMachine(t), newLines()
	c := config(t, tendertest.Guest(t, "clock-net"), "8")
	c.Console, c.Ring, c.Nets = out.write, true, map[string]*modules.Net{"net": packet(1)}
	if err := m.Load(c); err != nil {
		t.Fatal(err)
	}
	over := make(chan tender.Exit, 1)
	go func() { over <- m.Run(context.Background()) }()
	out.until(t, "3")
	file, err := os.Create(filepath.Join(t.TempDir(), "snapshot"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := m.Snapshot(file, true); err != nil {
		t.Fatal(err)
	}
	<-over
	if _, err := file.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	r, err := snapshot.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := hvt.ParseManifest(r.Header.Manifest)
	if err != nil || len(r.Header.Rings) != 1 || len(r.Header.Nets) != 1 {
		t.Fatalf("%+v, %v", r.Header.Rings, err)
	}
	again, net := newLines(), packet(9)
	next := newMachine(t)
	g := tender.Config{Image: &hvt.Image{Manifest: manifest}, Console: again.write, Ring: true, Nets: map[string]*modules.Net{"net": net}}
	if err := next.Restore(g, r); err != nil {
		t.Fatal(err)
	}
	if mac := net.Attachment().MAC; mac != [6]byte{2, 1} {
		t.Errorf("MAC %x", mac)
	}
	if e := next.Run(context.Background()); e.Kind != tender.Halt || e.Status != 0 || !strings.HasSuffix(again.all.String(), "jumps 0, beats went on\n") {
		t.Errorf("%+v, %q", e, again.all.String())
	}
}

func restored(t *testing.T, file *os.File, out *lines) tender.Exit {
	t.Helper()
	r, err := snapshot.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := hvt.ParseManifest(r.Header.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t)
	if err := m.Restore(tender.Config{Image: &hvt.Image{Manifest: manifest}, Console: out.write}, r); err != nil {
		t.Fatal(err)
	}
	return m.Run(context.Background())
}

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
