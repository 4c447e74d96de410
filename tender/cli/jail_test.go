package cli_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/perilune/perilune/tender/tendertest"
	"golang.org/x/sys/unix"
)

// status reads what the kernel says of every thread of a process.
func status(t *testing.T, pid int) map[string]map[string]bool {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]bool{}
	for _, task := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
		if err != nil {
			continue // the thread has ended
		}
		for line := range strings.Lines(string(b)) {
			k, v, _ := strings.Cut(strings.TrimSpace(line), ":")
			if out[k] == nil {
				out[k] = map[string]bool{}
			}
			out[k][strings.TrimSpace(v)] = true
		}
	}
	return out
}

// The command line is jailed without being asked, and says loudly when it is
// asked not to be.
func TestJailed(t *testing.T) {
	prog, guest := tendertest.Tender(t), tendertest.Guest(t, "hostile")
	none := strings.Repeat("0", 16)
	for _, jailed := range []bool{true, false} {
		args := []string{"--mem=2", guest, "spin"}
		if !jailed {
			args = append([]string{"--no-jail"}, args...)
		}
		cmd := exec.Command(prog, args...)
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
		lines, warnings := bufio.NewScanner(stderr), 0
		hear := func() bool {
			heard := lines.Scan()
			warnings += strings.Count(lines.Text(), "perilune-tender: WARNING: ")
			return heard
		}
		for !jailed && warnings < 2 && hear() {
		}
		var s map[string]map[string]bool
		for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			// A filter reaches all threads at once, but they are looked at one after the other.
			if s = status(t, cmd.Process.Pid); len(s["Seccomp"]) == 1 && s["Seccomp"]["2"] || !jailed && started(cmd.Process.Pid) {
				break
			}
		}
		cmd.Process.Kill()
		for hear() {
		}
		cmd.Wait()
		timer.Stop()
		seccomp, caps := len(s["Seccomp"]) == 1 && s["Seccomp"]["2"], len(s["CapEff"]) == 1 && s["CapEff"][none]
		said := warnings == 2
		if seccomp != jailed || said == jailed || jailed && !caps {
			t.Errorf("jailed %v: seccomp %v, capabilities %v, %d warnings", jailed, s["Seccomp"], s["CapEff"], warnings)
		}
		if os.Getuid() == 0 && caps != jailed {
			t.Errorf("jailed %v: capabilities %v", jailed, s["CapEff"])
		}
	}
}

// The kernel is asked to take the processors apart, as its own record of the
// process says.
func TestLeftBehind(t *testing.T) {
	params := make([]byte, 120)
	ring, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(unsafe.SliceData(params))), 0)
	if errno != 0 {
		t.Skipf("needs io_uring: %v; sysctl kernel.io_uring_disabled=0 allows it where the kernel has it", errno)
	}
	unix.Close(int(ring))
	cmd := exec.Command(tendertest.Tender(t), "--mem=2", tendertest.Guest(t, "hostile"), "spin")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	var records string
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if records = ringRecords(cmd.Process.Pid); strings.Contains(records, "kvm-vcpu:0") {
			return
		}
	}
	t.Errorf("no ring of the tender's has its processor: %q", records)
}

// ringRecords is what the kernel says of the process' rings of io_uring.
func ringRecords(pid int) string {
	var out strings.Builder
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || to != "anon_inode:[io_uring]" {
			continue
		}
		b, _ := os.ReadFile(strings.Replace(link, "/fd/", "/fdinfo/", 1))
		out.Write(b)
	}
	return out.String()
}

// started waits until a process without a jail has had time to run a guest.
func started(pid int) bool {
	time.Sleep(300 * time.Millisecond)
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil
}
