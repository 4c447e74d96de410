package slot_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/slot"
	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/tender/wire"
)

// keeper is a guest with a disk that is saved and restored; it ends once it is told by the disk.
type keeper struct {
	claim wire.Claim
	disk  *os.File
	file  *os.File // the snapshot
}

// told is where.
const told = 8192

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	k := &keeper{disk: create(t, "disk", make([]byte, told+512)), file: create(t, "snapshot", nil)}
	k.claim = wire.Claim{Guest: "acme/keeper", MemMiB: 2, Save: true,
		Devices: []wire.Device{{Name: "disk", Type: uint8(hvt.Block), Source: wire.File}}}
	return k
}

func create(t *testing.T, name string, content []byte) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	return f
}

// start runs the guest in a new slot until it has said text.
func (k *keeper) start(t *testing.T, text string) (p *pool, said string) {
	t.Helper()
	p = start(t)
	p.claim(t, k.claim, tendertest.Guest(t, "reboot"), k.disk, k.file)
	p.running(t)
	return p, p.until(t, text)
}

// until collects console text.
func (p *pool) until(t *testing.T, text string) (said string) {
	t.Helper()
	for !strings.Contains(said, text) {
		m, ok := p.next(t).(wire.Console)
		if !ok {
			t.Fatalf("%#v before %q", m, text)
		}
		said += string(m.Data)
	}
	return said
}

// answer is what comes that is no console text, and the text before it.
func (p *pool) answer(t *testing.T) (m wire.Message, said string) {
	t.Helper()
	for {
		m = p.next(t)
		c, ok := m.(wire.Console)
		if !ok {
			return m, said
		}
		said += string(c.Data)
	}
}

func (p *pool) send(t *testing.T, m wire.Message) {
	t.Helper()
	if err := p.conn.Send(m); err != nil {
		t.Fatal(err)
	}
}

// A guest is saved out of its slot, behind the second filter, and goes on in another one,
// again and again.
func TestSave(t *testing.T) {
	k := newKeeper(t)
	p, said := k.start(t, "round 3 ")
	p.send(t, wire.Save{Order: 3, Max: 1 << 30})
	_ = p.conn.Send(wire.Save{Order: 3, Max: 1 << 30}) // the same one has one answer; it may be there already
	m, more := p.answer(t)
	info, err := k.file.Stat()
	if err != nil || m != (wire.Saved{Order: 3, Size: uint64(info.Size())}) || info.Size() == 0 {
		t.Fatalf("%#v, the file: %+v, %v", m, info, err)
	}
	if text, _, e := p.finish(t); e != (wire.Exited{Kind: wire.Killed, Reason: "saved"}) || text != "" {
		t.Errorf("saved: %q, %+v", text, e)
	}

	// The next slot reads the snapshot and writes another one.
	saved, next := k.file, create(t, "next", nil)
	k.claim.Restore = true
	p = start(t)
	p.claim(t, k.claim, tendertest.Guest(t, "reboot"), k.disk, saved, next)
	p.running(t)
	again := p.until(t, "round 7 ")
	for n := range 100 {
		line := fmt.Sprintf("round %d ", n)
		if strings.Contains(said+more, line) && strings.Contains(again, line) {
			t.Errorf("%q is in both lives: %q, %q", line, said+more, again)
		}
	}
	p.send(t, wire.Save{Max: 1 << 30})
	if m, _ := p.answer(t); m.(wire.Saved).Size == 0 {
		t.Fatalf("%#v", m)
	}
	p.finish(t)
	k.claim.Save = false
	p = start(t)
	p.claim(t, k.claim, tendertest.Guest(t, "reboot"), k.disk, next)
	p.running(t)
	p.until(t, "round ")
	if _, err := k.disk.WriteAt([]byte{1}, told); err != nil {
		t.Fatal(err)
	}
	if text, _, e := p.finish(t); e.Status != 0 || e.Kind != wire.Halt || !strings.HasSuffix(text, "all rounds\n") {
		t.Errorf("third life: %q, %+v", text, e)
	}
}

// A guest that cannot be saved goes on, and is saved once it can.
func TestUnsaved(t *testing.T) {
	k := newKeeper(t)
	p, _ := k.start(t, "round 1 ")
	for range 2 { // the second time it is the same order, whatever room there is now
		p.send(t, wire.Save{Order: 1, Max: 10000})
		if m, _ := p.answer(t); m != (wire.Unsaved{Order: 1, Reason: "snapshot has more than the 10000 octets that it may have"}) {
			t.Fatalf("%#v", m)
		}
	}
	p.send(t, wire.Save{Order: 1, Max: 1 << 30})
	if m, _ := p.answer(t); m.(wire.Unsaved).Order != 1 {
		t.Fatalf("%#v", m)
	}
	if info, err := k.file.Stat(); err != nil || info.Size() > 10000 {
		t.Errorf("the file has %+v, %v", info, err)
	}
	p.until(t, "round ")
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.PID))
	if err != nil || !bytes.Contains(limits, []byte("Max file size             1")) {
		t.Errorf("no limit of files in %s, %v", limits, err)
	}
	p.send(t, wire.Save{Order: 2, Max: 1 << 30})
	if m, _ := p.answer(t); m.(wire.Saved).Size == 0 || m.(wire.Saved).Order != 2 {
		t.Errorf("%#v", m)
	}
	p.finish(t)

	k.claim.Save = false
	p = start(t)
	p.claim(t, k.claim, tendertest.Guest(t, "reboot"), k.disk)
	p.running(t)
	p.send(t, wire.Save{Order: 1, Max: 1 << 30})
	if m, _ := p.answer(t); m != (wire.Unsaved{Order: 1, Reason: "the claim brought no file for a snapshot"}) {
		t.Errorf("%#v", m)
	}
	p.until(t, "round ")
	p.send(t, wire.Stop{})
	if _, _, e := p.finish(t); e.Kind != wire.Killed || e.Status != 137 {
		t.Errorf("%+v", e)
	}
}

// A snapshot that is none, or does not fit, ends its slot with a reason.
func TestRestoreRefused(t *testing.T) {
	k := newKeeper(t)
	p, _ := k.start(t, "round 1 ")
	p.send(t, wire.Save{Max: 1 << 30})
	p.answer(t)
	p.finish(t)
	whole, err := os.ReadFile(k.file.Name())
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(k.disk.Name())
	if err != nil {
		t.Fatal(err)
	}
	damaged, other := bytes.Clone(whole), bytes.Clone(content)
	damaged[len(damaged)-5000] ^= 1
	other[0] ^= 1
	k.claim.Restore, k.claim.Save = true, false
	for name, c := range map[string]struct {
		file, disk []byte
		mib        uint32
		guest      string
		rule, text string
	}{
		"empty":   {nil, content, 2, "reboot", slot.RuleSnapshot, "truncated"},
		"another": {content, content, 2, "reboot", slot.RuleSnapshot, "is no snapshot"},
		"cut":     {whole[:len(whole)/2], content, 2, "reboot", slot.RuleSnapshot, "truncated"},
		"damaged": {damaged, content, 2, "reboot", slot.RuleSnapshot, "does not have its digest"},
		"disk":    {whole, other, 2, "reboot", slot.RuleMisfit, "digest of block device disk"},
		"memory":  {whole, content, 4, "reboot", slot.RuleMisfit, "memory, octets: saved with 2097152, here 4194304"},
		"program": {whole, content, 2, "clock-disk", slot.RuleMisfit, "manifest"},
	} {
		claim := k.claim
		claim.MemMiB = c.mib
		p := start(t)
		p.claim(t, claim, tendertest.Guest(t, c.guest), create(t, "disk", c.disk), create(t, "snapshot", c.file))
		if r, ok := p.next(t).(wire.Refused); !ok || r.Rule != c.rule || !strings.Contains(r.Reason, c.text) {
			t.Errorf("%s: %+v", name, r)
		}
		if w := p.wait(t); w.ExitStatus() != 1 {
			t.Errorf("%s: ended with %#x", name, w)
		}
	}
}
