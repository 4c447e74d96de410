package cli

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/gdb"
	"github.com/perilune/perilune/tender/kvm"
	"golang.org/x/sys/unix"
)

const defaultPort = 1234

// debugOptions are what solo5-hvt's debug build has on top.
type debugOptions struct {
	gdb  bool
	port int
	dir  string // for core files
}

// option takes --gdb, --gdb-port and --dumpcore.
func (d *debugOptions) option(o string) (taken bool, err error) {
	if o == "--gdb" {
		d.gdb = true
		return true, nil
	}
	if v, ok := strings.CutPrefix(o, "--gdb-port="); ok {
		port, err := strconv.ParseUint(v, 10, 16)
		if err != nil {
			return false, failure("Malformed argument to --gdb-port")
		}
		d.port = int(port)
		return true, nil
	}
	dir, ok := strings.CutPrefix(o, "--dumpcore=")
	if ok {
		d.dir = dir
	}
	return ok, nil
}

// requests are the ioctls that the filter lets through for them.
func (d *debugOptions) requests(m *tender.Machine) []kvm.Request {
	if !d.gdb && d.dir == "" {
		return nil
	}
	return m.DebugRequests()
}

// calls are the system calls that the filter lets through for them: holes in
// a core file.
func (d *debugOptions) calls() []uintptr {
	if d.dir == "" {
		return nil
	}
	return []uintptr{unix.SYS_LSEEK, unix.SYS_PWRITE64}
}

// waitForDebugger gives the connection from gdb, nil if none is wanted.
func (c *command) waitForDebugger(m *tender.Machine) (*os.File, error) {
	if !c.debug.gdb {
		return nil, nil
	}
	l, err := gdb.Listen(c.debug.port)
	if err != nil {
		return nil, err
	}
	c.warn("Waiting for a debugger. Connect to it like this:")
	c.warn("\tgdb --ex=\"target remote localhost:%d\" KERNEL", l.Port)
	conn, peer, err := l.Accept()
	if err != nil {
		return nil, err
	}
	c.warn("Connection from debugger at %s", peer)
	return conn, nil
}

// serve lets gdb run the guest until one of them ends it.
func (c *command) serve(conn *os.File, m *tender.Machine) (tender.Exit, error) {
	d := m.Debug()
	switch err := gdb.Serve(conn, d); {
	case err == nil:
		c.warn("Debugger detached")
	case errors.Is(err, gdb.ErrExited):
	case errors.Is(err, gdb.ErrKill):
		c.warn("Debugger asked us to quit")
		return tender.Exit{}, &exitError{}
	case errors.Is(err, gdb.ErrLost):
		return tender.Exit{}, failure("GDB: Exiting as we could not receive the next command from the debugger.")
	default:
		return tender.Exit{}, err
	}
	return d.Finish(), nil
}
