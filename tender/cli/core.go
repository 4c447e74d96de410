package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/perilune/perilune/tender"
	"golang.org/x/sys/unix"
)

// CoreNamer is the program name under which the tender runs once more to give
// a core file its name.
//
// The file is made without a name before the jail shuts, so that nothing is
// left of it when the guest does not abort. Inside the jail nobody can name
// it: there is no way to a file system. So a second process stays outside; it
// has the file, the name and a socket, and knows nothing of the guest.
const CoreNamer = "perilune-core-namer"

// SnapshotNamer is the same for a snapshot, which replaces what has its name.
const SnapshotNamer = "perilune-snapshot-namer"

const (
	namerFile   = 3 // descriptors of the second process
	namerSocket = 4
)

// lateFile is a file that gets its name once it is written.
type lateFile struct {
	*os.File
	path  string
	namer *os.File
}

// openCore makes the file, nil if none is wanted.
func (c *command) openCore() (*lateFile, error) {
	dir := c.debug.dir
	if dir == "" {
		return nil, nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, failure("dumpcore: cannot open dir")
	}
	if unix.Access(dir, unix.W_OK) != nil {
		return nil, failure("dumpcore: dir not writable")
	}
	// The reference's name, so that what collects core files finds them.
	f, err := newLateFile(CoreNamer, dir, fmt.Sprintf("%s/core.solo5-hvt.%d", dir, os.Getpid()))
	if err != nil {
		return nil, failure("dumpcore: %v", err)
	}
	return f, nil
}

// newLateFile makes a file in dir that namer will call path.
func newLateFile(namer, dir, path string) (*lateFile, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, failure("cannot make a file without a name in %s: %s", dir, likeC(err, errnoText(err)))
	}
	f := &lateFile{File: os.NewFile(uintptr(fd), path), path: path}
	f.namer, err = startNamer(namer, fd, path)
	return f, err
}

func startNamer(namer string, file int, path string) (*os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(pair[1])
	_, err = syscall.ForkExec("/proc/self/exe", []string{namer, path}, &syscall.ProcAttr{
		Files: []uintptr{0, 1, 2, uintptr(file), uintptr(pair[1])}, Env: []string{}, Sys: &syscall.SysProcAttr{Setsid: true}})
	if err != nil {
		unix.Close(pair[0])
		return nil, err
	}
	return os.NewFile(uintptr(pair[0]), "namer"), nil
}

// NameCore is the second process: it waits for a word and links the file. The
// end of the connection without one is the end of the file.
func NameCore(path string) int {
	return awaitName(func() error { return linkTo(path) })
}

// NameSnapshot is the second process for a snapshot. Whoever looks at path sees
// the old file or the new one, also after a power cut.
func NameSnapshot(path string) int {
	return awaitName(func() error {
		next := fmt.Sprintf("%s.%d", path, os.Getpid())
		if err := linkTo(next); err != nil {
			return err
		}
		if err := unix.Rename(next, path); err != nil {
			_ = unix.Unlink(next)
			return err
		}
		dir, err := unix.Open(filepath.Dir(path), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(dir)
		return unix.Fsync(dir)
	})
}

func linkTo(path string) error {
	return unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", namerFile), unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
}

func awaitName(name func() error) int {
	var b [8]byte
	if n, err := unix.Read(namerSocket, b[:]); err != nil || n == 0 {
		return 0
	}
	err := name()
	answer := []byte{0}
	if errno, ok := err.(syscall.Errno); ok {
		answer[0] = byte(errno)
	}
	if _, err := unix.Write(namerSocket, answer); err != nil {
		return 1
	}
	return 0
}

// name asks the second process for the file's name.
func (f *lateFile) name() error {
	b := []byte{1}
	if _, err := f.namer.Write(b); err != nil {
		return err
	}
	if _, err := f.namer.Read(b); err != nil {
		return err
	}
	if b[0] != 0 {
		return syscall.Errno(b[0])
	}
	return nil
}

// dump writes the core file and names it.
func (c *command) dump(f *lateFile, m *tender.Machine) {
	failed := func(what string, err error) {
		c.warn("dumpcore: %s: %s", what, likeC(err, errnoText(err)))
		c.warn("dumpcore: error(s) dumping core, file may be incomplete")
	}
	c.warn("dumpcore: dumping guest core to: %s", f.path)
	written, total, err := m.Core(f.File)
	if nameErr := f.name(); nameErr != nil {
		failed(fmt.Sprintf("open(%s)", f.path), nameErr)
		return
	}
	if err != nil {
		failed("write", err)
		return
	}
	c.warn("dumpcore: dumped %d pages of total %d pages", written, total)
}
