package cli_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/tender/tendertest"
)

func TestMain(m *testing.M) { tendertest.Main(m) }

// asSolo5 is the tender under the name of the program it stands in for.
func asSolo5(t *testing.T) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "solo5-hvt")
	if err := os.Symlink(tendertest.Tender(t), link); err != nil {
		t.Fatal(err)
	}
	return link
}

func run(t *testing.T, prog string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return runWith(t, nil, prog, args...)
}

// runWith is run with a file as descriptor 3, unless it is nil.
func runWith(t *testing.T, third *os.File, prog string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(prog, args...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &errs, time.Minute
	if third != nil {
		cmd.ExtraFiles = []*os.File{third}
	}
	timer := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if w, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		t.Errorf("%v: killed by %v; stderr %q", args, w.Signal(), errs.String())
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestHello(t *testing.T) {
	prog, guest := asSolo5(t), tendertest.Guest(t, "hello")
	for _, c := range []struct {
		args   []string
		stdout string
		status int
	}{
		{nil, "hello\n", 0},
		{[]string{"1"}, "hello\n", 1},
		{[]string{"255"}, "hello\n", 255},
		{[]string{"a", "b  c"}, "hello\na b  c\n", 7},
		// memory, kernel end on a page, a clock, no features, no ring, manifest version, entries, offset
		{[]string{"boot"}, "hello\n16777216 0 1 0 0 1 1 56\n", 0},
	} {
		stdout, stderr, status := run(t, prog, append([]string{"--mem=16", guest}, c.args...)...)
		if stdout != c.stdout || status != c.status || stderr != "" {
			t.Errorf("%q: %q, status %d, stderr %q", c.args, stdout, status, stderr)
		}
	}
}

// A guest of Solo5 0.6 to 0.7.5 says ABI 1 and runs all the same; the
// reference refuses it.
func TestABI1Guest(t *testing.T) {
	b, err := os.ReadFile(tendertest.Guest(t, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	note := []byte("Solo5\x00\x00\x00\x01\x00\x00\x00\x02") // owner, target 1, version 2
	if bytes.Count(b, note) != 1 {
		t.Fatal("the guest has another ABI note")
	}
	path := filepath.Join(t.TempDir(), "old.hvt")
	if err := os.WriteFile(path, bytes.Replace(b, note, append(note[:12:12], 1), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := run(t, asSolo5(t), "--mem=16", path, "old")
	if stdout != "hello\nold\n" || status != 7 || stderr != "" {
		t.Errorf("%q, status %d, stderr %q", stdout, status, stderr)
	}
}

// The texts are those of solo5-hvt v0.12.1 (tenders/hvt/hvt_main.c,
// hvt_module_*.c, tenders/common/elf.c).
func TestMessages(t *testing.T) {
	tendertest.NeedKVM(t)
	prog, dir := asSolo5(t), t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[runtime.GOARCH]
	code := make([]byte, 16)
	plain := file("plain", hvttest.Program(machine, code))
	devices := file("devices", hvttest.Program(machine, code,
		hvt.Entry{Name: "storage", Type: hvt.Block}, hvt.Entry{Name: "service", Type: hvt.Net},
		hvt.Entry{Name: "odd", Type: 7}))
	wx := file("wx", hvttest.ELF(hvttest.Spec{Machine: machine, Segments: []hvttest.Segment{
		{Vaddr: hvt.MinBase, Data: code, Flags: elf.PF_R | elf.PF_W | elf.PF_X}}}))
	noABI := file("noabi", hvttest.ELF(hvttest.Spec{Machine: machine, NoABI: true}))
	noMFT := file("nomft", hvttest.ELF(hvttest.Spec{Machine: machine, NoMFT: true}))
	spt := file("spt", hvttest.ELF(hvttest.Spec{Machine: machine, ABI: []byte{2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}))
	abi3 := file("abi3", hvttest.ELF(hvttest.Spec{Machine: machine, ABI: []byte{1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}))
	badMFT := file("badmft", hvttest.ELF(hvttest.Spec{Machine: machine, Manifest: make([]byte, 12)}))
	foreign := file("foreign", hvttest.ELF(hvttest.Spec{Machine: elf.EM_AARCH64 + elf.EM_X86_64 - machine, ABI: make([]byte, 33)})) // whose notes are not looked at
	text := file("text", bytes.Repeat([]byte("not an ELF file\n"), 10))
	short := file("short", []byte("\x7fELF"))
	odd := file("disk", make([]byte, 1000))
	empty := file("empty", nil)

	usage := "usage: solo5-hvt [ CORE OPTIONS ] [ MODULE OPTIONS ] [ -- ] KERNEL [ ARGS ]\n"
	for _, c := range []struct {
		args []string
		want string // of stderr, after "solo5-hvt: "
	}{
		{[]string{}, "Missing KERNEL operand\n" + usage},
		{[]string{"--mem=16"}, "Missing KERNEL operand\n" + usage},
		{[]string{"--"}, "Missing KERNEL operand\n" + usage},
		{[]string{"/nonexistent/x"}, "/nonexistent/x: Could not open: No such file or directory\n"},
		// An ELF error comes before an invalid option.
		{[]string{"--bogus", text}, text + ": invalid executable: invalid or unsupported executable (elf header invalid while loading note)\n"},
		{[]string{foreign}, foreign + ": invalid executable: invalid or unsupported executable (elf header invalid while loading note)\n"},
		{[]string{short}, short + ": invalid executable: elf header does not match the expected size (4 != 64)\n"},
		{[]string{noABI}, noABI + ": No Solo5 ABI information found in executable\n"},
		{[]string{noMFT}, noMFT + ": No Solo5 manifest found in executable\n"},
		{[]string{spt}, spt + ": Executable is not for the solo5-hvt target\n"},
		{[]string{abi3}, abi3 + ": Executable requests unsupported ABI version 3\n"},
		{[]string{badMFT}, badMFT + ": Solo5 manifest is invalid\n"},
		{[]string{"--bogus", plain}, "Invalid option: `--bogus'\n" + usage},
		{[]string{"--mem=0", plain}, "Malformed argument to --mem\n"},
		{[]string{"--mem=x", plain}, "Malformed argument to --mem\n"},
		{[]string{"--mem=4098", plain}, "guest memory size 4297064448 bytes exceeds the max size 4294967296 bytes\n"},
		{[]string{wx}, wx + ": invalid executable: phdr[2] requests WRITE and EXEC permissions\n"},
		{[]string{devices}, "Device 'storage' of type BLOCK_BASIC declared but not attached.\n" +
			"solo5-hvt: Device 'service' of type NET_BASIC declared but not attached.\n" +
			"solo5-hvt: Device 'odd' of type <undefined type> declared but not attached.\n" +
			"solo5-hvt: All declared devices must be attached. See --help for syntax.\n"},
		{[]string{"--block:disk=" + odd, plain}, "Resource not declared in manifest: 'disk'\n" +
			"solo5-hvt: Invalid option: `--block:disk=" + odd + "'\n" + usage},
		{[]string{"--block:storage=/nonexistent", devices}, "Could not open block device: /nonexistent: No such file or directory\n"},
		{[]string{"--block:storage=" + odd, devices}, "storage: Backing storage size must be block aligned (512 bytes)\n"},
		{[]string{"--block:storage=" + empty, devices}, "storage: Backing storage must be at least 1 block (512 bytes) in size\n"},
		{[]string{"--block-sector-size:storage=513", devices}, "Block size must be a multiple of 2 greater than or equal 512\n" +
			"solo5-hvt: Invalid option: `--block-sector-size:storage=513'\n" + usage},
		{[]string{"--net:service=nosuchtap", devices}, "Could not attach interface: nosuchtap: No such file or directory\n" +
			"solo5-hvt: Invalid option: `--net:service=nosuchtap'\n" + usage},
		{[]string{"--net:service=@77", devices}, "Could not attach interface: @77: Bad file descriptor\n"},
		{[]string{"--net:service=@x", devices}, "Could not attach interface: @x: Invalid argument\n"},
		{[]string{"--net-mac:service=1:2:3:4:5", devices}, "Invalid option: `--net-mac:service=1:2:3:4:5'\n" + usage},
		{[]string{"--mem=3", wx}, "adjusting memory to 2097152 bytes\nsolo5-hvt: " + wx + ": invalid executable: phdr[2] requests"},
		{[]string{plain, strings.Repeat("x", 8192)}, "Guest command line too long (max=8191 characters)\n"},
	} {
		stdout, stderr, status := run(t, prog, c.args...)
		if status != 1 || stdout != "" || !strings.HasPrefix(stderr, "solo5-hvt: "+c.want) {
			t.Errorf("%q: status %d, stdout %q, stderr\n  %q\nwant\n  %q", c.args, status, stdout, stderr, "solo5-hvt: "+c.want)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	prog := asSolo5(t)
	_, stderr, status := run(t, prog, "--help")
	if status != 1 || !strings.HasPrefix(stderr, "usage: solo5-hvt ") {
		t.Errorf("--help: status %d, %q", status, stderr)
	}
	_, stderr, status = run(t, prog, "--version")
	if status != 0 || !strings.HasPrefix(stderr, "solo5-hvt tender, version ") || !strings.HasSuffix(stderr, "\nABI version 2\n") {
		t.Errorf("--version: status %d, %q", status, stderr)
	}
}

func TestBlock(t *testing.T) {
	prog, guest := asSolo5(t), tendertest.Guest(t, "block")
	disk := filepath.Join(t.TempDir(), "disk")
	content := make([]byte, 8192)
	for i := range content {
		content[i] = byte(i * 7)
	}
	if err := os.WriteFile(disk, content, 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := run(t, prog, "--mem=2", "--block:storage="+disk, "--block-sector-size:storage=1024", guest, "copy")
	if status != 0 || stdout != "8192 1024\n" {
		t.Fatalf("copy: status %d, %q, %q", status, stdout, stderr)
	}
	after, err := os.ReadFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	for i := range content {
		want := content[i]
		if i >= 8192-1024 {
			want = ^content[i-(8192-1024)]
		}
		if after[i] != want {
			t.Fatalf("octet %d is %#x, want %#x", i, after[i], want)
		}
	}
	if stdout, stderr, status = run(t, prog, "--mem=2", "--block:storage="+disk, guest, "edges"); status != 0 || stdout != "222222222" {
		t.Errorf("edges: status %d, %q, %q", status, stdout, stderr)
	}
	for _, arg := range []string{"wild", "wrap", "text"} {
		if _, stderr, status = run(t, prog, "--mem=2", "--block:storage="+disk, guest, arg); status != 1 ||
			!strings.HasPrefix(stderr, "solo5-hvt: Invalid guest access: gpa=0x") {
			t.Errorf("%s: status %d, %q", arg, status, stderr)
		}
	}
}

// A descriptor works as a network, which solo5-hvt's own @N does not.
func TestInheritedNet(t *testing.T) {
	prog, guest := asSolo5(t), tendertest.Guest(t, "packet")
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "theirs")
	syscall.SetNonblock(fds[0], true)
	ours := os.NewFile(uintptr(fds[0]), "ours")
	defer ours.Close()
	var out, errs bytes.Buffer
	cmd := exec.Command(prog, "--mem=2", "--net:radio=@3", "--net-mac:radio=02:00:00:00:00:01", guest, "echo")
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &out, &errs, []*os.File{theirs}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	timer := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	ours.SetDeadline(time.Now().Add(3 * time.Minute))
	buf := make([]byte, 2000)
	for i := range 3 {
		if _, err := ours.Write([]byte{0x81, byte(i)}); err != nil {
			t.Fatal(err)
		}
		if n, err := ours.Read(buf); err != nil || !bytes.Equal(buf[:n], []byte{0x01, byte(i)}) {
			t.Fatalf("frame %d came back as % x, %v", i, buf[:n], err)
		}
	}
	if err := cmd.Wait(); err != nil || out.String() != "1500\n" {
		t.Errorf("%v, stdout %q, stderr %q", err, out.String(), errs.String())
	}
}
