// Package qemu runs the craft's disk in QEMU: one process that dies with its
// parent, spoken to by QMP, with the radio as a byte stream.
package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Program is the emulator for the craft's architecture.
const Program = "qemu-system-x86_64"

// Accel is what runs the craft's instructions.
type Accel string

// KVM needs hardware, TCG nothing.
const (
	KVM Accel = "kvm"
	TCG Accel = "tcg"
)

// Config describes one machine.
type Config struct {
	Dir        string // an existing folder for the machine's own files
	Accel      Accel
	MemoryMiB  int // 0: 1024
	CPUs       int // 0: 2
	ConsoleLog string

	// Either a disk, booted by the firmware …
	Disk     string // raw; written to
	OVMFCode string // "": Debian's
	OVMFVars string // copied into Dir; "": Debian's
	// … or a kernel, for a probe.
	Kernel, Initrd, Cmdline string

	// RadioSocket is where QEMU listens for the other end of the radio; with
	// "" the other end is Process.Radio.
	RadioSocket string
}

// Debian's package ovmf.
const (
	ovmfCode = "/usr/share/OVMF/OVMF_CODE_4M.fd"
	ovmfVars = "/usr/share/OVMF/OVMF_VARS_4M.fd"
)

// Process is a running machine.
type Process struct {
	// Radio is our end of the craft's radio: octets are bits, most
	// significant first. Nil when Config.RadioSocket was given.
	Radio *os.File

	QMP *QMP

	orders *os.File
	cmd    *exec.Cmd
	stderr *tail
	done   chan struct{}
	err    error
}

// Start starts a machine. It lives until it powers off, Kill, the end of ctx
// or the end of this process, whichever is first.
func Start(ctx context.Context, c Config) (*Process, error) {
	p, err := start(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	return p, nil
}

func start(ctx context.Context, c Config) (*Process, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	p := &Process{stderr: &tail{}, done: make(chan struct{})}
	qmp, theirs, err := socketpair("qmp")
	if err != nil {
		return nil, err
	}
	inherited := []*os.File{theirs}
	defer closeAll(&inherited)
	if p.orders, theirs, err = socketpair("orders"); err != nil {
		qmp.Close()
		return nil, err
	}
	inherited = append(inherited, theirs)
	args := c.args()
	if c.RadioSocket == "" {
		radio, theirs, err := socketpair("radio")
		if err != nil {
			qmp.Close()
			p.closePorts()
			return nil, err
		}
		p.Radio = radio
		inherited = append(inherited, theirs)
	}
	p.cmd = exec.CommandContext(ctx, Program, args...)
	p.cmd.ExtraFiles = inherited
	p.cmd.Stderr = p.stderr
	p.cmd.Dir = c.Dir
	// Own group: Ctrl-C on the terminal is for the simulator, which then ends
	// the machine in good order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	go p.live(started)
	err = <-started
	// Only QEMU may hold its ends, or its death would go unnoticed.
	closeAll(&inherited)
	if err != nil {
		qmp.Close()
		p.closePorts()
		return nil, err
	}
	if p.QMP, err = dial(qmp); err != nil {
		p.Kill()
		return nil, fmt.Errorf("%w: %s", err, p.stderr)
	}
	return p, nil
}

func closeAll(files *[]*os.File) {
	for _, f := range *files {
		f.Close()
	}
	*files = nil
}

// live starts the process and waits for it on one thread of its own: the
// parent whose death ends the child is a thread.
func (p *Process) live(started chan<- error) {
	runtime.LockOSThread()
	defer close(p.done)
	if err := p.cmd.Start(); err != nil {
		started <- err
		return
	}
	started <- nil
	if err := p.cmd.Wait(); err != nil {
		p.err = fmt.Errorf("QEMU: %w: %s", err, p.stderr)
	}
}

// PID is the process' number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the machine has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the machine's end: nil when it powered off or was asked to
// quit.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Reset is the reset button: memory is lost, the disk's contents stay.
func (p *Process) Reset(ctx context.Context) error { return p.QMP.Do(ctx, "system_reset") }

// Quit asks QEMU to end, and ends it if it does not within a moment.
func (p *Process) Quit() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := p.QMP.Do(ctx, "quit"); err == nil {
		select {
		case <-p.done:
		case <-ctx.Done():
		}
	}
	p.Kill()
	return p.err
}

// Kill ends the machine at once and returns when it has ended.
func (p *Process) Kill() {
	if p.cmd.Process != nil {
		_ = p.cmd.Process.Kill()
	}
	<-p.done
	if p.QMP != nil {
		p.QMP.Close()
	}
	p.closePorts()
}

// Order gives init an order by the simulator's own port, which no board has:
// "kill-flight" ends the flight program as a crash would.
func (p *Process) Order(ctx context.Context, order string) error {
	if d, ok := ctx.Deadline(); ok {
		if err := p.orders.SetWriteDeadline(d); err != nil {
			return err
		}
	}
	if _, err := p.orders.WriteString(order + "\n"); err != nil {
		return fmt.Errorf("order %s: %w", order, err)
	}
	return nil
}

func (p *Process) closePorts() {
	p.orders.Close()
	if p.Radio != nil {
		p.Radio.Close()
	}
}

// complete fills in what was left out and copies the firmware's variables.
func (c *Config) complete() error {
	if (c.Disk == "") == (c.Kernel == "") {
		return errors.New("either a disk or a kernel is needed")
	}
	if c.MemoryMiB == 0 {
		c.MemoryMiB = 1024
	}
	if c.CPUs == 0 {
		c.CPUs = 2
	}
	for _, p := range []*string{&c.Dir, &c.Disk, &c.Kernel, &c.Initrd, &c.ConsoleLog, &c.RadioSocket} {
		if *p == "" {
			continue
		}
		abs, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = abs
	}
	if c.Disk == "" {
		return nil
	}
	if c.OVMFCode == "" {
		c.OVMFCode = ovmfCode
	}
	if c.OVMFVars == "" {
		c.OVMFVars = ovmfVars
	}
	vars, err := os.ReadFile(c.OVMFVars)
	if err != nil {
		return err
	}
	c.OVMFVars = filepath.Join(c.Dir, "ovmf-vars.fd")
	return os.WriteFile(c.OVMFVars, vars, 0o600)
}

// Descriptors that QEMU inherits.
const (
	qmpFD    = 3
	ordersFD = 4
	radioFD  = 5
)

func (c *Config) args() []string {
	a := []string{
		"-nodefaults", "-no-user-config", "-display", "none",
		"-name", "perilune", "-M", "q35,smm=off", "-accel", string(c.Accel),
		"-m", strconv.Itoa(c.MemoryMiB), "-smp", strconv.Itoa(c.CPUs),
		"-rtc", "base=utc",
		"-chardev", fmt.Sprintf("socket,id=qmp,fd=%d", qmpFD), "-mon", "chardev=qmp,mode=control",
		"-chardev", "file,id=console,append=on,path=" + escape(c.consoleLog()), "-serial", "chardev:console",
		"-device", "i6300esb", "-action", "watchdog=reset",
		"-device", "virtio-serial-pci", "-device", "virtserialport,chardev=radio,name=radio0",
	}
	a = append(a, "-chardev", fmt.Sprintf("socket,id=orders,fd=%d", ordersFD),
		"-device", "virtserialport,chardev=orders,name=orders0")
	if c.Accel == KVM {
		a = append(a, "-cpu", "host")
	} else {
		// TCG can nest virtual machines as AMD's processors do.
		a = append(a, "-cpu", "max,+svm")
	}
	if c.RadioSocket == "" {
		a = append(a, "-chardev", fmt.Sprintf("socket,id=radio,fd=%d", radioFD))
	} else {
		a = append(a, "-chardev", "socket,id=radio,server=on,wait=off,path="+escape(c.RadioSocket))
	}
	if c.Kernel != "" {
		return append(a, "-kernel", c.Kernel, "-initrd", c.Initrd, "-append", c.Cmdline, "-no-reboot")
	}
	// cache=unsafe leaves out the host's fsync, which costs much on a loaded
	// machine. A crash of the host is not simulated; a reset of the craft
	// loses nothing that it has flushed, because the host's cache stays.
	return append(a,
		"-drive", "if=pflash,unit=0,format=raw,readonly=on,file="+escape(c.OVMFCode),
		"-drive", "if=pflash,unit=1,format=raw,file="+escape(c.OVMFVars),
		"-drive", "if=none,id=disk,format=raw,cache=unsafe,discard=unmap,file="+escape(c.Disk),
		"-device", "virtio-blk-pci,drive=disk,bootindex=0")
}

func (c *Config) consoleLog() string {
	if c.ConsoleLog != "" {
		return c.ConsoleLog
	}
	return filepath.Join(c.Dir, "console.log")
}

// escape writes a path as QEMU's option syntax wants it.
func escape(path string) string { return strings.ReplaceAll(path, ",", ",,") }

func socketpair(name string) (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("%s socket: %w", name, err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, nil, fmt.Errorf("%s socket: %w", name, err)
	}
	return os.NewFile(uintptr(fds[0]), name), os.NewFile(uintptr(fds[1]), name), nil
}

// tail keeps the end of what QEMU says.
type tail struct {
	mu   sync.Mutex
	text []byte
}

var _ io.Writer = (*tail)(nil)

func (t *tail) Write(b []byte) (int, error) {
	const keep = 4096
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-keep):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
