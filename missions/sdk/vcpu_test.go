package sdk_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions/sdk"
)

// pairSum is what the example prints for 20,000 messages; made by
// python3 -c 's=0
// for i in range(20000): s=(s*31+((i*0x9e3779b97f4a7c15&2**64-1)^i>>7))&2**64-1
// print("%016x"%s)'.
const pairSum = "20000 messages, 0 wrong, sum 18e0692eedbe1c50\n"

// TestVCPUs runs the example with two vCPUs, and a program that asks for what
// vcpu.c refuses.
func TestVCPUs(t *testing.T) {
	if err := unix.Access("/dev/kvm", unix.R_OK|unix.W_OK); err != nil {
		t.Skipf("needs /dev/kvm: %v; without it test/vm/nest runs guests, in an emulated machine", err)
	}
	tender := filepath.Join(t.TempDir(), "tender")
	if said, err := exec.Command("go", "build", "-o", tender, "../../cmd/perilune-tender").CombinedOutput(); err != nil {
		t.Fatalf("build the tender: %v: %s", err, said)
	}
	build := func(dir, source string, devices ...hvt.Entry) string {
		dir, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		kernel := filepath.Join(t.TempDir(), "guest.hvt")
		_, err = sdk.Build(context.Background(), sdk.Project{Dir: dir, Name: "guest", Sources: []string{source},
			Manifest: hvt.Manifest{Entries: devices}, Arch: runtime.GOARCH, Out: kernel})
		if errors.Is(err, sdk.ErrTools) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return kernel
	}
	pair := build("../examples/pair", "main.c", hvt.Extend("vcpus", hvt.VCPUs, 2))
	if out, status := tenderRun(t, tender, pair, "20000"); status != 0 || out != pairSum {
		t.Errorf("pair: status %d, %q", status, out)
	}
	const three = "count 3, self 0\nrefused 2 2 2 2 2, zero 1\nstarted 0, again 1\nvCPU 1 has 42, own 5 6\nreturned, woken 0, over 1\n"
	if out, status := tenderRun(t, tender, build("testdata", "vcpu.c", hvt.Extend("vcpus", hvt.VCPUs, 3)), ""); status != 0 || out != three {
		t.Errorf("three vCPUs: status %d, %q", status, out)
	}
	const one = "count 1, self 0\nalone 2 2 1\n"
	if out, status := tenderRun(t, tender, build("testdata", "vcpu.c"), ""); status != 0 || out != one {
		t.Errorf("one vCPU: status %d, %q", status, out)
	}
}
