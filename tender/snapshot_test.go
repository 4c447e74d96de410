package tender_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/snapshot"
	"github.com/perilune/perilune/tender/tendertest"
	"golang.org/x/sys/unix"
)

// lines collects a guest's console, which never waits, and tells of what comes.
type lines struct {
	lock sync.Mutex
	all  strings.Builder
	each []string
	more chan struct{}
}

func newLines() *lines { return &lines{more: make(chan struct{}, 1)} }

func (l *lines) write(p []byte) error {
	l.lock.Lock()
	l.all.Write(p)
	l.each = append(l.each, string(p))
	l.lock.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return nil
}

func (l *lines) has(text string) bool {
	l.lock.Lock()
	defer l.lock.Unlock()
	return slices.Contains(l.each, text)
}

// until waits for a piece of text.
func (l *lines) until(t *testing.T, text string) {
	t.Helper()
	for deadline := time.After(5 * time.Minute); !l.has(text); {
		select {
		case <-l.more:
		case <-deadline:
			t.Fatalf("no %q on the console", text)
		}
	}
}

// endless are more rounds of the guest "clock-net" than any test waits for: a frame ends it.
const endless = "1000000000"

// packet gives a network and its other end.
func packet(t *testing.T, mac byte) (n *modules.Net, peer int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err = modules.NewPacket(os.NewFile(uintptr(fds[0]), "packet"), [6]byte{2, mac}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close(); unix.Close(fds[1]) })
	return n, fds[1]
}

// end tells the guest "clock-net" that it is enough.
func end(t *testing.T, peer int) {
	t.Helper()
	if _, err := unix.Write(peer, []byte("enough")); err != nil {
		t.Fatal(err)
	}
}

// TestSnapshotGoesOn: a guest that is saved does not notice, and what was saved
// goes on in another machine, from where it was.
func TestSnapshotGoesOn(t *testing.T) {
	m, out := newMachine(t), newLines()
	net, peer := packet(t, 1)
	c := config(t, tendertest.Guest(t, "clock-net"), endless)
	c.Console, c.Nets = out.write, map[string]*modules.Net{"net": net}
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
	end(t, peer)
	if e := <-over; e.Kind != tender.Halt || e.Status != 0 || !strings.HasSuffix(out.all.String(), "jumps 0, beats went on\n") {
		t.Errorf("the saved guest: %+v, %q", e, out.all.String())
	}
	if err := m.Snapshot(file, false); err != tender.ErrOver {
		t.Errorf("a guest that is over was saved: %v", err)
	}

	// In another machine, twice: a snapshot is not used up.
	for range 2 {
		if _, err := file.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
		again := newLines()
		net, peer := packet(t, 1)
		end(t, peer)
		e := restored(t, file, again, net)
		text := again.all.String()
		if e.Kind != tender.Halt || e.Status != 0 || !strings.HasSuffix(text, "jumps 0, beats went on\n") {
			t.Errorf("the restored guest: %+v, %q", e, text)
		}
		if strings.Contains(text, "round 2 ") || !strings.Contains(text, "round ") {
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
	m, out := newMachine(t), newLines()
	net, _ := packet(t, 1)
	c := config(t, tendertest.Guest(t, "clock-net"), endless)
	c.Console, c.Ring, c.Nets = out.write, true, map[string]*modules.Net{"net": net}
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
	again := newLines()
	net, peer := packet(t, 9)
	end(t, peer)
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

func restored(t *testing.T, file *os.File, out *lines, net *modules.Net) tender.Exit {
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
	g := tender.Config{Image: &hvt.Image{Manifest: manifest}, Console: out.write, Nets: map[string]*modules.Net{"net": net}}
	if err := m.Restore(g, r); err != nil {
		t.Fatal(err)
	}
	return m.Run(context.Background())
}
