// Package tendertest gives tests real guests and the real tender: it compiles
// both, once a process, and skips a test in one sentence when the machine
// cannot run them.
package tendertest

import (
	"embed"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

//go:embed guests
var sources embed.FS

// built is the folder of everything compiled in this process.
var built = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "tendertest") })

// Main runs the tests of a package and removes what was compiled.
func Main(m *testing.M) {
	code := m.Run()
	if dir, err := built(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// NeedKVM skips the test where no guest can run.
func NeedKVM(t testing.TB) {
	t.Helper()
	if err := unix.Access("/dev/kvm", unix.R_OK|unix.W_OK); err != nil {
		t.Skipf("needs /dev/kvm: %v", err)
	}
}

var (
	guestLock sync.Mutex
	targets   = map[string][]string{
		"amd64": {"--target=x86_64-unknown-none-elf", "-mno-red-zone", "-mno-sse"},
		"arm64": {"--target=aarch64-unknown-none-elf", "-mstrict-align"},
	}
)

// Guest compiles one of the guests in this package for the host's
// architecture, integer instructions only, and returns its path.
func Guest(t testing.TB, name string) string {
	t.Helper()
	NeedKVM(t)
	clang, err := exec.LookPath("clang")
	if err == nil {
		_, err = exec.LookPath("ld.lld")
	}
	if err != nil {
		t.Skipf("needs clang and lld: %v", err)
	}
	guestLock.Lock()
	defer guestLock.Unlock()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, name+".hvt")
	if _, err := os.Stat(out); err == nil {
		return out
	}
	if err := os.CopyFS(dir, sources); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	src := filepath.Join(dir, "guests")
	args := append([]string{"-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-ffreestanding",
		"-fno-stack-protector", "-fno-pic", "-mgeneral-regs-only", "-nostdlib", "-static", "-fuse-ld=lld",
		"-Wl,-T," + filepath.Join(src, "guest.ld"), "-Wl,--build-id=none", "-o", out,
		filepath.Join(src, name+".c")}, targets[runtime.GOARCH]...)
	if text, err := exec.Command(clang, args...).CombinedOutput(); err != nil {
		t.Fatalf("compile guest %s: %v\n%s", name, err, text)
	}
	return out
}

var tenderBinary = sync.OnceValues(func() (string, error) {
	dir, err := built()
	if err != nil {
		return "", err
	}
	// A slot runs under its own uid, which must be able to execute this.
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	out := filepath.Join(dir, "perilune-tender")
	cmd := exec.Command("go", "build", "-o", out, "github.com/perilune/perilune/cmd/perilune-tender")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(text), Err: err}
	}
	return out, nil
})

// Tender builds perilune-tender and returns its path.
func Tender(t testing.TB) string {
	t.Helper()
	path, err := tenderBinary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
