package nest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/test/nest/wire"
)

// machines are QEMU's by architecture. On amd64 one thread emulates all: with several, the
// kernel that rewrites its own text panics now and then. no_timer_check is for loaded hosts.
var machines = map[string]struct {
	program string
	args    []string
	console string // the kernel's name of it
	modules []string
}{
	"amd64": {"qemu-system-x86_64",
		[]string{"-M", "q35,smm=off", "-cpu", "max,+svm", "-accel", "tcg,thread=single"},
		"ttyS0 no_timer_check", []string{"kvm_amd", "tun"}},
	"arm64": {"qemu-system-aarch64",
		[]string{"-M", "virt,virtualization=on,gic-version=3", "-cpu", "cortex-a72", "-accel", "tcg"},
		"ttyAMA0", []string{"tun"}},
}

// counted is QEMU's clock for Config.Counted: 2 ns an instruction; who idles is woken at once.
const counted = "shift=1,sleep=off"

// portFD is the descriptor of the messages' port in QEMU.
const portFD = 3

// machine is a running nest.
type machine struct {
	port    *os.File
	cmd     *exec.Cmd
	done    chan struct{}
	err     error // how QEMU ended; both for reading after done
	stderr  bytes.Buffer
	console string
}

func (c Config) boot(ctx context.Context, dir, kernel, initrd string) (*machine, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	theirs := os.NewFile(uintptr(fds[1]), "port")
	defer theirs.Close() // QEMU alone has it, so its end is seen
	m := &machine{port: os.NewFile(uintptr(fds[0]), "port"), done: make(chan struct{}), console: filepath.Join(dir, "console.log")}
	kind := machines[c.Arch]
	args := append([]string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "2048", "-smp", "2", "-rtc", "base=" + c.rtc(),
		"-kernel", kernel, "-initrd", initrd, "-append", "quiet panic=-1 console=" + kind.console,
		"-chardev", "file,id=console,path=" + m.console, "-serial", "chardev:console",
		"-device", "virtio-serial-pci", "-chardev", fmt.Sprintf("socket,id=port,fd=%d", portFD),
		"-device", "virtserialport,chardev=port,name=" + wire.PortName,
	}, kind.args...)
	if c.Counted {
		args = append(args, "-icount", counted)
	}
	if c.Disk != "" {
		args = append(args, "-drive", "if=none,id=disk,format=raw,file="+c.Disk, "-device", "virtio-blk-pci,drive=disk")
	}
	m.cmd = exec.CommandContext(ctx, kind.program, args...)
	m.cmd.ExtraFiles, m.cmd.Stderr = []*os.File{theirs}, &m.stderr
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	started := make(chan error, 1)
	go m.live(started)
	if err := <-started; err != nil {
		m.port.Close()
		return nil, err
	}
	return m, nil
}

// rtc is the clock's beginning as QEMU takes it.
func (c Config) rtc() string {
	if c.Clock.IsZero() {
		return "utc"
	}
	return c.Clock.UTC().Format("2006-01-02T15:04:05")
}

// modules are the kernel's that the nest needs.
func (c Config) modules() []string {
	all := slices.Clone(machines[c.Arch].modules)
	if c.Disk != "" {
		all = append(all, "virtio_blk")
	}
	return all
}

// live starts QEMU and waits for its end on one thread: the parent whose death ends it is one.
func (m *machine) live(started chan<- error) {
	runtime.LockOSThread()
	defer close(m.done)
	err := m.cmd.Start()
	started <- err
	if err == nil {
		m.err = m.cmd.Wait()
	}
}

func (m *machine) kill() {
	_ = m.cmd.Process.Kill()
	<-m.done
	m.port.Close()
}

// lastWords are QEMU's, and the console's last lines.
func (m *machine) lastWords() string {
	text, err := os.ReadFile(m.console)
	if err != nil {
		text = []byte(err.Error())
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(text), "\r", "")), "\n")
	return m.stderr.String() + strings.Join(lines[max(0, len(lines)-30):], "\n")
}
