package hostile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/tender/tendertest"
)

const index = "perilune-tender: Invalid ring index: "

// ringRows are requests and indices of a block ring.
var ringRows = []row{
	{"1 0 B 200", ok, ""},
	{"2 0 B 1000", ok, ""},
	{"2 0 T-200 200", ok, ""},
	{"2 0 X 200", ok, ""},
	// Buffers: above memory, across its end, wrapping, where the guest may not
	// write, and in the ring itself.
	{"1 0 T 200", access, "bounds"},
	{"1 0 T-1ff 200", access, "bounds"},
	{"2 0 T-1ff 200", access, "bounds"},
	{"1 0 fffffffffffffe00 400", access, "bounds"},
	{"1 0 8000000000000000 200", access, "bounds"},
	{"1 0 Q 200", access, "bounds"},
	{"1 0 X 200", access, "zones"},
	{"1 0 10000 200", access, "zones"},
	{"2 0 2000 200", access, "zones"},
	// Lengths and places on the disk of 4 KiB.
	{"1 0 B 0", einval, "length"},
	{"1 0 B 400200", einval, "length"},
	{"1 0 B 80000000", einval, "length"},
	{"1 0 B fffffe00", einval, "length"},
	{"1 0 B 100", einval, "disk"},
	{"1 100 B 200", einval, "disk"},
	{"1 1000 B 200", einval, "disk"},
	{"2 e00 B 400", einval, "disk"},
	{"2 1000 B 200", einval, "disk"},
	{"1 8000000000000000 B 200", einval, "disk"},
	{"1 fffffffffffffe00 B 400", einval, "disk"},
	// Operations that are none, or none of a disk.
	{"0 0 B 200", einval, ""},
	{"3 0 B 200", einval, ""},
	{"ffffffff 0 B 200", einval, ""},
	// Indices that leave the ring.
	{"tail 9", index, "tail"},
	{"tail 80000000", index, "tail"},
	{"tail ffffffff", index, "tail"},
	{"head 1", index, "head"},
	{"head 80000000", index, "head"},
	{"record", fault, "record"},
	{"race", "raced", ""},
}

func init() {
	defences["length"] = []change{{"tender/modules/blockring.go", "s.Len > 0 && s.Len <= hvt.MaxRingTransfer &&", ""},
		{"tender/modules/block.go", "io.Len <= d.capacity-io.Offset &&", ""}}
	defences["tail"] = []change{{"tender/queue/queue.go", "if left > q.depth {", "if false {"}}
	defences["head"] = []change{{"tender/queue/queue.go", "if unread > q.depth {", "if false {"}}
	defences["record"] = []change{{"tender/extension.go", "unix.Mprotect(m.ext.mem[:hvt.RecordSize], unix.PROT_READ)", "error(nil)"}}
}

// runRing is run with a disk of 4 KiB alone.
func runRing(t *testing.T, tender, guest, cmdline string) end {
	t.Helper()
	disk := filepath.Join(t.TempDir(), "ring")
	if err := os.WriteFile(disk, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	e := run(t, tender, guest, cmdline, false, "--block:storage="+disk)
	info, err := os.Stat(disk)
	if err != nil {
		t.Fatal(err)
	}
	e.disk = info.Size()
	return e
}

func TestRings(t *testing.T) {
	guest, tender := tendertest.Guest(t, "ring"), tendertest.Tender(t)
	for _, r := range ringRows {
		if e := runRing(t, tender, guest, r.call); !e.is(r.want) || e.disk != 4096 {
			t.Errorf("%s: want %q: %+v", r.call, r.want, e)
		}
	}
}

// Without its defence, each row of TestRings ends otherwise.
func TestRingControls(t *testing.T) {
	if testing.Short() {
		t.Skip("builds several tenders; left out of short runs")
	}
	guest := tendertest.Guest(t, "ring")
	for _, defence := range []string{"bounds", "zones", "disk", "length", "tail", "head", "record"} {
		t.Run(defence, func(t *testing.T) {
			tender := without(t, defence)
			for _, r := range ringRows {
				if r.defence != defence {
					continue
				}
				if e := runRing(t, tender, guest, r.call); e.is(r.want) && e.disk == 4096 {
					t.Errorf("%s: ends in the same way: %+v", r.call, e)
				}
			}
		})
	}
}
