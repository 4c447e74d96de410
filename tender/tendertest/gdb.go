package tendertest

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/perilune/perilune/tender/regs"
)

// Layouts are what gdb knows of the registers, by architecture.
var Layouts = map[string]*regs.Layout{"amd64": regs.AMD64, "arm64": regs.ARM64}

// GDB finds a gdb that knows the host's architecture.
func GDB(t testing.TB) string {
	t.Helper()
	return GDBFor(t, Layouts[runtime.GOARCH])
}

// GDBFor finds a gdb that knows the architecture of a layout.
func GDBFor(t testing.TB, l *regs.Layout) string {
	t.Helper()
	for _, name := range []string{"gdb-multiarch", "gdb"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.Command(path, "-nx", "-batch", "-ex", "set architecture "+l.Architecture).CombinedOutput()
		if err == nil && strings.Contains(string(out), "is set to") {
			return path
		}
	}
	t.Skipf("needs a gdb that knows %s: run 'perilune doctor --install --for test'", l.Architecture)
	return ""
}
