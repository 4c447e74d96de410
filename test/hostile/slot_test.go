package hostile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/spawn"
	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/tender/wire"
)

// pool is a slot with a guest running in it.
type pool struct {
	*spawn.Slot
	conn *wire.Conn
}

// start claims a slot for a guest with so many disks of one sector, d00 and so on.
func start(t *testing.T, tender, guest, cmdline string, disks int) *pool {
	t.Helper()
	kernel, err := os.Open(tendertest.GuestFrom(t, guest))
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	claim, files := wire.Claim{Guest: "acme/" + guest, MemMiB: 2, Cmdline: cmdline}, []*os.File{kernel}
	for i := range disks {
		f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Truncate(512); err != nil {
			t.Fatal(err)
		}
		claim.Devices = append(claim.Devices, wire.Device{Name: fmt.Sprintf("d%02d", i), Type: uint8(hvt.Block), Source: wire.File, SectorSize: 512})
		files = append(files, f)
	}
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer kvm.Close()
	s, err := spawn.Start(spawn.Spec{Path: tender, UID: 54331, GID: 54331, KVM: kvm, Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	p := &pool{Slot: s}
	t.Cleanup(func() {
		syscall.Kill(p.PID, syscall.SIGKILL)
		syscall.Wait4(p.PID, nil, 0, nil)
		p.Data.Close()
	})
	if p.conn, err = wire.NewConn(s.Control); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.conn.Close() })
	p.conn.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := p.conn.Receive(); err != nil {
		t.Fatal(err)
	}
	if err := p.conn.Send(claim, files...); err != nil {
		t.Fatal(err)
	}
	for m := wire.Message(nil); m != (wire.Started{}); {
		if m, _, err = p.conn.Receive(); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// read collects console text for a while; ended is nil if the guest lives.
func (p *pool) read(d time.Duration) (octets, messages int, ended *wire.Exited) {
	p.conn.SetReadDeadline(time.Now().Add(d))
	for {
		m, _, err := p.conn.Receive()
		if err != nil {
			return octets, messages, nil
		}
		switch m := m.(type) {
		case wire.Console:
			octets, messages = octets+len(m.Data), messages+1
		case wire.Exited:
			return octets, messages, &m
		}
	}
}

// Stop ends whatever a guest does.
func TestStop(t *testing.T) {
	prog := tendertest.Tender(t)
	for _, what := range []string{"spin", "poll", "calls", "flood", "spins", "parks"} {
		p := start(t, prog, "spin", what, 0)
		p.read(100 * time.Millisecond)
		if err := p.conn.Send(wire.Stop{}); err != nil {
			t.Fatal(err)
		}
		if _, _, e := p.read(patience); e == nil || e.Kind != wire.Killed || e.Status != 137 {
			t.Errorf("%s: %+v", what, e)
		}
	}
	if testing.Short() {
		return
	}
	// It is heard all the same where it comes before the guest runs: that is chance.
	prog = without(t, "stop")
	for try := 1; ; try++ {
		p := start(t, prog, "spin", "spin", 0)
		p.read(100 * time.Millisecond)
		p.conn.Send(wire.Stop{})
		_, _, e := p.read(time.Second)
		if e == nil {
			return
		}
		if try == tries {
			t.Fatalf("control: ended without being interrupted, %d times: %+v", try, e)
		}
	}
}

// A guest that talks without end gets its share and no more, also when
// somebody listens to all of it.
func TestFlood(t *testing.T) {
	const octetRate, messageRate, leastOctets, leastMessages = 64 << 10, 200, 64<<10 - 4096, 100
	// flood listens for two seconds, and longer until enough has come. It also gives the
	// share of that time: a burst, then a steady rate.
	flood := func(prog, what string, enough func(octets, messages int, share float64) bool) (octets, messages int, share float64) {
		began := time.Now()
		p := start(t, prog, "spin", what, 0)
		for {
			o, m, ended := p.read(2 * time.Second)
			if ended != nil {
				t.Fatalf("%s: %+v", what, ended)
			}
			octets, messages, share = octets+o, messages+m, 1+time.Since(began).Seconds()
			if enough(octets, messages, share) || time.Since(began) > patience {
				return octets, messages, share
			}
		}
	}
	prog := tendertest.Tender(t)
	if octets, _, share := flood(prog, "flood", func(o, _ int, _ float64) bool { return o >= leastOctets }); float64(octets) > share*octetRate || octets < leastOctets {
		t.Errorf("flood: %d octets, the share is %.0f", octets, share*octetRate)
	}
	if _, messages, share := flood(prog, "drip", func(_, m int, _ float64) bool { return m >= leastMessages }); float64(messages) > share*messageRate || messages < leastMessages {
		t.Errorf("drip: %d messages, the share is %.0f", messages, share*messageRate)
	}
	if testing.Short() {
		return
	}
	prog = without(t, "console")
	if octets, _, share := flood(prog, "flood", func(o, _ int, share float64) bool { return float64(o) > share*octetRate }); float64(octets) <= share*octetRate {
		t.Errorf("control: only %d octets without a limit", octets)
	}
	t.Run("control", func(t *testing.T) {
		emulated := tendertest.Prepared()
		switch _, messages, share := flood(prog, "drip", func(_, m int, share float64) bool { return emulated || float64(m) > share*messageRate }); {
		case float64(messages) > share*messageRate:
		case emulated:
			t.Skipf("needs a machine that is not emulated: only %d messages without a limit here", messages)
		default:
			t.Errorf("only %d messages without a limit", messages)
		}
	})
}

// A guest that declares all that there is, and uses it all at once, lives within
// the jail's limits of files and threads; a tender that lacks a thread crashes.
func TestMost(t *testing.T) {
	p := start(t, tendertest.Tender(t), "most", "", 31)
	p.conn.SetReadDeadline(time.Now().Add(patience))
	for m := wire.Message(nil); ; {
		var err error
		if m, _, err = p.conn.Receive(); err != nil {
			t.Fatal(err)
		}
		if e, ended := m.(wire.Exited); ended {
			t.Fatalf("%+v", e)
		}
		if _, ok := m.(wire.Console); ok {
			break
		}
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.PID))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d threads", len(threads))
	if _, _, e := p.read(2 * time.Second); e != nil {
		t.Fatalf("%+v", e)
	}
	if err := p.conn.Send(wire.Stop{}); err != nil {
		t.Fatal(err)
	}
	if _, _, e := p.read(patience); e == nil || e.Kind != wire.Killed || e.Status != 137 {
		t.Errorf("%+v", e)
	}
}
