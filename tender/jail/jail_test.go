package jail_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/jail"
	"golang.org/x/sys/unix"
)

// attempts are what a tender has no business with once its guest runs. Each
// runs in a process of its own, with the filter and, as a control, without.
var attempts = map[string]func() error{
	"open": func() error {
		fd, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0)
		unix.Close(fd)
		return err
	},
	"socket": func() error {
		_, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		return err
	},
	"receive": func() error {
		unix.Write(allowedFD, []byte("x"))
		_, _, _, _, err := unix.Recvmsg(blockFD, make([]byte, 1), nil, 0)
		return err
	},
	"exec": func() error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
	"fork": func() error {
		pid, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
		if pid == 0 && errno == 0 {
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
		}
		return nilIfZero(errno)
	},
	"executable memory": func() error {
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
		return err
	},
	"map a file": func() error {
		_, err := unix.Mmap(otherFD, 0, 4096, unix.PROT_READ, unix.MAP_PRIVATE)
		return err
	},
	"thread in a new namespace": func() error {
		_, _, e := unix.RawSyscall(unix.SYS_CLONE, unix.CLONE_THREAD|unix.CLONE_SIGHAND|unix.CLONE_VM|unix.CLONE_NEWUSER, 0, 0)
		return ignore(nilIfZero(e), unix.EINVAL)
	},
	"other ioctl": func() error {
		_, err := unix.IoctlGetInt(allowedFD, unix.TIOCINQ)
		return err
	},
	"other descriptor": func() error {
		_, err := unix.IoctlGetInt(blockFD, unix.TIOCOUTQ)
		return err
	},
	"pread elsewhere": func() error {
		_, err := unix.Pread(otherFD, make([]byte, 1), 0)
		return err
	},
	"signal another": func() error { return unix.Kill(os.Getppid(), 0) },
	"trace":          func() error { _, err := unix.PtraceGetEventMsg(1); return ignore(err, unix.ESRCH, unix.EPERM) },
	"another filter": func() error { return jail.Waiting(-1, nil).Install() },
	"user namespace": func() error { return ignore(unix.Unshare(unix.CLONE_NEWUTS), unix.EPERM) },
	"x32 system call": func() error {
		_, _, e := unix.RawSyscall(0x40000000|39, 0, 0, 0)
		return ignore(nilIfZero(e), unix.ENOSYS)
	},
}

// allowed must work under the filter: what the runtime and the guest need.
var allowed = map[string]func() error{
	"threads, sleep, memory": func() error {
		done := make(chan int, 50)
		for range 50 {
			go func() {
				b := make([]byte, 1<<20)
				time.Sleep(time.Millisecond)
				done <- len(b)
			}()
		}
		for range 50 {
			<-done
		}
		return nil
	},
	"allowed ioctl": func() error { _, err := unix.IoctlGetInt(allowedFD, unix.TIOCOUTQ); return err },
	"block":         func() error { _, err := unix.Pread(blockFD, make([]byte, 1), 0); return ignore(err, unix.ESPIPE) },
	"time":          func() error { _ = time.Now().UnixNano(); return nil },
	"panic": func() (err error) {
		defer func() { recover() }()
		// A panic of the runtime's own, which walks the stack and may map memory.
		return fmt.Errorf("%d", []int{}[len(os.Args)])
	},
}

var (
	allowedFD = -1 // one request on it is allowed
	blockFD   = -1 // may be read by pread; the other end of allowedFD
	otherFD   = -1
)

func nilIfZero(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

func ignore(err error, known ...error) error {
	for _, k := range known {
		if err == k {
			return nil
		}
	}
	return err
}

func TestMain(m *testing.M) {
	name := os.Getenv("JAIL_ATTEMPT")
	if name == "" {
		os.Exit(m.Run())
	}
	if err := attempt(name, os.Getenv("JAIL_WALL")); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	os.Exit(0)
}

// attempt builds the wall "filter" or "confine", or none, and tries.
func attempt(name, wall string) error {
	switch {
	case name == "no Landlock":
		return withoutLandlock(unix.EOPNOTSUPP, false)
	case name == "broken Landlock":
		return withoutLandlock(unix.EMFILE, true)
	case wall == "confine":
		return confined(name)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	allowedFD, blockFD = pair[0], pair[1]
	if otherFD, err = unix.Open(os.Args[0], unix.O_RDONLY, 0); err != nil {
		return err
	}
	f := attempts[name]
	if f == nil {
		f = allowed[name]
	}
	if f == nil {
		f = tries[name].try
	}
	if wall == "filter" {
		filter := jail.Running([]jail.Ioctl{{FD: allowedFD, Request: unix.TIOCOUTQ}}, []int{blockFD})
		if err := filter.Install(); err != nil {
			return err
		}
	}
	return f()
}

func child(t *testing.T, name, wall string) (syscall.WaitStatus, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "JAIL_ATTEMPT="+name, "JAIL_WALL="+wall, "GODEBUG=decoratemappings=0,containermaxprocs=0,updatemaxprocs=0")
	out, _ := cmd.CombinedOutput()
	return cmd.ProcessState.Sys().(syscall.WaitStatus), string(out)
}

func TestFilterKills(t *testing.T) {
	for name := range attempts {
		if strings.HasPrefix(name, "x32") && auditArch != unix.AUDIT_ARCH_X86_64 {
			continue
		}
		if w, out := child(t, name, "filter"); !w.Signaled() || w.Signal() != unix.SIGSYS {
			t.Errorf("%s: %#x %s", name, w, out)
		}
		if w, out := child(t, name, ""); !w.Exited() || w.ExitStatus() != 0 {
			t.Errorf("control without the filter: %s: %#x %s", name, w, out)
		}
	}
}

func TestFilterAllows(t *testing.T) {
	for name := range allowed {
		if w, out := child(t, name, "filter"); !w.Exited() || w.ExitStatus() != 0 {
			t.Errorf("%s: %#x %s", name, w, out)
		}
	}
}
