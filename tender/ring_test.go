package tender_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/tendertest"
	"golang.org/x/sys/unix"
)

// frames of 4 KiB are twice what the socket's buffer takes, and not more: how long a guest that
// is over waits for its peer is bounded.
const (
	frames = 48
	buffer = 100 << 10 // octets; the kernel doubles it, and counts 8 KiB and more a frame
)

// leaving starts a guest that leaves frames in its ring, for a peer that does
// not read yet, and then is over, or, if then is ".", waits for ever.
func leaving(t *testing.T, guest, then string) (m *tender.Machine, peer int, over <-chan tender.Exit) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_SNDBUF, buffer); err != nil {
		t.Fatal(err)
	}
	net, err := modules.NewPacket(os.NewFile(uintptr(fds[0]), "packet"), [6]byte{2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { net.Close(); unix.Close(fds[1]) })
	var out *lines
	m, out = newMachine(t), newLines()
	c := config(t, tendertest.Guest(t, guest), strconv.Itoa(frames)+then)
	c.Console, c.Ring, c.Nets = out.write, true, map[string]*modules.Net{"net": net}
	if err := m.Load(c); err != nil {
		t.Fatal(err)
	}
	end := make(chan tender.Exit, 1)
	go func() { end <- m.Run(context.Background()) }()
	out.until(t, "left\n")
	return m, fds[1], end
}

// readAll counts the frames that come until none comes for a while.
func readAll(t *testing.T, peer int) (n int) {
	t.Helper()
	patience := unix.Timeval{Sec: 60}
	if err := unix.SetsockoptTimeval(peer, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 8192); n < frames; n++ {
		if got, err := unix.Read(peer, b); err != nil || got != 4096 {
			t.Logf("frame %d: %d octets, %v", n, got, err)
			break
		}
	}
	return n
}

// What a guest left in its ring is sent after its HALT, also when the socket
// was full then.
func TestLeftInRing(t *testing.T) {
	for _, guest := range []string{"left", "left-two"} {
		_, peer, over := leaving(t, guest, "")
		if n := readAll(t, peer); n != frames {
			t.Errorf("%s: %d frames", guest, n)
		}
		if e := <-over; e != (tender.Exit{Kind: tender.Halt}) {
			t.Errorf("%s: %+v", guest, e)
		}
	}
}

// A peer that never reads does not keep a guest from its end, nor does it keep
// one alive that is told to stop.
func TestPeerThatNeverReads(t *testing.T) {
	for _, guest := range []string{"left", "left-two"} {
		_, _, over := leaving(t, guest, "")
		if e := <-over; e != (tender.Exit{Kind: tender.Halt}) {
			t.Errorf("%s: %+v", guest, e)
		}
		m, _, over := leaving(t, guest, ".")
		m.Stop()
		if e := <-over; e.Kind != tender.Killed {
			t.Errorf("%s, stopped: %+v", guest, e)
		}
	}
}

// A snapshot waits for what is on its way to a full socket, and neither loses
// it nor takes the wait for the guest's end.
func TestSnapshotBesideFullSocket(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "snapshot"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m, peer, over := leaving(t, "left", ".")
	saved := make(chan error, 1)
	for waits := false; !waits; { // until the guest has filled the socket
		go func() { saved <- m.Snapshot(file, false) }()
		select {
		case err := <-saved:
			if err != nil {
				t.Fatal(err)
			}
		case e := <-over:
			t.Fatalf("it ended the guest: %+v", e)
		case <-time.After(100 * time.Millisecond):
			waits = true
		}
	}
	if n := readAll(t, peer); n != frames {
		t.Errorf("%d frames", n)
	}
	if err := <-saved; err != nil {
		t.Error(err)
	}
	m.Stop()
	if e := <-over; e.Kind != tender.Killed {
		t.Errorf("%+v", e)
	}
}
