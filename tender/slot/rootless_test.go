package slot_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/tender/wire"
	"golang.org/x/sys/unix"
)

// Without root a slot has fewer walls, says which in a line, and runs.
func TestWithoutRoot(t *testing.T) {
	tendertest.NeedKVM(t)
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer kvm.Close()
	var ends [4]*os.File
	for i := 0; i < 4; i += 2 {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		ends[i], ends[i+1] = os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
		defer ends[i+1].Close()
	}
	defer ends[2].Close()
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tendertest.Tender(t), "slot")
	cmd.Stderr, cmd.ExtraFiles = stderr, []*os.File{ends[1], kvm, ends[3]}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: slotUID, Gid: slotUID}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	ends[1].Close()
	conn, err := wire.NewConn(ends[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if m, _, err := conn.Receive(); err != nil || m != (wire.Hello{Version: wire.Version, ABI: hvt.ABIVersion}) {
		t.Fatalf("%#v, %v", m, err)
	}
	said, err := os.ReadFile(stderr.Name())
	if err != nil || strings.Count(string(said), "\n") != 1 || !strings.Contains(string(said), "started without root") {
		t.Errorf("says %q, %v", said, err)
	}
	kernel, err := os.Open(tendertest.Guest(t, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	if err := conn.Send(wire.Claim{Guest: "acme/hello", MemMiB: 2}, kernel); err != nil {
		t.Fatal(err)
	}
	for {
		m, _, err := conn.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := m.(wire.Exited); ok {
			if e.Kind != wire.Halt || e.Status != 0 {
				t.Errorf("%+v", e)
			}
			return
		}
	}
}
