// Package vm_test flies the real image in QEMU: the story of `make demo`, a session with
// a second terminal, faults, and what init must survive. Nothing here is a stand-in, but
// for the flight program of TestBoot.
package vm_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/perilune/perilune/internal/doctor"
)

// root is the source tree, where the simulator runs.
var root = filepath.Join("..", "..")

var program = sync.OnceValues(func() (string, error) {
	bin, err := filepath.Abs(filepath.Join(root, "out", "bin", "perilune"))
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", bin, "./cmd/perilune")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
})

// perilune is the path of the command, built from this tree.
func perilune(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("flying the image takes minutes: left out of -short")
	}
	if missing, _ := doctor.Missing(doctor.Check(doctor.Needs)); len(missing) > 0 {
		t.Skipf("%s is missing: run 'perilune doctor --install'", missing[0].Name)
	}
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// nothingLeft checks that a simulation in this tree left no process or socket behind.
// Others may fly in other trees.
func nothingLeft(t *testing.T) {
	t.Helper()
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range procs {
		dir, err1 := os.Readlink(filepath.Join(p, "cwd"))
		line, err2 := os.ReadFile(filepath.Join(p, "cmdline"))
		if err1 != nil || err2 != nil {
			continue // it has ended
		}
		args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		emulator := strings.Contains(args[0], "qemu-system") && strings.HasPrefix(dir, filepath.Join(here, "out"))
		ours := len(args) > 1 && dir == here && filepath.Base(args[0]) == "perilune" && (args[1] == "station" || args[1] == "sim")
		if emulator || ours {
			t.Errorf("still running: %s", strings.Join(args, " "))
		}
	}
	sockets, err := filepath.Glob(filepath.Join(here, "out", "sim", "*.sock"))
	if err != nil || len(sockets) > 0 {
		t.Errorf("sockets left: %v (%v)", sockets, err)
	}
}
