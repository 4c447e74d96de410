package hostile_test

import (
	"os"
	"runtime"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/tendertest"
)

// Every port there is, written and read in three sizes: eight of them, and
// only written with 32 bits, are calls; everything else ends a guest. The
// machine is driven on from here after each, which the tender never does.
func TestEveryPort(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("needs amd64: other processors have no ports")
	}
	if testing.Short() {
		t.Skip("drives a machine through 393,216 accesses; left out of short runs")
	}
	m := machine(t, tendertest.GuestFrom(t, "ports"), "1")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	calls, others := map[uint32]int{}, 0
	for {
		x, err := m.VCPU().Run()
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case x.Kind == kvm.ExitPort:
			others++
		case x.Kind == kvm.ExitCall && x.Arg == uint64(0xabc00500+x.Number):
			calls[x.Number]++
		case x.Kind == kvm.ExitCall && hvt.Number(x.Number) == hvt.CallHalt:
			for n := uint32(1); n <= 8; n++ {
				if calls[n] != 1 {
					t.Errorf("call %d was made %d times", n, calls[n])
				}
			}
			if len(calls) != 8 || others != 6*65536-8 {
				t.Errorf("%d different calls, %d other accesses", len(calls), others)
			}
			return
		default:
			t.Fatalf("after %d accesses: %+v", others, x)
		}
	}
}

func machine(t *testing.T, path, cmdline string) *tender.Machine {
	t.Helper()
	sys, err := kvm.Open("/dev/kvm")
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close()
	m, err := tender.New(sys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	im, err := hvt.ReadImage(f, info.Size())
	if err == nil {
		err = m.Load(tender.Config{Image: im, Kernel: f, Memory: 2 << 20, Cmdline: cmdline})
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}
