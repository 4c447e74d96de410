package slot_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/slot"
	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/tender/wire"
)

func TestPacket(t *testing.T) {
	radio := []wire.Device{{Name: "radio", Type: uint8(hvt.Net), Source: wire.SlotPacket}}
	p := start(t)
	p.claim(t, wire.Claim{Guest: "acme/echo", MemMiB: 2, Cmdline: "echo", Devices: radio}, tendertest.Guest(t, "packet"))
	p.running(t)
	p.Data.SetDeadline(time.Now().Add(2 * time.Minute))
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
