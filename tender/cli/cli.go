// Package cli is the command line of Solo5's solo5-hvt: its options, its
// order of checks, its messages and exit statuses, so that whatever calls
// that program can call this one.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/console"
	"github.com/perilune/perilune/tender/modules"
	"golang.org/x/sys/unix"
)

const defaultMemory = 512 << 20 // octets

// command is one run of the program.
type command struct {
	prog   string
	stdout *os.File
	stderr io.Writer

	memory   uint64
	vcpus    int // how many the guest may declare; 0: as many as there can be
	image    *hvt.Image
	file     string
	kernel   *os.File
	blocks   map[string]*modules.Block
	sectors  map[string]uint64
	nets     map[string]*modules.Net
	macs     map[string][6]byte
	debug    debugOptions
	saving   savingOptions
	channels map[string]*modules.Net
	noJail   bool
	console  string           // path of the socket for readers; empty without
	history  *console.History // nil without readers
	readers  *console.Server
}

// exitError ends the program: text is printed after the program's name, then
// the usage if wanted.
type exitError struct {
	text  string
	usage bool
}

func (e *exitError) Error() string { return e.text }

func failure(format string, a ...any) error { return &exitError{text: fmt.Sprintf(format, a...)} }

// Main runs the guest that args (with the program's name first) ask for and
// returns the exit status: the guest's own, or 1 with a message on stderr. The
// calling goroutine is bound to its thread.
func Main(args []string, stdout *os.File, stderr io.Writer) int {
	c := &command{prog: filepath.Base(args[0]), stdout: stdout, stderr: stderr, memory: defaultMemory, debug: debugOptions{port: defaultPort},
		blocks: map[string]*modules.Block{}, sectors: map[string]uint64{},
		nets: map[string]*modules.Net{}, channels: map[string]*modules.Net{}, macs: map[string][6]byte{}}
	status, err := c.main(args[1:])
	if err == nil {
		return status
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{text: err.Error()}
	}
	if exit.text != "" {
		c.warn("%s", likeC(err, exit.text))
	}
	if exit.usage {
		c.usage()
	}
	return 1
}

func (c *command) warn(format string, a ...any) {
	fmt.Fprintf(c.stderr, c.prog+": "+format+"\n", a...)
}

// likeC gives the system error at the end of a text the capital that the C
// library gives it.
func likeC(err error, text string) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if head, ok := strings.CutSuffix(text, errno.Error()); ok {
			return head + strings.ToUpper(errno.Error()[:1]) + errno.Error()[1:]
		}
	}
	return text
}

// main keeps the reference's order: the kernel is found, opened and its notes
// are checked before the options are looked at, because what an option may
// name is up to the manifest.
func (c *command) main(args []string) (int, error) {
	at := 0
	for ; at < len(args) && strings.HasPrefix(args[at], "-"); at++ {
		switch args[at] {
		case "--help":
			return 0, &exitError{usage: true}
		case "--version":
			c.version()
			return 0, nil
		}
		if args[at] == "--" {
			at++
			break
		}
		if path, ok := strings.CutPrefix(args[at], "--restore="); ok {
			c.saving.restore = path
		}
	}
	switch restore := c.saving.restore != ""; {
	case restore && at < len(args):
		return 0, &exitError{text: "--restore takes no KERNEL: the snapshot holds it", usage: true}
	case restore:
		if err := c.openSnapshot(); err != nil {
			return 0, err
		}
	case at >= len(args):
		return 0, &exitError{text: "Missing KERNEL operand", usage: true}
	default:
		if err := c.open(args[at]); err != nil {
			return 0, err
		}
	}
	defer c.kernel.Close()
	for _, option := range args[:at] {
		if option == "--" {
			break
		}
		if err := c.option(option); err != nil {
			return 0, err
		}
	}
	return c.run(strings.Join(args[min(at+1, len(args)):], " "))
}

// open checks what can be checked of the kernel before its devices are known.
func (c *command) open(path string) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) // not os.Open, which sets up a poller of files
	if err != nil {
		return &exitError{text: path + ": Could not open: " + likeC(err, err.Error())}
	}
	f := os.NewFile(uintptr(fd), path)
	c.file, c.kernel = path, f
	info, err := f.Stat()
	if err == nil {
		c.image, err = hvt.ReadNotes(f, info.Size(), hvt.MachineOf(runtime.GOARCH))
	}
	if err != nil {
		return &exitError{text: path + ": " + err.Error()}
	}
	return nil
}

func errnoText(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

func (c *command) version() {
	v := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v = info.Main.Version
	}
	fmt.Fprintf(c.stderr, "%s tender, version perilune %s\nABI version %d\n", c.prog, v, hvt.ABIVersion)
}

func (c *command) usage() {
	fmt.Fprintf(c.stderr, `usage: %s [ CORE OPTIONS ] [ MODULE OPTIONS ] [ -- ] KERNEL [ ARGS ]
KERNEL is the filename of the unikernel to run.
ARGS are optional arguments passed to the unikernel.
Core options:
  [ --mem=512 ] (guest memory in MB)
    --help (display this help)
    --version (display version information)
Compiled-in modules: core block net gdb dumpcore 
Compiled-in module options:
    --block:NAME=PATH (attach block device/file at PATH as block storage NAME)
  [ --block-sector-size:NAME=SECTORSIZE ] (set sector size for block device NAME; must be a power of two greater than or equal 512)
    --net:NAME=IFACE | @NN (attach tap at IFACE or at fd @NN as network NAME)
  [ --net-mac:NAME=HWADDR ] (set HWADDR for network NAME)
    --gdb (optional flag for running in a gdb debug session)
  [ --gdb-port=1234 ] (port to use) 
    --dumpcore=DIR (enable guest core dump on abort/trap)
Not in solo5-hvt:
  [ --vcpus-max=N ] (refuse a guest that declares more than N virtual processors)
    --channel:NAME=@NN (attach SEQPACKET socket at fd @NN as channel NAME to another guest)
    --console=unix:PATH (any number of readers of the guest's text on a socket)
  [ --snapshot=FILE ] (on SIGUSR1 write the guest to FILE, once, and let it go on)
    --snapshot-exit (with --snapshot: end then, with status 0)
    --restore=FILE (in place of KERNEL: go on with a guest that was written)
    --no-jail (no walls around this process; to look for faults only)
`, c.prog)
}
