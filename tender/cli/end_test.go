package cli_test

import (
	"bytes"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
)

// Each row is a control in itself: a guest that survives exits with 99.
func TestHostile(t *testing.T) {
	prog, guest := asSolo5(t), tendertest.Guest(t, "hostile")
	access, port := "solo5-hvt: Invalid guest access: gpa=0x", "solo5-hvt: Invalid guest port access: port=0x"
	mmio := "solo5-hvt: Invalid guest mmio access: mmio=0x"
	arch := map[string]struct{ call0, call9, above, pc string }{
		"amd64": {"solo5-hvt: Invalid guest hypercall: num=0\n", port, "solo5-hvt: KVM: ", "rip"},
		"arm64": {mmio + "100000000\n", mmio + "100000048\n", mmio + "201000\n", "pc"},
	}[runtime.GOARCH]
	// These are of amd64: ports, halting, and an end by an exception without a handler,
	// in which an arm64 processor goes round for ever.
	amd64 := map[string]bool{"port-byte": true, "port-in": true, "port-other": true, "hlt": true, "triple": true}
	for arg, want := range map[string]string{
		"record-at-top": access, "record-above": access, "record-4g": access, "record-zero": access,
		"record-in-text": access, "record-in-boot-info": access,
		"puts-above": access, "puts-across": access, "puts-wrap": access, "puts-64bit": access, "puts-tables": access,
		"cookie": access,
		"call-0": arch.call0, "call-9": arch.call9, "port-byte": port, "port-in": port, "port-other": port,
		"write-text": "solo5-hvt: KVM: host/guest translation fault: " + arch.pc + "=0x10",
		"hlt":        "solo5-hvt: KVM: unhandled exit: exit_reason=0x5, rip=0x10",
		"triple":     "solo5-hvt: KVM: unhandled exit: exit_reason=0x8, rip=0x", // some processors reset rip
		"read-above": arch.above,
	} {
		if runtime.GOARCH != "amd64" && amd64[arg] {
			continue
		}
		_, stderr, status := run(t, prog, "--mem=2", guest, arg)
		if status != 1 || !strings.HasPrefix(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %q, want %q", arg, status, stderr, want)
		}
	}
	if stdout, stderr, status := run(t, prog, "--mem=2", guest, "puts-edge"); status != 0 || len(stdout) != 18 {
		t.Errorf("puts-edge: status %d, %q, %q", status, stdout, stderr)
	}
	if _, stderr, status := run(t, prog, "--mem=2", guest, "status"); status != 0x34 || stderr != "" {
		t.Errorf("a status of 0x1234 exits as %#x, %q", status, stderr)
	}
}

func TestSignal(t *testing.T) {
	prog, guest := asSolo5(t), tendertest.Guest(t, "clock")
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		var errs bytes.Buffer
		cmd := exec.Command(prog, "--mem=2", guest, "1000000")
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // from now on it must be heard
			t.Error(err)
		}
		cmd.Process.Signal(sig)
		timer := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
		cmd.Wait()
		timer.Stop()
		want := map[syscall.Signal]string{syscall.SIGTERM: "15", syscall.SIGINT: "2"}[sig]
		if cmd.ProcessState.ExitCode() != 1 || errs.String() != "solo5-hvt: Exiting on signal "+want+"\n" {
			t.Errorf("%v: %v, %q", sig, cmd.ProcessState, errs.String())
		}
	}
}
