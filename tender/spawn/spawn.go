// Package spawn starts a tender slot: the process, its sockets, and the walls
// the kernel builds around it from outside (user, namespaces, cgroup). init
// calls it as root; without root the slot gets a process and its sockets and
// nothing more.
package spawn

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"

	"github.com/perilune/perilune/internal/seqpacket"
	"golang.org/x/sys/unix"
)

// Numbers of the descriptors a slot inherits.
const (
	ControlFD = 3 // SEQPACKET, package wire
	KVMFD     = 4 // /dev/kvm
	DataFD    = 5 // SEQPACKET, one packet's user data each
)

// Spec says what to start.
type Spec struct {
	Path     string   // of perilune-tender
	Args     []string // after "slot"
	UID, GID int      // negative, or not root: the caller's own
	Cgroup   string   // a cgroup v2 folder that is made if need be; "" for none
	Limits   Limits
	KVM      *os.File // stays the caller's
	Stderr   *os.File // nil: /dev/null
}

// Slot is a started tender. Control and Data are the caller's ends.
type Slot struct {
	PID           int
	Control, Data *os.File
}

// Start starts a slot and returns at once; it does not wait for the Hello
// and does not reap. The process is born inside its cgroup, because moving
// one there later costs more than starting it.
func Start(s Spec) (*Slot, error) {
	if s.KVM == nil {
		return nil, errors.New("start slot: no /dev/kvm given")
	}
	control, theirControl, err := seqpacket.Pair("control")
	if err != nil {
		return nil, fmt.Errorf("start slot: %w", err)
	}
	defer theirControl.Close()
	data, theirData, err := seqpacket.Pair("data")
	if err != nil {
		control.Close()
		return nil, fmt.Errorf("start slot: %w", err)
	}
	defer theirData.Close()
	pid, err := s.exec(theirControl, theirData)
	if err != nil {
		control.Close()
		data.Close()
		return nil, fmt.Errorf("start slot: %w", err)
	}
	return &Slot{PID: pid, Control: control, Data: data}, nil
}

func (s Spec) exec(control, data *os.File) (int, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	stderr := s.Stderr
	if stderr == nil {
		stderr = null
	}
	attr := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		attr.Cloneflags = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
		if s.UID >= 0 {
			attr.Credential = &syscall.Credential{Uid: uint32(s.UID), Gid: uint32(max(s.GID, 0))}
			attr.AmbientCaps = bornWith
		}
	}
	if s.Cgroup != "" {
		dir, err := makeCgroup(s.Cgroup, s.Limits)
		if err != nil {
			return 0, err
		}
		defer dir.Close()
		attr.UseCgroupFD, attr.CgroupFD = true, int(dir.Fd())
	}
	files := []*os.File{null, null, stderr, control, s.KVM, data}
	fds := make([]uintptr, len(files))
	for i, f := range files {
		fd, err := seqpacket.Descriptor(f)
		if err != nil {
			return 0, err
		}
		fds[i] = uintptr(fd)
	}
	pid, err := forkExec(s.Path, append([]string{s.Path, "slot"}, s.Args...),
		&syscall.ProcAttr{Dir: "/", Env: []string{}, Files: fds, Sys: attr})
	runtime.KeepAlive(files)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", s.Path, err)
	}
	return pid, nil
}

// bornWith is what a slot needs to empty its own root folder and to drop the
// rest of its bounding set; it gives them up before it says Hello.
var bornWith = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT, unix.CAP_SETPCAP}

// forkExec is syscall.ForkExec that as root leaves in the child's bounding
// set no more than bornWith. It happens here, on a thread of its own that
// ends afterwards, because a process with several threads can drop a
// capability only by stopping them all, forty times.
func forkExec(path string, args []string, attr *syscall.ProcAttr) (pid int, err error) {
	if len(attr.Sys.AmbientCaps) == 0 {
		return syscall.ForkExec(path, args, attr)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread is not used again
		for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
			if slices.Contains(bornWith, c) {
				continue
			}
			if e := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); e != nil && e != unix.EINVAL {
				err = fmt.Errorf("drop capability %d: %w", c, e)
				return
			}
		}
		pid, err = syscall.ForkExec(path, args, attr)
	}()
	<-done
	return pid, err
}
