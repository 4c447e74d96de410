package cli_test

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
)

// session runs a guest under --gdb and a gdb with the given commands, and
// returns what each said and the tender's exit status.
func session(t *testing.T, kernel, arg string, commands ...string) (debugger, guest string, status int) {
	t.Helper()
	return watched(t, nil, kernel, arg, commands...)
}

// watched is a session in which a function is called with each line that gdb says, and
// gdb's process.
func watched(t *testing.T, watch func(line string, gdb *os.Process), kernel, arg string, commands ...string) (debugger, guest string, status int) {
	t.Helper()
	gdb := tendertest.GDB(t)
	kernel = tendertest.Guest(t, kernel)
	tender := exec.Command(asSolo5(t), "--mem=16", "--gdb", "--gdb-port=0", kernel, arg)
	stderr, err := tender.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	tender.Stdout = &out
	if err := tender.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(6*time.Minute, func() { tender.Process.Kill() })
	defer timer.Stop()
	said := bufio.NewReader(stderr)
	port := waitForPort(t, said)
	args := []string{"-nx", "-batch", "-ex", "set pagination off", "-ex", "set confirm off", "-ex", "target remote localhost:" + port}
	for _, c := range commands {
		args = append(args, "-ex", c)
	}
	debugger = runGDB(t, watch, gdb, append(args, kernel)...)
	rest, _ := io.ReadAll(said)
	_ = tender.Wait()
	return debugger, out.String() + string(rest), tender.ProcessState.ExitCode()
}

func runGDB(t *testing.T, watch func(line string, gdb *os.Process), gdb string, args ...string) string {
	t.Helper()
	cmd := exec.Command(gdb, args...)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
	defer stop.Stop()
	var text strings.Builder
	for lines := bufio.NewReader(pipe); ; {
		line, err := lines.ReadString('\n')
		text.WriteString(line)
		if watch != nil {
			watch(line, cmd.Process)
		}
		if err != nil {
			break
		}
	}
	_ = cmd.Wait()
	return text.String()
}

var portLine = regexp.MustCompile(`target remote localhost:(\d+)`)

func waitForPort(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("tender: %q, %v", line, err)
		}
		if m := portLine.FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
}

func expect(t *testing.T, text string, want ...string) {
	t.Helper()
	at := 0
	for _, w := range want {
		i := strings.Index(text[at:], w)
		if i < 0 {
			t.Fatalf("no %q after octet %d of\n%s", w, at, text)
		}
		at += i + len(w)
	}
}

func TestGDB(t *testing.T) {
	debugger, guest, status := session(t, "debugged", "",
		"break twice", "continue", "print x", "print counter", "bt",
		"set var counter = 100",                   // memory written
		"continue", "print x", "delete", "finish", // out of the function
		"output (*(char*)run = *(char*)run) == 1", // read-only memory written
		"stepi", "print $pc > &run && $pc < (char*)&run + 4096",
		"continue")
	expect(t, debugger, "Breakpoint 1, twice (x", "$1 = 0", "$2 = 5", "#1 ", " in run (", "_start (",
		"Breakpoint 1, twice (x", "$3 = 1", "Value returned is $4 = 2", "0", "$5 = 1", "exited with code 06]")
	expect(t, guest, "Connection from debugger at 127.0.0.1")
	expect(t, guest, "6 103\n")
	if status != 6 {
		t.Errorf("status %d", status)
	}
}

// The processor watches data where it runs the guest itself.
func TestGDBWatch(t *testing.T) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOARCH == "amd64" && !regexp.MustCompile(`(?m)^flags.* (vmx|svm)\b`).Match(text) {
		t.Skip("a software KVM emulates ring 0, and no processor watches data there")
	}
	debugger, _, status := session(t, "debugged", "", "watch counter", "continue", "continue", "delete",
		"awatch counter", "continue", "delete", "continue")
	expect(t, debugger, "Hardware watchpoint 1: counter", "Old value = 5", "New value = 6", "Old value = 6", "New value = 8",
		"Hardware access (read/write) watchpoint 2: counter", "alue = 8", "exited with code 06")
	if status != 6 {
		t.Errorf("status %d", status)
	}
}

// Registers read and written, and instruction by instruction to the end,
// over hypercalls too.
func TestGDBRegisters(t *testing.T) {
	register := map[string]string{"amd64": "$edi", "arm64": "$w0"}[runtime.GOARCH]
	debugger, guest, status := session(t, "debugged", "",
		"break twice", "continue", "delete", "print "+register+" = 20", "stepi 5000")
	expect(t, debugger, "$1 = 20", "exited with code 056]") // 2·20 + 2 + 4, in octal
	expect(t, guest, "46 28\n")
	if status != 46 {
		t.Errorf("status %d", status)
	}
}

func TestGDBEnds(t *testing.T) {
	for _, c := range []struct {
		arg      string
		commands []string
		debugger string
		guest    string
		status   int
	}{
		{"abort", []string{"continue", "print counter", "continue"}, "SIGABRT", "6 8\n", 255},
		{"fault", []string{"continue", "print counter", "continue"}, "SIGSEGV", "host/guest translation fault", 1},
		{"", []string{"break twice", "continue", "detach"}, "detached", "6 8\n", 6},
		{"", []string{"break twice", "continue", "kill"}, "killed", "Debugger asked us to quit", 1},
		{"", []string{"break twice", "continue", "disconnect"}, "twice", "could not receive the next command", 1},
	} {
		debugger, guest, status := session(t, "debugged", c.arg, c.commands...)
		expect(t, debugger, c.debugger)
		expect(t, guest, c.guest)
		if status != c.status {
			t.Errorf("%s %q: status %d, want %d\n%s", c.arg, c.commands, status, c.status, debugger)
		}
	}
}

// interruptFrom interrupts a gdb that tells what it sends, each time that it lets the guest go
// from the nth on.
func interruptFrom(n int) func(line string, gdb *os.Process) {
	return func(line string, gdb *os.Process) {
		if strings.Contains(line, "Sending packet: $vCont;c") {
			if n--; n <= 0 {
				_ = gdb.Signal(os.Interrupt)
			}
		}
	}
}

// A guest that computes, and one that sleeps in a hypercall, can be stopped, looked at, made to
// call a function and let go on.
func TestGDBInterrupt(t *testing.T) {
	for arg, where := range map[string]string{"spin": "spin", "sleep": "sleep_for_ever"} {
		tell, quiet := "set debug remote 1", "set debug remote 0"
		debugger, _, _ := watched(t, interruptFrom(2), "debugged", arg, tell, "break "+where, "continue", "delete", "continue",
			quiet, "print counter >= 8", "bt", "print twice(21)", tell, "continue", quiet, "kill")
		expect(t, debugger, "Breakpoint 1, ", where+" ()", "SIGINT", "$1 = 1", " in run (", "$2 = 42", "SIGINT", "killed")
	}
}

func TestDumpcore(t *testing.T) {
	prog, guest, dir := asSolo5(t), tendertest.Guest(t, "debugged"), t.TempDir()
	for _, c := range []struct {
		arg    string
		status int
		want   int
	}{{"", 6, 0}, {"abort", 255, 1}, {"fault", 1, 2}} {
		stdout, stderr, status := run(t, prog, "--mem=16", "--dumpcore="+dir, guest, c.arg)
		cores, _ := filepath.Glob(filepath.Join(dir, "core.solo5-hvt.*"))
		if stdout != "6 8\n" || status != c.status || len(cores) != c.want {
			t.Fatalf("%q: %q, status %d, cores %q, stderr %q", c.arg, stdout, status, cores, stderr)
		}
		if c.want > 0 && (!strings.Contains(stderr, "solo5-hvt: dumpcore: dumping guest core to: "+dir+"/core.solo5-hvt.") ||
			!strings.Contains(stderr, "pages of total 4096 pages\n")) {
			t.Errorf("stderr %q", stderr)
		}
		if c.arg == "abort" {
			inCore(t, guest, cores[0])
		}
	}
	for _, c := range [][2]string{{"/nonexistent", "dumpcore: cannot open dir\n"}, {guest, "dumpcore: cannot open dir\n"}} {
		_, stderr, status := run(t, prog, "--dumpcore="+c[0], guest)
		if status != 1 || stderr != "solo5-hvt: "+c[1] {
			t.Errorf("%s: status %d, stderr %q", c[0], status, stderr)
		}
	}
}

func inCore(t *testing.T, guest, core string) {
	t.Helper()
	if info, err := os.Stat(core); err != nil || info.Mode().Perm() != 0o600 || info.Size() < 16<<20 {
		t.Errorf("core %+v, %v", info, err)
	}
	if n := inMemory(t, core, symbol(t, guest, "counter")); n != 8 {
		t.Errorf("counter is %d in the core", n)
	}
	t.Run("gdb", func(t *testing.T) {
		gdb := tendertest.GDB(t)
		out, err := exec.Command(gdb, "-nx", "-batch", "-ex", "bt", "-ex", "print counter", guest, core).CombinedOutput()
		if err != nil {
			t.Error(err)
		}
		expect(t, string(out), "halt (status=", "_start (", "$1 = 8")
	})
}

// inMemory gives the 32-bit word at a guest's address in a core file.
func inMemory(t *testing.T, core string, addr uint64) uint32 {
	t.Helper()
	f, err := elf.Open(core)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && addr >= p.Vaddr && addr+4 <= p.Vaddr+p.Filesz {
			word := make([]byte, 4)
			if _, err := p.ReadAt(word, int64(addr-p.Vaddr)); err != nil {
				t.Fatal(err)
			}
			return binary.LittleEndian.Uint32(word)
		}
	}
	t.Fatalf("%#x is not in the core", addr)
	return 0
}

func TestDebugMessages(t *testing.T) {
	prog, guest := asSolo5(t), tendertest.Guest(t, "debugged")
	for _, port := range []string{"x", "65536", "-1", ""} {
		_, stderr, status := run(t, prog, "--gdb-port="+port, guest)
		if status != 1 || stderr != "solo5-hvt: Malformed argument to --gdb-port\n" {
			t.Errorf("%q: status %d, %q", port, status, stderr)
		}
	}
	// The port alone asks for nothing.
	if stdout, _, status := run(t, prog, "--mem=16", "--gdb-port=1", guest); status != 6 || stdout != "6 8\n" {
		t.Error(fmt.Sprint(status, stdout))
	}
}
