// Package hostile_test lets guests do what no guest may do, to the tender as
// it is built, and each time once more to a tender that lacks the one defence
// the row is about: with it the guest ends as documented, without it something
// else happens. A folder is a guest. Which way of attack is tried on what, and
// where there is none, is in table_test.go.
package hostile_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
	"golang.org/x/sys/unix"
)

// patience bounds a run, also in an emulated machine on a busy one; patienceWithout a run
// without a defence that does not end.
const (
	patience        = 5 * time.Minute
	patienceWithout = 5 * time.Second
)

// end is how a run of the tender ended; the status is -1 if it had to be killed.
type end struct {
	status         int
	stdout, stderr string
	disk           int64 // the disk's size in octets
}

// setup is a guest and what is attached to it: a disk of 4 KiB, a packet
// socket and a channel, whose other ends send back what they get. Those of
// a deaf setup never read.
type setup struct {
	kernel             string
	disk, radio, notes bool
	deaf               bool
}

var setups = map[string]setup{
	"calls": {kernel: "calls", disk: true, radio: true},
	"ring":  {kernel: "ring", disk: true},
	"smp":   {kernel: "smp", disk: true, radio: true, notes: true},
	"deaf":  {kernel: "smp", disk: true, radio: true, notes: true, deaf: true},
	"mmio":  {kernel: "mmio"},
	"cpuid": {kernel: "cpuid"},
}

// path compiles the setup's guest.
func (s setup) path(t *testing.T) string {
	t.Helper()
	if s.kernel == "ring" {
		return tendertest.Guest(t, s.kernel)
	}
	return tendertest.GuestFrom(t, s.kernel)
}

// run runs a guest under the command line's jail.
func run(t *testing.T, tender, guest, cmdline string, within time.Duration) end {
	t.Helper()
	s := setups[guest]
	cmd := exec.Command(tender, "--mem=2")
	disk := filepath.Join(t.TempDir(), "disk")
	if s.disk {
		if err := os.WriteFile(disk, make([]byte, 4096), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd.Args = append(cmd.Args, "--block:storage="+disk)
	}
	if s.radio {
		cmd.ExtraFiles = append(cmd.ExtraFiles, peer(t, s.deaf))
		cmd.Args = append(cmd.Args, "--net:radio=@3")
	}
	if s.notes {
		cmd.ExtraFiles = append(cmd.ExtraFiles, peer(t, s.deaf))
		cmd.Args = append(cmd.Args, "--channel:notes=@4")
	}
	cmd.Args = append(cmd.Args, s.path(t), cmdline)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Start()
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(within, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Wait()
	e := end{status: cmd.ProcessState.ExitCode(), stdout: out.String(), stderr: who.ReplaceAllString(errs.String(), "")}
	if info, err := os.Stat(disk); err == nil {
		e.disk = info.Size()
	}
	return e
}

// who is what stands before a message to say where it happened.
var who = regexp.MustCompile(`vCPU [0-7]: |net ring: `)

// peer gives the guest's end of a socket. At the other end a datagram of 512
// octets has been sent; then, until the guest's end is closed, what comes goes
// back if there is room. A deaf one does neither.
func peer(t *testing.T, deaf bool) *os.File {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "theirs")
	if deaf {
		t.Cleanup(func() { unix.Close(fds[0]) })
		return theirs
	}
	// A network whose device does not take a frame ends the guest: with this much
	// room the other end may be late. Only root may have it.
	_ = unix.SetsockoptInt(fds[1], unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 256<<20)
	if _, err := unix.Write(fds[0], bytes.Repeat([]byte("datagram"), 64)); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 8192)
		for {
			n, err := unix.Read(fds[0], b)
			if err == unix.EINTR {
				continue
			}
			if n <= 0 || err != nil {
				return
			}
			_ = unix.Sendto(fds[0], b[:n], unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, nil)
		}
	}()
	t.Cleanup(func() { <-done; unix.Close(fds[0]) })
	return theirs
}

// Answers: the guest is ended with this message, or lives and is told this, or
// ends by its own HALT.
const (
	access  = "perilune-tender: Invalid guest access: gpa=0x"
	index   = "perilune-tender: Invalid ring index: "
	invalid = "perilune-tender: Invalid "
	fault   = "perilune-tender: KVM: host/guest translation fault: "
	ok      = "0"
	again   = "1"
	einval  = "2"
	alive   = ""
	halted  = "halted with 7"
)

// noCall is how a call ends that the guest may not make.
var noCall = map[string]string{
	"amd64": "perilune-tender: Invalid guest port access: port=0x",
	"arm64": "perilune-tender: Invalid guest mmio access: mmio=0x",
}[runtime.GOARCH]

// noMemory is how the touch of an address ends at which there is nothing.
var noMemory = map[string]string{"amd64": "perilune-tender: KVM: ", "arm64": noCall}[runtime.GOARCH]

// is says whether the run ended as want says and in no other way.
func (e end) is(want string) bool {
	switch {
	case strings.HasPrefix(want, "perilune-tender: "):
		return e.status == 1 && strings.HasPrefix(e.stderr, want) && strings.Count(e.stderr, "\n") == 1
	case want == halted:
		return e.status == 7 && e.stderr == ""
	}
	return e.status == 99 && e.stderr == "" && strings.HasSuffix(e.stdout, want)
}

// TestRows is each row on the tender as it is.
func TestRows(t *testing.T) {
	tender := tendertest.Tender(t)
	for _, r := range rows() {
		t.Run(fmt.Sprintf("%s/%s %s", r.kind, r.guest, r.call), func(t *testing.T) {
			if e := run(t, tender, r.guest, r.call, patience); !e.is(r.want) || setups[r.guest].disk && e.disk != 4096 {
				t.Errorf("%+v, want %q", e, r.want)
			}
		})
	}
}

// Physical addresses that are no memory, and the program's text through a
// mapping of the guest's own that says it may be written.
func TestAddresses(t *testing.T) {
	tender := tendertest.Tender(t)
	where := []string{"T", "80000000", "e0000000", "fec00000", "fed00000", "fee00000", "fffff000", "100000500", "140000000", "3ffffff000"}
	for _, a := range where {
		for _, how := range []string{"r ", "w "} {
			if e := run(t, tender, "mmio", how+a, patience); !e.is(noMemory) {
				t.Errorf("%s%s: %+v", how, a, e)
			}
		}
	}
	if e := run(t, tender, "mmio", "w X", patience); !e.is(fault) {
		t.Errorf("text: %+v", e)
	}
	if e := run(t, tender, "mmio", "r X", patience); !e.is(alive) {
		t.Errorf("reading text: %+v", e)
	}
}
