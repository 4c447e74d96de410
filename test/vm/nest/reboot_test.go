package nest_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/test/nest"
	"github.com/perilune/perilune/test/nest/wire"
)

// Where things are in the nests of TestReboot.
const (
	tenderPath  = "/tendertest/perilune-tender"
	rebootGuest = "/tendertest/reboot.hvt"
	saved       = wire.DiskPath + "/guest.snapshot"
	device      = wire.DiskPath + "/device"
	changed     = wire.DiskPath + "/changed"
)

// A guest is saved, the power is cut, and another kernel boots, whose clock says the next day.
// There the guest goes on: its monotonic clock has neither stopped short nor seen the night, its
// wall clock has, its disk and its ring are as they were. With another disk it does not.
func TestReboot(t *testing.T) {
	needs(t)
	for _, arch := range []string{"arm64", "amd64"} {
		t.Run(arch, func(t *testing.T) { reboot(t, arch) })
	}
}

func reboot(t *testing.T, arch string) {
	before, after := saveAndRestore(t, arch)
	// A kernel that boots in an emulator measures how fast its cycle counter is, on a busy machine
	// wrongly. By another counter no guest goes on, and rightly so.
	for tries := 1; strings.Contains(after[2].Output+after[3].Output, "cycle counter, Hz: "); tries++ {
		if tries == 5 {
			t.Fatalf("refused %d times, which chance does not do: %s", tries, after[3].Output)
		}
		t.Log(after[3].Output)
		before, after = saveAndRestore(t, arch)
	}

	if before[0].Output == after[0].Output || before[0].Status != 0 || after[0].Status != 0 {
		t.Errorf("boots %q and %q", before[0].Output, after[0].Output)
	}
	if r := before[1]; r.Status != 0 || !strings.Contains(r.Output, "snapshot: wrote "+saved) || strings.Contains(r.Output, "all rounds") {
		t.Fatalf("save: %+v", r)
	}
	if r := after[2]; r.Status != 1 || !strings.Contains(r.Output, "snapshot does not fit: digest of block device disk: saved with ") {
		t.Errorf("with another disk: %+v", r)
	}
	if r := after[3]; r.Status != 0 || !strings.HasSuffix(r.Output, "all rounds\n") {
		t.Fatalf("restored: %+v", r)
	}
	// It may have been saved in the middle of a line.
	hz, list := rounds(t, before[1].Output+after[3].Output)
	var a, b round // before and after the night
	for i, r := range list[1:] {
		if r.number != list[i].number+1 {
			t.Errorf("round %d came after round %d", r.number, list[i].number)
		}
		if b.number == 0 && r.wall > list[i].wall+uint64(time.Hour) {
			a, b = list[i], r
		}
	}
	monotonic, wall := float64(b.cycles-a.cycles)/float64(hz), time.Duration(b.wall-a.wall)
	if b.cycles <= a.cycles || monotonic > limit.Seconds() || wall < 23*time.Hour {
		t.Errorf("between two rounds the counter moved from %d to %d, %.3f s, and the wall clock by %v", a.cycles, b.cycles, monotonic, wall)
	}
	t.Logf("over the reboot the guest's monotonic clock moved by %.3f s, its wall clock by %v", monotonic, wall)
}

// saveAndRestore is what was said in the boot in which the guest is saved, and in the next.
func saveAndRestore(t *testing.T, arch string) (before, after []nest.Result) {
	t.Helper()
	c := rebootConfig(t, arch)
	c.Clock = time.Date(2031, 3, 1, 12, 0, 0, 0, time.UTC)
	disk := "--block:disk=" + device
	before = boot(t, c, []string{"/bin/hand", "boot"},
		[]string{"/bin/hand", "signal", "round 5 ", tenderPath, "--mem=2", "--snapshot=" + saved, "--snapshot-exit", disk, rebootGuest})
	c.Clock = c.Clock.AddDate(0, 0, 1)
	after = boot(t, c, []string{"/bin/hand", "boot"}, []string{"/bin/hand", "change", device, changed},
		[]string{tenderPath, "--restore=" + saved, "--block:disk=" + changed}, []string{"/bin/hand", "set", device, "round ", tenderPath, "--restore=" + saved, disk})
	return before, after
}

// rebootConfig is a nest with a disk that has the guest's device.
func rebootConfig(t *testing.T, arch string) nest.Config {
	t.Helper()
	dir := t.TempDir()
	prepared, content := filepath.Join(dir, "tendertest"), filepath.Join(dir, "content")
	for _, d := range []string{prepared, content} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := tendertest.Prepare(prepared, arch); err != nil {
		t.Fatal(err)
	}
	sectors := bytes.Repeat([]byte("perilune"), 1024) // and behind them what tells the guest that it is enough
	if err := os.WriteFile(filepath.Join(content, path.Base(device)), append(sectors, make([]byte, 512)...), 0o600); err != nil {
		t.Fatal(err)
	}
	hand := filepath.Join(dir, "hand")
	command(t, []string{"CGO_ENABLED=0", "GOARCH=" + arch}, "go", "build", "-o", hand, "./testdata/hand")
	c := nest.Config{Arch: arch, Cache: cache, Limit: limit, Disk: filepath.Join(dir, "disk.ext4"),
		Programs: map[string]string{"/bin/hand": hand}}
	for _, p := range []string{tenderPath, rebootGuest} {
		c.Programs[p] = filepath.Join(prepared, path.Base(p))
	}
	command(t, []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin"}, "mkfs.ext4", "-q", "-d", content, c.Disk, "16M")
	return c
}

func command(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, said)
	}
}

// boot runs the programs in one boot of the nest.
func boot(t *testing.T, c nest.Config, programs ...[]string) []nest.Result {
	t.Helper()
	for _, args := range programs {
		c.Jobs = append(c.Jobs, wire.Job{Args: args})
	}
	results, err := nest.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// round is what the guest says of one.
type round struct{ number, cycles, wall uint64 }

func rounds(t *testing.T, output string) (hz uint64, list []round) {
	t.Helper()
	for line := range strings.Lines(output) {
		var r round
		if _, err := fmt.Sscanf(line, "round %d cycles %d wall %d", &r.number, &r.cycles, &r.wall); err == nil {
			list = append(list, r)
		}
		_, _ = fmt.Sscanf(line, "hz %d", &hz) // the first line of the first life
	}
	if len(list) == 0 {
		t.Fatalf("no round in %q", output)
	}
	return hz, list
}
