// Package doctor knows what Perilune needs of the machine it is built and
// simulated on, says what is missing, and installs it where it can.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Need is one thing that must be there.
type Need struct {
	Name    string // what a person calls it
	Why     string
	Package string // of Debian and Ubuntu; "" if no package brings it
	Newer   string // taken in place of Package by a release that has it: its Package is too old

	Command  string   // found on PATH or in sbin, or …
	File     string   // … a file
	Try      []string // arguments with which Command must succeed
	Version  string   // argument with which Command tells its version, which …
	Least    string   // … must be this or newer
	Optional bool     // things work without it, but worse
}

var python = Need{Name: "Python", Why: "runs checks by outside libraries in the tests", Package: "python3-venv", Command: "python3", Try: []string{"-c", "import ensurepip, venv"}}

// Needs are all of them, for building and flying the flat-sat.
var Needs = []Need{
	{Name: "Go", Why: "builds the programs", Command: "go"},
	{Name: "QEMU", Why: "is the spacecraft", Package: "qemu-system-x86", Command: "qemu-system-x86_64"},
	{Name: "QEMU for arm64", Why: "runs guests of the other architecture in the tests", Package: "qemu-system-arm", Command: "qemu-system-aarch64"},
	{Name: "OVMF", Why: "is the spacecraft's firmware", Package: "ovmf", File: "/usr/share/OVMF/OVMF_CODE_4M.fd"},
	{Name: "systemd-boot", Why: "boots the image", Package: "systemd-boot-efi", File: "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"},
	{Name: "EFI stub", Why: "makes kernel and initramfs one file", Package: "systemd-boot-efi", File: "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"},
	{Name: "mkfs.ext4", Why: "makes the data partition", Package: "e2fsprogs", Command: "mkfs.ext4"},
	{Name: "clang", Why: "compiles guests", Package: "clang", Command: "clang"},
	{Name: "ld.lld", Why: "links guests", Package: "lld", Command: "ld.lld"},
	{Name: "aec", Why: "checks products with a second decoder", Package: "libaec-tools", Command: "aec"},
	python,
	{Name: "apt-get", Why: "fetches the kernel package", Command: "apt-get"},
	{Name: "dpkg-deb", Why: "unpacks the kernel package", Command: "dpkg-deb"},
	{Name: "Debian's keys", Why: "check the kernel package", Package: "debian-archive-keyring", File: "/usr/share/keyrings/debian-archive-keyring.gpg"},
	{Name: "/dev/kvm", Why: "makes the simulator fast", File: "/dev/kvm", Optional: true},
}

// Tests are what `make test` needs beside: with these nothing is skipped that the machine can do.
var Tests = append(slices.Clone(Needs),
	Need{Name: "gdb", Why: "debugs guests of both architectures", Package: "gdb-multiarch", Command: "gdb-multiarch"},
	Need{Name: "sgdisk", Why: "checks partition tables", Package: "gdisk", Command: "sgdisk"},
	Need{Name: "mtype", Why: "reads the system partition", Package: "mtools", Command: "mtype"},
	Need{Name: "C compiler", Why: "makes programs for this machine, to compare the SDK's C library with", Package: "gcc", Command: "gcc"},
	Need{Name: "C library", Why: "is what it is compared with", Package: "libc6-dev", File: "/usr/include/stdlib.h"},
)

// Interop is what the tests against outside programs need, which fetch the rest themselves.
var Interop = []Need{
	{Name: "Go", Why: "builds the tests", Command: "go"},
	python,
	{Name: "Java", Why: "runs YAMCS, and compiles a peer", Package: "default-jdk-headless", Newer: "openjdk-21-jdk-headless", Command: "javac", Version: "-version", Least: "17"},
	{Name: "Maven", Why: "fetches YAMCS", Package: "maven", Command: "mvn"},
	{Name: "tshark", Why: "reads captures", Package: "tshark", Command: "tshark"},
	{Name: "libfec", Why: "has another Reed–Solomon code", Package: "libfec-dev", File: "/usr/include/fec.h"},
	// Older ones know no sparse index of crates, by which alone most mirrors speak.
	{Name: "Cargo", Why: "builds the program with labrador-ldpc", Package: "cargo", Newer: "cargo-web", Command: "cargo", Version: "--version", Least: "1.70"},
}

// Solo5 is what the suite of a Solo5 tree needs, and QEMU, to run it in the nest.
var Solo5 = []Need{
	{Name: "Go", Why: "builds the programs", Command: "go"},
	{Name: "bash", Why: "runs the suite", Package: "bash", Command: "bash"},
	{Name: "ip", Why: "makes taps for its network tests", Package: "iproute2", Command: "ip"},
	{Name: "ping", Why: "is the other end of its network tests", Package: "iputils-ping", Command: "ping"},
	{Name: "QEMU", Why: "is the nest", Package: "qemu-system-x86", Command: "qemu-system-x86_64"},
	{Name: "QEMU for arm64", Why: "is the nest for arm64", Package: "qemu-system-arm", Command: "qemu-system-aarch64"},
}

// Sets are the needs by what they are for.
var Sets = map[string][]Need{"flight": Needs, "interop": Interop, "solo5": Solo5, "test": Tests}

// Result is one need and whether it is met.
type Result struct {
	Need
	OK     bool
	Detail string // where it was found, or what is missing
}

// Check looks for each need.
func Check(needs []Need) []Result {
	results := make([]Result, 0, len(needs))
	for _, n := range needs {
		where, err := n.find()
		r := Result{Need: n, OK: err == nil, Detail: where}
		if err != nil {
			r.Detail = err.Error()
			if n.Newer != "" && known(n.Newer) {
				r.Package = n.Newer
			}
		}
		results = append(results, r)
	}
	return results
}

// find gives the path of what is needed.
func (n Need) find() (string, error) {
	if n.Command == "" {
		_, err := os.Stat(n.File)
		if err != nil {
			return "", fmt.Errorf("%s is not there", n.File)
		}
		return n.File, nil
	}
	if path, err := exec.LookPath(n.Command); err == nil {
		if n.Try != nil && exec.Command(path, n.Try...).Run() != nil {
			return "", fmt.Errorf("%s %s fails", path, strings.Join(n.Try, " "))
		}
		if n.Least != "" {
			return path, n.recent(path)
		}
		return path, nil
	}
	// Debian keeps these off the PATH of people who are not root.
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		path := filepath.Join(dir, n.Command)
		if st, err := os.Stat(path); err == nil && !st.IsDir() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not on the PATH", n.Command)
}

// known says whether this release has a package.
func known(name string) bool {
	return exec.Command("apt-cache", "show", "--no-all-versions", name).Run() == nil
}

// recent says whether the program at path is new enough.
func (n Need) recent(path string) error {
	out, err := exec.Command(path, n.Version).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w", path, n.Version, err)
	}
	have := number.FindString(string(out))
	if have == "" {
		return fmt.Errorf("%s %s names no version", path, n.Version)
	}
	if slices.Compare(parts(have), parts(n.Least)) < 0 {
		return fmt.Errorf("%s is %s, and %s or newer is wanted", path, have, n.Least)
	}
	return nil
}

var number = regexp.MustCompile(`[0-9]+(\.[0-9]+)*`)

func parts(version string) (all []int) {
	for p := range strings.SplitSeq(version, ".") {
		n, _ := strconv.Atoi(p) // one too long counts as none
		all = append(all, n)
	}
	return all
}

// Missing gives what is not there and must be, and the packages that bring
// it, each once.
func Missing(results []Result) (needs []Need, packages []string) {
	for _, r := range results {
		if r.OK || r.Optional {
			continue
		}
		needs = append(needs, r.Need)
		if r.Package != "" && !slices.Contains(packages, r.Package) {
			packages = append(packages, r.Package)
		}
	}
	slices.Sort(packages)
	return needs, packages
}

// Format writes results as a list with a mark and a reason each.
func Format(results []Result) string {
	var b strings.Builder
	for _, r := range results {
		switch {
		case r.OK:
			fmt.Fprintf(&b, "✓ %-14s %s\n", r.Name, r.Detail)
		case r.Optional:
			fmt.Fprintf(&b, "· %-14s %s; it %s\n", r.Name, r.Detail, r.Why)
		default:
			from := "install it by hand"
			if r.Package != "" {
				from = "Debian package " + r.Package
			}
			fmt.Fprintf(&b, "✗ %-14s %s; it %s (%s)\n", r.Name, r.Detail, r.Why, from)
		}
	}
	return b.String()
}

// Command is how packages are installed here, or an error that says exactly
// what a person has to do instead.
func Command(packages []string) ([]string, error) {
	_, aptErr := exec.LookPath("apt-get")
	_, sudoErr := exec.LookPath("sudo")
	return command(packages, aptErr == nil, os.Geteuid() == 0, sudoErr == nil)
}

func command(packages []string, apt, root, sudo bool) ([]string, error) {
	install := append([]string{"apt-get", "install", "-y", "--no-install-recommends"}, packages...)
	switch {
	case !apt:
		return nil, fmt.Errorf("this is no Debian or Ubuntu; install what these packages of Debian bring: %s", strings.Join(packages, " "))
	case root:
		return install, nil
	case sudo:
		// sudo passes on no variables; without this one a package may ask questions that nobody sees.
		return append([]string{"sudo", "env", noQuestions}, install...), nil
	}
	return nil, fmt.Errorf("neither root nor sudo; have somebody run: %s", strings.Join(install, " "))
}

const noQuestions = "DEBIAN_FRONTEND=noninteractive"

// patience makes apt-get wait, in seconds, while another one works, as the daily updates of a
// machine that has just started do.
var patience = []string{"-o", "DPkg::Lock::Timeout=600"}

// Ensure checks, and installs what is missing after saying so on say. It
// fails if something is missing in the end.
func Ensure(ctx context.Context, needs []Need, say func(string)) error {
	missing, packages := Missing(Check(needs))
	if len(missing) == 0 {
		return nil
	}
	if len(packages) > 0 {
		if err := install(ctx, needs, say); err != nil {
			return err
		}
	}
	var names []string
	for _, r := range Check(needs) {
		if !r.OK && !r.Optional {
			names = append(names, fmt.Sprintf("%s (it %s): %s", r.Name, r.Why, r.Detail))
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("still missing: %s", strings.Join(names, "; "))
	}
	return nil
}

// install installs what is missing by apt-get, saying first what it does.
func install(ctx context.Context, needs []Need, say func(string)) error {
	_, packages := Missing(Check(needs))
	say("missing Debian packages: " + strings.Join(packages, " "))
	c, err := Command(packages)
	if err != nil {
		return err
	}
	// One source of several that does not answer need not be that of the packages.
	stale := run(ctx, append(slices.Clone(c[:slices.Index(c, "install")]), "update", "-q"), say)
	if ctx.Err() != nil {
		return stale
	}
	_, packages = Missing(Check(needs)) // what this release has is known now
	if c, err = Command(packages); err != nil {
		return err
	}
	at := slices.Index(c, "install")
	if err := run(ctx, slices.Insert(slices.Clone(c), at, patience...), say); err != nil {
		return errors.Join(stale, err)
	}
	return nil
}

func run(ctx context.Context, c []string, say func(string)) error {
	say("running: " + strings.Join(c, " "))
	cmd := exec.CommandContext(ctx, c[0], c[1:]...)
	cmd.Env = append(os.Environ(), noQuestions)
	cmd.Stdin = os.Stdin // sudo may ask
	// Killed, apt-get would leave packages half installed.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c, " "), err, out)
	}
	return nil
}
