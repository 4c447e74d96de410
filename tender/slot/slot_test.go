package slot_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/tender/slot"
	"github.com/perilune/perilune/tender/spawn"
	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/tender/wire"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { tendertest.Main(m) }

const slotUID = 54321

// pool is one started slot, past its Hello.
type pool struct {
	*spawn.Slot
	conn   *wire.Conn
	stderr *os.File
	status syscall.WaitStatus
	reaped bool
	kept   []wire.Recalled
}

func start(t *testing.T) *pool {
	t.Helper()
	tendertest.NeedKVM(t)
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer kvm.Close()
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := spawn.Start(spawn.Spec{Path: tendertest.Tender(t), UID: slotUID, GID: slotUID, KVM: kvm, Stderr: stderr})
	if err != nil {
		t.Fatal(err)
	}
	p := &pool{Slot: s, stderr: stderr}
	t.Cleanup(func() {
		syscall.Kill(p.PID, syscall.SIGKILL)
		p.wait(t)
		p.Data.Close()
	})
	if p.conn, err = wire.NewConn(s.Control); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.conn.Close() })
	if m := p.next(t); m != (wire.Hello{Version: wire.Version, ABI: hvt.ABIVersion}) {
		t.Fatalf("first message %#v", m)
	}
	return p
}

func (p *pool) wait(t *testing.T) syscall.WaitStatus {
	t.Helper()
	for !p.reaped {
		_, err := syscall.Wait4(p.PID, &p.status, 0, nil)
		if err != nil && err != syscall.EINTR {
			t.Fatal(err)
		}
		p.reaped = err == nil
	}
	return p.status
}

func (p *pool) next(t *testing.T) wire.Message {
	t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	m, _, err := p.conn.Receive()
	if err != nil {
		log, _ := os.ReadFile(p.stderr.Name())
		t.Fatalf("receive: %v; slot ended with %#x and says %q", err, p.wait(t), log)
	}
	return m
}

// claim gives the slot a guest and waits until it runs.
func (p *pool) claim(t *testing.T, c wire.Claim, kernel string, more ...*os.File) {
	t.Helper()
	f, err := os.Open(kernel)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := p.conn.Send(c, append([]*os.File{f}, more...)...); err != nil {
		t.Fatal(err)
	}
}

func (p *pool) running(t *testing.T) {
	t.Helper()
	if m := p.next(t); m != (wire.Claimed{}) {
		t.Fatalf("after the claim: %#v", m)
	}
	if m := p.next(t); m != (wire.Started{}) {
		t.Fatalf("after Claimed: %#v", m)
	}
}

// finish collects console text until Exited, and holds the process to it.
func (p *pool) finish(t *testing.T) (text string, dropped int, e wire.Exited) {
	t.Helper()
	for {
		switch m := p.next(t).(type) {
		case wire.Console:
			dropped = int(m.Offset) - len(text)
			text += string(m.Data)
		case wire.Recalled:
			p.kept = append(p.kept, m)
		case wire.Exited:
			if _, _, err := p.conn.Receive(); err != io.EOF {
				t.Errorf("after Exited: %v", err)
			}
			if w := p.wait(t); !w.Exited() || w.ExitStatus() != int(m.Status) {
				t.Errorf("process ended with %#x, message says %d", w, m.Status)
			}
			return text, dropped, m
		default:
			t.Fatalf("unexpected %#v", m)
		}
	}
}

func TestHello(t *testing.T) {
	for arg, want := range map[string]wire.Exited{
		"":    {Status: 0, Kind: wire.Halt},
		"1":   {Status: 1, Kind: wire.Halt},
		"255": {Status: 255, Kind: wire.Abort, Reason: "guest aborted"},
	} {
		p := start(t)
		p.claim(t, wire.Claim{Guest: "acme/hello", MemMiB: 2, Cmdline: arg}, tendertest.Guest(t, "hello"))
		p.running(t)
		if text, _, e := p.finish(t); text != "hello\n" || e != want {
			t.Errorf("%q: %q, %+v", arg, text, e)
		}
	}
}

// Text that comes long after the slot's own messages, whose time to be sent
// is bounded, is the guest's still.
func TestLateConsole(t *testing.T) {
	p := start(t)
	p.claim(t, wire.Claim{Guest: "acme/late", MemMiB: 2}, tendertest.Guest(t, "late"))
	p.running(t)
	if text, dropped, e := p.finish(t); text != "early\nlate\n" || dropped != 0 || e.Status != 0 {
		t.Errorf("%q, %d dropped, %+v", text, dropped, e)
	}
}

// The slot must be shut in before it is handed anything, and more so after.
func TestJail(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: only root can give a slot its own uid and namespaces")
	}
	p := start(t)
	look := func(when string) {
		t.Helper()
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
		if err != nil {
			t.Fatal(err)
		}
		fields := map[string]string{}
		for _, line := range strings.Split(string(status), "\n") {
			k, v, _ := strings.Cut(line, ":")
			fields[k] = strings.TrimSpace(v)
		}
		uid := fmt.Sprintf("%d\t%d\t%d\t%d", slotUID, slotUID, slotUID, slotUID)
		none := strings.Repeat("0", 16)
		for k, want := range map[string]string{"Uid": uid, "Gid": uid, "Groups": "", "CapInh": none, "CapPrm": none,
			"CapEff": none, "CapBnd": none, "CapAmb": none, "NoNewPrivs": "1", "Seccomp": "2"} {
			if fields[k] != want {
				t.Errorf("%s: %s is %q, want %q", when, k, fields[k], want)
			}
		}
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/root/", p.PID))
		if err != nil || len(files) != 0 {
			t.Errorf("%s: the root folder has %v, %v", when, files, err)
		}
		for _, ns := range []string{"mnt", "pid", "net", "ipc", "uts"} {
			ours, err1 := os.Readlink("/proc/self/ns/" + ns)
			theirs, err2 := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", p.PID, ns))
			if err1 != nil || err2 != nil || ours == theirs {
				t.Errorf("%s: %s namespace %s is shared with %s (%v, %v)", when, ns, theirs, ours, err1, err2)
			}
		}
	}
	look("waiting")
	p.claim(t, wire.Claim{Guest: "acme/spin", MemMiB: 2, Cmdline: "spin"}, tendertest.Guest(t, "hostile"))
	p.running(t)
	look("running")
	if err := p.conn.Send(wire.Stop{}); err != nil {
		t.Fatal(err)
	}
	if _, _, e := p.finish(t); e.Kind != wire.Killed || e.Status != 137 {
		t.Errorf("stopped: %+v", e)
	}
}

func TestPacket(t *testing.T) {
	radio := []wire.Device{{Name: "radio", Type: uint8(hvt.Net), Source: wire.SlotPacket}}
	p := start(t)
	p.claim(t, wire.Claim{Guest: "acme/echo", MemMiB: 2, Cmdline: "echo", Devices: radio}, tendertest.Guest(t, "packet"))
	p.running(t)
	p.Data.SetDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 8192)
	for _, size := range []int{1, 1001, hvt.PacketMax} {
		sent := bytes.Repeat([]byte{byte(size)}, size)
		sent[0] = hvt.PacketTelecommand
		if _, err := p.Data.Write(sent); err != nil {
			t.Fatal(err)
		}
		n, err := p.Data.Read(buf)
		sent[0] = hvt.PacketTelemetry
		if err != nil || !bytes.Equal(buf[:n], sent) {
			t.Fatalf("%d octets came back as %d, %v", size, n, err)
		}
	}
	if text, _, e := p.finish(t); text != "4096\n" || e.Status != 0 {
		t.Errorf("%q, %+v", text, e)
	}

	for arg, want := range map[string]string{"timeout": "", "limits": "220"} {
		p := start(t)
		p.claim(t, wire.Claim{Guest: "acme/" + arg, MemMiB: 2, Cmdline: arg, Devices: radio}, tendertest.Guest(t, "packet"))
		p.running(t)
		if text, _, e := p.finish(t); text != want || (arg == "timeout" && e.Status != 0) {
			t.Errorf("%s: %q, %+v", arg, text, e)
		}
	}
}

// Stop must reach a guest wherever it is: running, waiting in POLL, waiting
// for room in a full socket.
func TestStop(t *testing.T) {
	radio := []wire.Device{{Name: "radio", Type: uint8(hvt.Net), Source: wire.SlotPacket}}
	for arg, guest := range map[string]string{"spin": "hostile", "wait": "packet", "full": "packet"} {
		p := start(t)
		c := wire.Claim{Guest: "acme/" + arg, MemMiB: 2, Cmdline: arg}
		if guest == "packet" {
			c.Devices = radio
		}
		p.claim(t, c, tendertest.Guest(t, guest))
		p.running(t)
		time.Sleep(100 * time.Millisecond)
		before := time.Now()
		if err := p.conn.Send(wire.Stop{}); err != nil {
			t.Fatal(err)
		}
		if _, _, e := p.finish(t); e.Kind != wire.Killed || e.Status != 137 {
			t.Errorf("%s: %+v", arg, e)
		}
		t.Logf("%s: stopped after %v", arg, time.Since(before))
	}
	// A slot nobody claims goes in peace.
	p := start(t)
	p.conn.Send(wire.Stop{})
	if w := p.wait(t); w.ExitStatus() != 0 {
		t.Errorf("unclaimed: %#x", w)
	}
	// A guest that nobody holds any more ends too.
	p = start(t)
	p.claim(t, wire.Claim{Guest: "acme/orphan", MemMiB: 2, Cmdline: "spin"}, tendertest.Guest(t, "hostile"))
	p.running(t)
	p.conn.Close()
	if w := p.wait(t); w.ExitStatus() != 137 {
		t.Errorf("orphan: %#x", w)
	}
}

// 8 MB of console that nobody reads: the guest must not wait for it, and what
// is lost must be counted.
func TestConsoleFlood(t *testing.T) {
	p := start(t)
	p.claim(t, wire.Claim{Guest: "acme/flood", MemMiB: 2, Cmdline: "flood"}, tendertest.Guest(t, "hostile"))
	if w := p.wait(t); w.ExitStatus() != 0 {
		t.Fatalf("flooding guest ended with %#x", w)
	}
	p.running(t)
	text, dropped, e := p.finish(t)
	if e.Kind != wire.Halt || len(text)+dropped != 2000*4096 || len(text) == 0 {
		t.Errorf("%d octets arrived, %d dropped, %+v", len(text), dropped, e)
	}
}

func TestBlock(t *testing.T) {
	disk, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	disk.Write(make([]byte, 4096))
	storage := wire.Device{Name: "storage", Type: uint8(hvt.Block), Source: wire.File, SectorSize: 512}
	run := func(d wire.Device, arg string) (string, wire.Exited) {
		p := start(t)
		p.claim(t, wire.Claim{Guest: "acme/block", MemMiB: 2, Cmdline: arg, Devices: []wire.Device{d}},
			tendertest.Guest(t, "block"), disk)
		p.running(t)
		text, _, e := p.finish(t)
		return text, e
	}
	if text, e := run(storage, "copy"); text != "4096 512\n" || e.Status != 0 {
		t.Errorf("copy: %q, %+v", text, e)
	}
	readOnly := storage
	readOnly.ReadOnly = true
	if _, e := run(readOnly, "write"); e.Status != uint8(hvt.ResultUnspecified) {
		t.Errorf("write to a read-only device: %+v", e)
	}

	// The file shrinks under the guest: a short read ends it.
	p := start(t)
	f, err := os.Open(tendertest.Guest(t, "block"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	small, err := os.Create(filepath.Join(t.TempDir(), "small"))
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	small.Truncate(512)
	if err := p.conn.Send(wire.Claim{Guest: "acme/block", MemMiB: 2, Cmdline: "late", Devices: []wire.Device{storage}}, f, small); err != nil {
		t.Fatal(err)
	}
	small.Truncate(0)
	for {
		m := p.next(t)
		if r, ok := m.(wire.Refused); ok && r.Rule == slot.RuleInternal {
			return // it had shrunk before the device was attached
		}
		if e, ok := m.(wire.Exited); ok {
			if e.Status != 0 && (e.Status != 1 || e.Reason != "Fatal error: read only 0 out of 512 bytes") {
				t.Errorf("short read: %+v", e)
			}
			return
		}
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := tendertest.Guest(t, "hello")
	text := file("text", bytes.Repeat([]byte("x"), 200))
	foreign := file("foreign", hvttest.ELF(hvttest.Spec{Machine: 8}))
	for name, c := range map[string]struct {
		claim  wire.Claim
		kernel string
		rule   string
		reason string
	}{
		"text":    {wire.Claim{MemMiB: 2}, text, slot.RuleImage, "invalid executable"},
		"machine": {wire.Claim{MemMiB: 2}, foreign, slot.RuleImage, "invalid executable"},
		"memory":  {wire.Claim{MemMiB: 3}, good, slot.RuleMemory, "3 MiB"},
		"huge":    {wire.Claim{MemMiB: 1 << 31}, good, slot.RuleMemory, "MiB"},
		"missing": {wire.Claim{MemMiB: 2}, tendertest.Guest(t, "block"), slot.RuleManifest, "Device 'storage' of type BLOCK_BASIC declared but not attached."},
		"extra": {wire.Claim{MemMiB: 2, Devices: []wire.Device{{Name: "radio", Type: 2, Source: wire.SlotPacket}}}, good,
			slot.RuleManifest, "Resource not declared in manifest: 'radio'"},
		"twice": {wire.Claim{MemMiB: 2, Devices: []wire.Device{{Name: "radio", Type: 2, Source: wire.SlotPacket},
			{Name: "radio2", Type: 2, Source: wire.SlotPacket}}}, good, slot.RuleClaim, "one packet socket"},
		"files":   {wire.Claim{MemMiB: 2, Devices: []wire.Device{{Name: "disk", Type: 1, Source: wire.File}}}, good, slot.RuleClaim, "1 files for a claim of 2"},
		"cmdline": {wire.Claim{MemMiB: 2, Cmdline: strings.Repeat("x", 8192)}, good, slot.RuleClaim, "too long"},
		"odd":     {wire.Claim{MemMiB: 2, Devices: []wire.Device{{Name: "x", Type: 9, Source: wire.SlotPacket}}}, good, slot.RuleDevice, "type 9"},
	} {
		p := start(t)
		p.claim(t, c.claim, c.kernel)
		r, ok := p.next(t).(wire.Refused)
		if !ok || r.Rule != c.rule || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s: %+v", name, r)
		}
		if w := p.wait(t); w.ExitStatus() != 1 {
			t.Errorf("%s: ended with %#x", name, w)
		}
	}
}

// Garbage instead of a claim ends the slot, not with a crash.
func TestGarbage(t *testing.T) {
	p := start(t)
	if _, err := unix.Write(p.conn.Fd(), []byte("garbage")); err != nil {
		t.Fatal(err)
	}
	if w := p.wait(t); !w.Exited() || w.ExitStatus() != 1 {
		t.Errorf("ended with %#x", w)
	}
	if _, _, err := p.conn.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

// A slot makes the vCPUs that its guest declares, inside its walls.
func TestVCPUs(t *testing.T) {
	for arg, status := range map[string]uint8{"start": 0, "ring 2000": 0, "halt": 7} {
		p := start(t)
		p.claim(t, wire.Claim{Guest: "acme/smp", MemMiB: 2, Cmdline: arg}, tendertest.Guest(t, "smp"))
		p.running(t)
		for {
			m := p.next(t)
			if _, ended := m.(wire.Exited); !ended {
				continue
			}
			if m != (wire.Exited{Status: status, Kind: wire.Halt}) {
				t.Errorf("%s: %#v", arg, m)
			}
			break
		}
	}
}
