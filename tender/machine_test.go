package tender_test

import (
	"context"
	"debug/elf"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/tendertest"
)

func TestMain(m *testing.M) { tendertest.Main(m) }

func newMachine(t *testing.T) *tender.Machine {
	t.Helper()
	tendertest.NeedKVM(t)
	sys, err := kvm.Open("/dev/kvm")
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close()
	m, err := tender.New(sys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func config(t *testing.T, path, cmdline string) tender.Config {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	im, err := hvt.ReadImage(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return tender.Config{Image: im, Kernel: f, Memory: 2 << 20, Cmdline: cmdline}
}

func TestRun(t *testing.T) {
	for arg, want := range map[string]tender.Exit{
		"0": {Status: 0, Kind: tender.Halt}, "1": {Status: 1, Kind: tender.Halt},
		"255": {Status: 255, Kind: tender.Abort, Reason: "guest aborted"},
	} {
		m := newMachine(t)
		c := config(t, tendertest.Guest(t, "hello"), arg)
		var text strings.Builder
		c.Console = func(p []byte) error { text.Write(p); return nil }
		if err := m.Load(c); err != nil {
			t.Fatal(err)
		}
		if e := m.Run(context.Background()); e != want || text.String() != "hello\n" {
			t.Errorf("%s: %+v, %q", arg, e, text.String())
		}
		if err := m.Load(c); err == nil {
			t.Error("a machine took a second guest")
		}
	}
}

func TestContextEndsGuest(t *testing.T) {
	for _, after := range []time.Duration{0, 50 * time.Millisecond} {
		m := newMachine(t)
		if err := m.Load(config(t, tendertest.Guest(t, "hostile"), "spin")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), after)
		if e := m.Run(ctx); e.Kind != tender.Killed {
			t.Errorf("after %v: %+v", after, e)
		}
		cancel()
	}
}

func TestConsoleError(t *testing.T) {
	m := newMachine(t)
	c := config(t, tendertest.Guest(t, "hello"), "")
	c.Console = func([]byte) error { return &modules.FatalError{Text: "Fatal error when writing: gone"} }
	if err := m.Load(c); err != nil {
		t.Fatal(err)
	}
	if e := m.Run(context.Background()); e.Kind != tender.Internal || e.Reason != "Fatal error when writing: gone" {
		t.Errorf("%+v", e)
	}
}

func TestMismatch(t *testing.T) {
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[runtime.GOARCH]
	path := t.TempDir() + "/guest"
	b := hvttest.Program(machine, make([]byte, 8), hvt.Entry{Name: "disk", Type: hvt.Block}, hvt.Entry{Name: "net", Type: hvt.Net})
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	var mismatch *tender.MismatchError
	if err := newMachine(t).Load(config(t, path, "")); !errors.As(err, &mismatch) || len(mismatch.Missing) != 2 {
		t.Errorf("nothing attached: %v", err)
	}
	c := config(t, path, "")
	c.Nets = map[string]*modules.Net{"disk": {}}
	if err := newMachine(t).Load(c); !errors.As(err, &mismatch) || len(mismatch.Extra) != 1 {
		t.Errorf("a net for a disk: %v", err)
	}
}

// One process may hold many machines; none may cost the others anything.
func TestManyMachines(t *testing.T) {
	const n = 20
	done := make(chan tender.Exit, n)
	for range n {
		m := newMachine(t)
		if err := m.Load(config(t, tendertest.Guest(t, "hello"), "1")); err != nil {
			t.Fatal(err)
		}
		go func() { done <- m.Run(context.Background()) }()
	}
	for range n {
		if e := <-done; e.Status != 1 || e.Kind != tender.Halt {
			t.Errorf("%+v", e)
		}
	}
}

// What comes late does no harm: a Stop, as from a context that ends with the
// guest, or a Snapshot.
func TestLateStop(t *testing.T) {
	tendertest.NeedKVM(t)
	sys, err := kvm.Open("/dev/kvm")
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close()
	m, err := tender.New(sys)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	m.Stop()
	if err := m.Snapshot(nil, false); err != tender.ErrOver {
		t.Errorf("snapshot of a machine that is closed: %v", err)
	}
}
