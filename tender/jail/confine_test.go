package jail_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"github.com/perilune/perilune/tender/jail"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// tries are what a confined process cannot do even without a filter. Each
// runs in a process of its own, as a control also unconfined. Those that need
// root succeed in the control only for root.
var tries = map[string]struct {
	root bool
	try  func() error
}{
	"read a file": {false, func() error {
		fd, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0)
		unix.Close(fd)
		return err
	}},
	"read a folder": {false, func() error { _, err := os.ReadDir("/"); return err }},
	"make a file": {false, func() error {
		f, err := os.CreateTemp("", "confined")
		if err == nil {
			os.Remove(f.Name())
		}
		return err
	}},
	"bind TCP": {false, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Bind(fd, &unix.SockaddrInet4{})
	}},
	"signal its parent": {false, func() error { return unix.Kill(os.Getppid(), 0) }},
	"set the host name": {true, func() error {
		var u unix.Utsname
		if err := unix.Uname(&u); err != nil {
			return err
		}
		return unix.Sethostname([]byte(unix.ByteSliceToString(u.Nodename[:])))
	}},
	"become another user": {true, func() error { return unix.Setresuid(65534, 65534, 65534) }},
	"run with rights":     {false, func() error { return unix.Exec("/bin/true", []string{"true"}, nil) }},
}

// onThreads says what each of several threads finds, so that a wall around
// one of them only is seen.
func onThreads(try func() error) error {
	const n = 8
	found := make(chan error, n)
	for range n {
		go func() { found <- try() }()
	}
	var err error
	for i := range n {
		if e := <-found; i == 0 {
			err = e
		} else if (e == nil) != (err == nil) {
			return fmt.Errorf("threads differ: %w, %w", err, e)
		}
	}
	return err
}

func confined(name string) error {
	if missing, err := jail.Confine(); err != nil || len(missing) > 0 {
		return fmt.Errorf("confine: %v, %w", missing, err)
	}
	return onThreads(tries[name].try)
}

func TestConfine(t *testing.T) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		t.Skipf("needs Landlock: %v; boot with landlock in the list of lsm= where the kernel has it", errno)
	}
	for name, c := range tries {
		if name == "signal its parent" && version < 6 || name == "bind TCP" && version < 4 {
			continue
		}
		w, out := child(t, name, "confine")
		if !w.Exited() || w.ExitStatus() != 3 || !(strings.Contains(out, unix.EACCES.Error()) || strings.Contains(out, unix.EPERM.Error())) {
			t.Errorf("%s: %#x %s", name, w, out)
		}
		if c.root && os.Getuid() != 0 {
			continue
		}
		if w, out := child(t, name, ""); !w.Exited() || w.ExitStatus() != 0 {
			t.Errorf("control without walls: %s: %#x %s", name, w, out)
		}
	}
}

// A kernel without Landlock is the only one that may lack the wall.
func TestNoLandlock(t *testing.T) {
	w, out := child(t, "no Landlock", "")
	if !w.Exited() || w.ExitStatus() != 0 {
		t.Errorf("%#x %s", w, out)
	}
	w, out = child(t, "broken Landlock", "")
	if !w.Exited() || w.ExitStatus() != 3 || !strings.Contains(out, unix.EMFILE.Error()) {
		t.Errorf("confined in spite of a failure: %#x %s", w, out)
	}
}

// withoutLandlock confines on what stands for a kernel whose answer is errno:
// to everything about Landlock, or only to the making of rules.
func withoutLandlock(errno unix.Errno, rules bool) error {
	number := []bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_LANDLOCK_CREATE_RULESET, SkipTrue: 3},
		bpf.LoadAbsolute{Off: 16, Size: 4}, // the rules, or NULL for a question
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
	}
	if !rules {
		number[3] = bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0}
	}
	raw, err := bpf.Assemble(number)
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(raw)), Filter: (*unix.SockFilter)(unsafe.Pointer(&raw[0]))}
	if _, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&prog))); e != 0 {
		return e
	}
	missing, err := jail.Confine()
	if err == nil && (len(missing) != 1 || missing[0] != jail.ErrNoLandlock.Error()) {
		return errors.New("not said: " + strings.Join(missing, "; "))
	}
	return err
}
