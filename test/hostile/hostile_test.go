// Package hostile_test lets guests do what no guest may do, to the tender as
// it is built, and each time once more to a tender that lacks the one defence
// the row is about: with it the guest ends as documented, without it something
// else happens. A folder is a guest.
//
// Not here: arguments that change while the tender looks at them. One
// processor cannot run during its own hypercall, and the tender copies each
// record before it checks it.
package hostile_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
)

func TestMain(m *testing.M) { tendertest.Main(m) }

// end is how a run of the tender ended.
type end struct {
	status         int
	stdout, stderr string
	disk           int64 // the disk's size in octets
}

// run runs a guest under the command line's jail, with a disk of 4 KiB and a
// packet socket if its manifest wants them.
func run(t *testing.T, tender, guest, cmdline string, devices bool, options ...string) end {
	t.Helper()
	args := append([]string{"--mem=2"}, options...)
	disk := filepath.Join(t.TempDir(), "disk")
	var out, errs bytes.Buffer
	cmd := exec.Command(tender)
	if devices {
		if err := os.WriteFile(disk, make([]byte, 4096), 0o600); err != nil {
			t.Fatal(err)
		}
		fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		theirs := os.NewFile(uintptr(fds[1]), "theirs")
		defer theirs.Close()
		defer syscall.Close(fds[0])
		if _, err := syscall.Write(fds[0], bytes.Repeat([]byte("datagram"), 64)); err != nil {
			t.Fatal(err)
		}
		cmd.ExtraFiles = []*os.File{theirs}
		args = append(args, "--block:storage="+disk, "--net:radio=@3")
	}
	cmd.Args = append(append([]string{"perilune-tender"}, args...), guest, cmdline)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Wait()
	// With 2 MiB there is no room for a net ring, which may be said and is no fault.
	said := strings.Replace(errs.String(), "perilune-tender: Not enough guest memory for ring allocation\n", "", 1)
	e := end{status: cmd.ProcessState.ExitCode(), stdout: out.String(), stderr: said}
	if info, err := os.Stat(disk); err == nil {
		e.disk = info.Size()
	}
	return e
}

// Answers: the guest is ended with this message, or lives and is told this.
const (
	access = "perilune-tender: Invalid guest access: gpa=0x"
	fault  = "perilune-tender: KVM: host/guest translation fault: "
	byKVM  = "perilune-tender: KVM: "
	ok     = "0"
	again  = "1"
	einval = "2"
)

// is says whether the run ended as want says and in no other way.
func (e end) is(want string) bool {
	if strings.HasPrefix(want, "perilune-tender: ") {
		return e.status == 1 && strings.HasPrefix(e.stderr, want) && strings.Count(e.stderr, "\n") == 1
	}
	return e.status == 99 && e.stderr == "" && strings.HasSuffix(e.stdout, want)
}

// row is one hypercall, how it must end, and the defence (controls_test.go)
// without which it ends otherwise; a row without one is what must go on
// working.
type row struct{ call, want, defence string }

var rows = []row{
	// Records at every edge of memory, across it, above it, in low memory.
	{"puts@T-10 0 0", ok, ""},
	{"puts@T-f", access, "bounds"},
	{"puts@T", access, "bounds"},
	{"puts@ffffffff", access, "bounds"},
	{"puts@0", access, "zones"},
	{"puts@2000", access, "zones"},
	{"puts@ffff", access, ""},
	{"halt@T-8", access, "bounds"},
	{"poll@T-10", access, "bounds"},
	{"read@T-20", access, "bounds"},
	{"write@T-20", access, "bounds"},
	{"send@T-10", access, "bounds"},
	{"receive@T-10", access, "bounds"},
	// Records where the tender may read and must not write.
	{"walltime@X", access, "zones"},
	{"walltime@10000", access, "zones"},
	{"walltime@R", ok, ""},
	// Buffers: at the edges, wrapping, huge.
	{"puts T-10 10", ok, ""},
	{"puts B 0", ok, ""},
	{"puts T-10 11", access, "bounds"},
	{"puts T 1", access, "bounds"},
	{"puts B ffffffffffffffff", access, "bounds"},
	{"puts ffffffffffffffff 2", access, "bounds"},
	{"puts 8000000000000000 1", access, "bounds"},
	{"puts 2000 8", access, "zones"},
	{"puts f000 2000", access, "zones"},
	{"halt T-80 0", access, "bounds"},
	{"halt 2000 0", access, "zones"},
	// The disk: 4 KiB.
	{"read 1 0 B 200", ok, ""},
	{"write 1 e00 T-200 200", ok, ""},
	{"read 1 e00 T-1ff 200", access, "bounds"},
	{"read 1 0 X 200", access, "zones"},
	{"read 1 0 10000 200", access, "zones"},
	{"write 1 0 2000 200", access, "zones"},
	{"read 1 1000 B 200", einval, "disk"},
	{"read 1 e00 B 400", einval, "disk"},
	{"read 1 fffffffffffffe00 B 400", einval, "disk"},
	{"read 1 7ffffffffffffe00 B 200", einval, "disk"},
	{"read 1 1 B 200", einval, "disk"},
	{"write 1 200 B 1", einval, "disk"},
	{"write 1 1000 B 200", einval, "disk"},
	{"write 1 e00 B 400", einval, "disk"},
	{"write 1 0 B fffffffffffffe00", einval, "disk"},
	// Handles: none, another device's, beyond the table.
	{"read 0 0 B 200", einval, "handle"},
	{"read 2 0 B 200", einval, "handle"},
	{"read 40 0 B 200", einval, "handle"},
	{"write ffffffffffffffff 0 B 200", einval, "handle"},
	{"send 1 B 10", einval, "handle"},
	{"send 8000000000000000 B 10", einval, "handle"},
	{"receive 3f B 10", einval, "handle"},
	{"receive 100000002 B 10", einval, "handle"},
	// The network.
	{"send 2 B 100", ok, ""},
	{"send 2 B ffffffffffff0000", access, "bounds"},
	{"send 2 2000 10", access, "zones"},
	{"receive 2 B 2000", ok, ""},
	{"receive 2 X 200", access, "zones"},
	{"receive 2 B ffffffffffffffff", access, "bounds"},
	{"receive 2 B 0", again, ""},
	// Buffers that overlap their own record: the answer is written last.
	{"read 1 0 R 200", ok, ""},
	{"read 1 0 R+8 200", ok, ""},
	{"write 1 0 R 200", ok, ""},
	{"receive 2 R 200", ok, ""},
	{"puts R 20", ok, ""},
	// Times.
	{"poll 0", "1", ""},
	{"poll ffffffffffffffff", "1", ""},
}

func TestCalls(t *testing.T) {
	tender, guest := tendertest.Tender(t), tendertest.GuestFrom(t, "calls")
	for _, r := range rows {
		if e := run(t, tender, guest, r.call, true); !e.is(r.want) || e.disk != 4096 {
			t.Errorf("%s: %+v, want %q", r.call, e, r.want)
		}
	}
}

// Physical addresses that are no memory, and the program's text through a
// mapping of the guest's own that says it may be written.
func TestAddresses(t *testing.T) {
	tender, guest := tendertest.Tender(t), tendertest.GuestFrom(t, "mmio")
	where := []string{"T", "80000000", "e0000000", "fec00000", "fed00000", "fee00000", "fffff000", "100000500", "140000000", "3ffffff000"}
	for _, a := range where {
		for _, how := range []string{"r ", "w "} {
			if runtime.GOARCH != "amd64" && a >= "100000500" && len(a) > 8 {
				continue // beyond the guest's tables, which it cannot change from here
			}
			if e := run(t, tender, guest, how+a, false); !e.is(byKVM) {
				t.Errorf("%s%s: %+v", how, a, e)
			}
		}
	}
	if e := run(t, tender, guest, "w X", false); !e.is(fault) {
		t.Errorf("text: %+v", e)
	}
	if e := run(t, tender, guest, "r X", false); !e.is("") {
		t.Errorf("reading text: %+v", e)
	}
}
