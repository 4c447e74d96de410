package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
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
		var errs bytes.Buffer
		cmd := exec.Command(prog, args...)
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var s map[string]map[string]bool
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			// A filter reaches all threads at once, but they are looked at one after the other.
			if s = status(t, cmd.Process.Pid); len(s["Seccomp"]) == 1 && s["Seccomp"]["2"] || !jailed && started(cmd.Process.Pid) {
				break
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
		seccomp, caps := len(s["Seccomp"]) == 1 && s["Seccomp"]["2"], len(s["CapEff"]) == 1 && s["CapEff"][none]
		said := strings.Count(errs.String(), "perilune-tender: WARNING: ") == 2
		if seccomp != jailed || said == jailed || jailed && !caps {
			t.Errorf("jailed %v: seccomp %v, capabilities %v, says %q", jailed, s["Seccomp"], s["CapEff"], errs.String())
		}
		if os.Getuid() == 0 && caps != jailed {
			t.Errorf("jailed %v: capabilities %v", jailed, s["CapEff"])
		}
	}
}

// started waits until a process without a jail has had time to run a guest.
func started(pid int) bool {
	time.Sleep(300 * time.Millisecond)
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil
}
