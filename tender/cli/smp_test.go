package cli_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/tender/tendertest"
)

// Guests with several vCPUs inside the jail of a command line.
func TestVCPUs(t *testing.T) {
	prog, guest := tendertest.Tender(t), tendertest.Guest(t, "smp")
	for _, c := range []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{guest, "start"}, 0, ""},
		{[]string{guest, "park"}, 0, ""},
		{[]string{guest, "halt"}, 7, ""},
		{[]string{guest, "abort"}, 255, "perilune-tender: vCPU 1: guest aborted\n"},
		{[]string{guest, "fault"}, 1, "perilune-tender: vCPU 1: "},
		{[]string{"--vcpus-max=2", guest, "start"}, 1, "perilune-tender: too many vCPUs: it declares 3, at most 2 are granted\n"},
		{[]string{"--vcpus-max=0", guest}, 1, "perilune-tender: Malformed argument to --vcpus-max: 1 to 8\n"},
	} {
		stdout, stderr, status := run(t, prog, append([]string{"--mem=2"}, c.args...)...)
		if status != c.status || !strings.HasPrefix(stderr, c.stderr) || c.stderr == "" && stderr != "" {
			t.Errorf("%q: status %d, %q, stderr %q", c.args, status, stdout, stderr)
		}
	}
}

// A core file shows each vCPU as a thread to gdb, the one that aborted first.
func TestVCPUsDumpcore(t *testing.T) {
	gdb := tendertest.GDB(t)
	prog, guest, dir := tendertest.Tender(t), tendertest.Guest(t, "smp"), t.TempDir()
	if _, stderr, status := run(t, prog, "--mem=2", "--dumpcore="+dir, guest, "abort"); status != 255 {
		t.Fatalf("status %d, %q", status, stderr)
	}
	cores, err := filepath.Glob(dir + "/core.*")
	if err != nil || len(cores) != 1 {
		t.Fatalf("%v, %v", cores, err)
	}
	text, err := exec.Command(gdb, "-nx", "-batch", "-ex", "info threads", "-ex", "thread 1", "-ex", "bt", guest, cores[0]).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, want := range []string{"* 1 ", "  2 ", "  3 ", "ender ("} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

// gdb is not shown one vCPU of several as if it were all.
func TestVCPUsGDB(t *testing.T) {
	_, stderr, status := run(t, tendertest.Tender(t), "--mem=2", "--gdb", "--gdb-port=0", tendertest.Guest(t, "smp"), "start")
	if status != 1 || !strings.Contains(stderr, "--gdb: this guest has 3 vCPUs") {
		t.Errorf("status %d, %q", status, stderr)
	}
}
