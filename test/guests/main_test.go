package main

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/test/guests/cases"
)

// Three guests of a folder: one that does what its file says, one that fails
// to, and one that needs a device that nobody gives it.
func TestRun(t *testing.T) {
	if err := cases.Runnable(); err != nil {
		t.Skip(err)
	}
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[runtime.GOARCH]
	dir := t.TempDir()
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if ok, err := run(dir, "", &out); ok || err == nil {
		t.Error("an empty folder passed")
	}
	code := make([]byte, 16)
	put("disk.hvt", hvttest.Program(machine, code, hvt.Entry{Name: "disk", Type: hvt.Block}))
	put("disk.toml", []byte("[[case]]\nname = \"refused\"\nstatus = 1\nwarns = [\"All declared devices must be attached\"]\n"+
		"[[case]]\nname = \"elsewhere\"\narch = [\"vax\"]\n"))
	put("net.hvt", hvttest.Program(machine, code, hvt.Entry{Name: "net", Type: hvt.Net}))
	put("odd.hvt", hvttest.Program(machine, code))
	put("odd.toml", []byte("colour = 1\n"))
	ok, err := run(dir, "", &out)
	if ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	for _, want := range []string{"ok   disk: refused\n", "SKIP disk: elsewhere: is for vax\n", "FAIL net: runs: status 1, want 0\n",
		"FAIL odd: ", "colour", "1 passed, 2 failed, 1 skipped\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
