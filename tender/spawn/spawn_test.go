package spawn_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/spawn"
	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/tender/wire"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { tendertest.Main(m) }

// unified finds a cgroup v2 hierarchy that can be written to.
func unified(t *testing.T) string {
	t.Helper()
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(root, &fs) != nil || fs.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		dir, err := os.MkdirTemp(root, "spawntest")
		if err != nil {
			continue
		}
		t.Cleanup(func() { os.Remove(dir) })
		return dir
	}
	t.Skip("needs a cgroup v2 hierarchy that can be written to: run the test as root, in a container one of its own")
	return ""
}

func TestBornInCgroup(t *testing.T) {
	tendertest.NeedKVM(t)
	dir := filepath.Join(unified(t), "slot")
	t.Cleanup(func() { os.Remove(dir) })
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer kvm.Close()
	s, err := spawn.Start(spawn.Spec{Path: tendertest.Tender(t), UID: 54322, GID: 54322, Cgroup: dir, KVM: kvm, Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Data.Close()
	conn, err := wire.NewConn(s.Control)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if m, _, err := conn.Receive(); err != nil {
		t.Fatal(m, err)
	}
	procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil || strings.TrimSpace(string(procs)) != fmt.Sprint(s.PID) {
		t.Errorf("cgroup holds %q, want %d; %v", procs, s.PID, err)
	}
	conn.Send(wire.Stop{})
	var w syscall.WaitStatus
	if _, err := syscall.Wait4(s.PID, &w, 0, nil); err != nil || w.ExitStatus() != 0 {
		t.Errorf("ended with %#x, %v", w, err)
	}
}

// A slot must not start without the walls it was to have.
func TestFailsClosed(t *testing.T) {
	kvm, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer kvm.Close()
	for name, s := range map[string]spawn.Spec{
		"no program":     {Path: "/nonexistent", KVM: kvm},
		"no KVM":         {Path: "/bin/true"},
		"no cgroup":      {Path: "/bin/true", KVM: kvm, Cgroup: "/nonexistent/slot"},
		"no such limits": {Path: "/bin/true", KVM: kvm, Cgroup: t.TempDir() + "/slot", Limits: spawn.Limits{MemoryMax: 1 << 20}},
		"no io limit":    {Path: "/bin/true", KVM: kvm, Cgroup: t.TempDir() + "/slot", Limits: spawn.Limits{IOMax: 1, IODevice: "8:0"}},
	} {
		if slot, err := spawn.Start(s); err == nil {
			t.Errorf("%s: started %d", name, slot.PID)
		}
	}
}
