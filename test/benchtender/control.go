package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/perilune/perilune/internal/seqpacket"
	"golang.org/x/sys/unix"
)

const (
	controlArg = "answer" // makes the program the control's other end

	// controlWork is the time on a processor between a message and its answer:
	// about what a slot uses for an order.
	controlWork = 400 * time.Microsecond
)

// control is a process with nothing of the tender in it: it answers each
// message once it has used controlWork. A question takes the same two wake-ups
// of a process that an order takes. What both have in common is the machine's.
type control struct {
	cmd  *exec.Cmd
	conn *os.File
	b    [1]byte
}

func startControl() (*control, error) {
	ours, theirs, err := seqpacket.Pair("control")
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	c := &control{cmd: exec.Command("/proc/self/exe", controlArg), conn: ours}
	c.cmd.ExtraFiles, c.cmd.Stderr = []*os.File{theirs}, os.Stderr
	if err := c.cmd.Start(); err != nil {
		ours.Close()
		return nil, fmt.Errorf("control: %w", err)
	}
	return c, nil
}

// ask waits for an answer.
func (c *control) ask() error {
	if _, err := c.conn.Write(c.b[:]); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if _, err := c.conn.Read(c.b[:]); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}

// end closes the socket, which ends the process.
func (c *control) end() {
	c.conn.Close()
	_ = c.cmd.Wait() // by its status or not, it is gone
}

// answer is the control's other end.
func answer() error {
	if err := unix.SetNonblock(3, false); err != nil {
		return err
	}
	var b [1]byte
	for {
		if n, err := unix.Read(3, b[:]); n <= 0 {
			return err
		}
		for until := used() + controlWork; used() < until; {
		}
		if _, err := unix.Write(3, b[:]); err != nil {
			return err
		}
	}
}

// used is the process's time on a processor.
func used() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}
