package slot_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/tender/slot"
	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/tender/wire"
	"golang.org/x/sys/unix"
)

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
		t.Skip("needs root: only root can give a slot its own uid and namespaces; run the test as root")
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
