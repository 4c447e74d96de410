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
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
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

// quitTime is long because the machine may be loaded.
const quitTime = time.Minute

// Quit asks QEMU to end, and ends it if it does not within quitTime.
func (p *Process) Quit() error {
	ctx, cancel := context.WithTimeout(context.Background(), quitTime)
	defer cancel()
	// It may end before it has answered.
	if err := p.QMP.Do(ctx, "quit"); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
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
