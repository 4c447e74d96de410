package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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

// gdb sees each vCPU as a thread: any of them stops all, each has its registers, one can be
// stepped alone, and two that come to breakpoints at once are both told of.
func TestVCPUsGDB(t *testing.T) {
	for _, c := range []struct {
		arg      string
		commands []string
		debugger []string
		guest    string
		status   int
	}{
		{"ring 5", []string{"info threads", "break writer", "continue", "print count", "set $two = $pc", "info threads", "thread 1", "set $one = $pc",
			"thread 2", "set scheduler-locking on", "stepi", "print $pc != $two", "thread 1", "print $pc == $one",
			"set scheduler-locking off", "delete", "continue"},
			[]string{"* 1 ", "vCPU 0", "Thread 2 hit Breakpoint 1", "$1 = 5", "  1 ", "vCPU 0", "* 2 ", "vCPU 1", "$2 = 1", "$3 = 1", "exited normally"},
			"5 messages, sum ", 0},
		{"ring 20", []string{"break rouse if cpu == 9", "continue"}, []string{"New Thread 2", "exited normally"}, "20 messages, sum ", 0},
		{"halt", []string{"hbreak ender", "continue", "print how", "continue"}, []string{"Thread 2 hit ", "$1 = 7", "exited with code 07"}, "", 7},
		{"abort", []string{"continue", "info threads", "continue"}, []string{"Thread 2 received signal SIGABRT", "* 2 ", "  3 ", "exited with code 0377"}, "", 255},
		{"fault", []string{"continue", "bt", "continue"}, []string{"Thread 2 received signal SIGSEGV", "ender (", "exited with code 01"}, "vCPU 1: ", 1},
		{"park", []string{"stepi 3", "detach"}, []string{"detached"}, "Debugger detached", 0},
	} {
		debugger, guest, status := session(t, "smp", c.arg, c.commands...)
		expect(t, debugger, c.debugger...)
		expect(t, guest, c.guest)
		if status != c.status {
			t.Errorf("%s: status %d, want %d", c.arg, status, c.status)
		}
	}
}

// behindCall are gdb's words for: the instruction before is a hypercall's, which are `out` of 32
// bits and a 32-bit store without an offset.
var behindCall = map[string]string{
	"amd64": "*(unsigned char *)($pc - 1) == 0xef",
	"arm64": "(*(unsigned *)($pc - 4) & 0xfffffc00) == 0xb9000000",
}

// vCPUs that sleep are interrupted together, and go on together. They are interrupted again and
// again until all three are in the call that never returns, which counts once no other call is
// left to make. A function can be called meanwhile: one wakes the first vCPU, whose call then returns in a step.
func TestVCPUsGDBInterrupt(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	asleep := "set $asleep = 0\nwhile $asleep < 4\ncontinue\nset $asleep = started\n" +
		"thread apply all set $asleep = $asleep + (" + behindCall[runtime.GOARCH] + ")\nend\n"
	if err := os.WriteFile(script, []byte(asleep), 0o600); err != nil {
		t.Fatal(err)
	}
	tell, quiet := "set debug remote 1", "set debug remote 0"
	debugger, _, _ := watched(t, interruptFrom(1), "smp", "sleep", tell, "source "+script, quiet, "info threads",
		"set scheduler-locking on", "thread 1", "set $ret = &p.ret", "set $was = $pc", "print nudge(0)", "print $pc == $was",
		"print *$ret", "stepi", "print *$ret", "print $pc != $was", "set scheduler-locking off",
		tell, "source "+script, quiet, "print $asleep", "kill")
	expect(t, debugger, "SIGINT", "Target Id", " park (", " park (", " park (", "$1 = 0", "$2 = 1", "$3 = -1", "$4 = 0", "$5 = 1",
		"SIGINT", "$6 = 4", "killed")
}
