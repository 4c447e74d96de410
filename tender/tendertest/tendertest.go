// Package tendertest gives tests real guests and the real tender: it compiles
// both, once a process, and skips a test in one sentence when the machine
// cannot run them. Where there is no compiler, it takes them from the folder
// that TENDERTEST_DIR names, for which Prepare made them, and a test's own ones
// from beside where their sources would be, for which PrepareFrom did.
package tendertest

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

//go:embed guests
var sources embed.FS

// built is the folder of everything compiled in this process.
var built = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "tendertest") })

// prepared is a folder with what Prepare made, or "".
var prepared = os.Getenv("TENDERTEST_DIR")

// Prepared says that there is no compiler here: what a test needs lies ready.
func Prepared() bool { return prepared != "" }

const tenderName = "perilune-tender"

// Main runs the tests of a package and removes what was compiled.
func Main(m *testing.M) {
	code := m.Run()
	Remove()
	os.Exit(code)
}

// NeedKVM skips the test where no guest can run.
func NeedKVM(t testing.TB) {
	t.Helper()
	if err := unix.Access("/dev/kvm", unix.R_OK|unix.W_OK); err != nil {
		t.Skipf("needs /dev/kvm: %v; without it test/vm/nest runs guests, in an emulated machine", err)
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
	if prepared != "" {
		return filepath.Join(prepared, name+".hvt")
	}
	return compiled(t, name, "")
}

// GuestFrom is Guest for dir/main.c, with this package's guest.h in reach.
func GuestFrom(t testing.TB, dir string) string {
	t.Helper()
	NeedKVM(t)
	if prepared != "" {
		return preparedFrom(dir)
	}
	return compiled(t, filepath.Base(dir), filepath.Join(dir, "main.c"))
}

func preparedFrom(dir string) string { return filepath.Join(dir, "main.hvt") }

func compiled(t testing.TB, name, source string) string {
	t.Helper()
	for _, tool := range []string{"clang", "ld.lld"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs clang and lld: %v: run 'perilune doctor --install'", err)
		}
	}
	out, err := Compile(name, source)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Compile makes name.hvt of a source file, by default of this package's own
// guest of that name, once a process. Remove removes it.
func Compile(name, source string) (string, error) {
	guestLock.Lock()
	defer guestLock.Unlock()
	dir, err := built()
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, name+".hvt")
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	return out, compile(dir, name, source, runtime.GOARCH, out)
}

// compile makes out; dir is for the sources of this package.
func compile(dir, name, source, arch, out string) error {
	if err := os.CopyFS(dir, sources); err != nil && !os.IsExist(err) {
		return err
	}
	src := filepath.Join(dir, "guests")
	if source == "" {
		source = filepath.Join(src, name+".c")
	}
	args := append([]string{"-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-ffreestanding",
		"-fno-stack-protector", "-fno-pic", "-mgeneral-regs-only", "-nostdlib", "-static", "-fuse-ld=lld",
		"-Wl,-T," + filepath.Join(src, "guest.ld"), "-Wl,--build-id=none", "-Wl,-z,max-page-size=4096", "-I" + src, "-o", out, source},
		targets[arch]...)
	if text, err := exec.Command("clang", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("compile guest %s: %w\n%s", name, err, text)
	}
	return nil
}

// Prepare puts this package's guests and perilune-tender for arch, amd64 or
// arm64, into the folder dir, for tests that run where TENDERTEST_DIR names it.
func Prepare(dir, arch string) error {
	tmp, err := os.MkdirTemp("", "tendertest")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	guests, err := fs.Glob(sources, "guests/*.c")
	if err != nil {
		return err
	}
	for _, g := range guests {
		name := strings.TrimSuffix(path.Base(g), ".c")
		if err := compile(tmp, name, "", arch, filepath.Join(dir, name+".hvt")); err != nil {
			return err
		}
	}
	return BuildTenderFor(filepath.Join(dir, tenderName), arch)
}

// PrepareFrom makes for arch what GuestFrom gives of the source dir/main.c where there
// is no compiler, in the folder out.
func PrepareFrom(out, dir, arch string) (guest string, err error) {
	tmp, err := os.MkdirTemp("", "tendertest")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	guest = preparedFrom(out)
	return guest, compile(tmp, filepath.Base(dir), filepath.Join(dir, "main.c"), arch, guest)
}

// Remove removes everything compiled in this process.
func Remove() {
	if dir, err := built(); err == nil {
		os.RemoveAll(dir)
	}
}

var tenderBinary = sync.OnceValues(func() (string, error) { return BuildTender() })

// BuildTender builds another perilune-tender with go build's own flags, for this machine.
func BuildTender(flags ...string) (string, error) {
	top, err := built()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(top, "tender")
	if err != nil {
		return "", err
	}
	// A slot runs under its own uid, which must be able to execute this.
	for _, d := range []string{top, dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			return "", err
		}
	}
	out := filepath.Join(dir, tenderName)
	return out, BuildTenderFor(out, runtime.GOARCH, flags...)
}

// BuildTenderFor builds perilune-tender for arch as the file out, with go build's own flags.
func BuildTenderFor(out, arch string, flags ...string) error {
	args := append(append([]string{"build", "-o", out}, flags...), "github.com/perilune/perilune/cmd/perilune-tender")
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build perilune-tender: %w\n%s", err, text)
	}
	return nil
}

// Tender builds perilune-tender and returns its path.
func Tender(t testing.TB) string {
	t.Helper()
	if prepared != "" {
		return filepath.Join(prepared, tenderName)
	}
	out, err := tenderBinary()
	if err != nil {
		t.Fatal(err)
	}
	return out
}
