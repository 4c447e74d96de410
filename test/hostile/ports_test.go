package hostile_test

import (
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/tendertest"
)

// Every port there is, written and read in three sizes: eight of them, and
// only written with 32 bits, are calls; everything else ends a guest.
func TestEveryPort(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("needs amd64: other processors have no ports")
	}
	if testing.Short() {
		t.Skip("393,216 accesses of a machine take long: left out of -short")
	}
	everyAccess(t, 1, kvm.ExitPort, 6*65536, func(call uint32) uint64 { return uint64(0xabc00500 + call) })
}

// Every aligned address of the first 2 KiB, where the calls are, and one in each 4 MiB of the gigabyte,
// written and read in four sizes: eight of them, and only written with 32 bits, are calls.
func TestEveryAddress(t *testing.T) {
	if runtime.GOARCH != "arm64" {
		t.Skip("needs arm64: calls are made at ports here")
	}
	const first, gigabyte, step = 2048, 1 << 30, 4 << 20
	near, far := 2*first*(8+4+2+1)/8, 2*4*(gigabyte/step)
	everyAccess(t, step, kvm.ExitMMIO, near+far, func(call uint32) uint64 { return uint64(0xabc00000 + 8*call) })
}

// everyAccess drives a machine on after each access, which the tender never does. arg is what the
// guest leaves at a call.
func everyAccess(t *testing.T, step int, other kvm.ExitKind, accesses int, arg func(call uint32) uint64) {
	m := machine(t, tendertest.GuestFrom(t, "ports"), strconv.Itoa(step))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	calls, others := map[uint32]int{}, 0
	for {
		x, err := m.VCPU().Run()
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case x.Kind == other:
			others++
		case x.Kind == kvm.ExitCall && x.Arg == arg(x.Number):
			calls[x.Number]++
		case x.Kind == kvm.ExitCall && hvt.Number(x.Number) == hvt.CallHalt:
			for n := uint32(1); n <= 8; n++ {
				if calls[n] != 1 {
					t.Errorf("call %d was made %d times", n, calls[n])
				}
			}
			if len(calls) != 8 || others != accesses-8 {
				t.Errorf("%d different calls, %d other accesses, want %d", len(calls), others, accesses-8)
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
