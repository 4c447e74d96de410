package tender_test

import (
	"context"
	"os"
	"path/filepath"
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
	for deadline := time.After(5 * time.Minute); ; {
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
