package jail

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Limits on the slot's process.
const (
	maxFiles   = 128 // 63 devices, kernel, sockets, KVM and the runtime's own
	maxThreads = 64  // of its uid
)

// Enter takes from the process what it was born with: its view of the file
// system, its limits, its capabilities. Call it before the first filter and
// before any file of a tenant is there. The order is root folder, limits,
// bounding set and capabilities, no_new_privs, Landlock; the uid is its own
// from birth (package spawn), and the filter comes last (Filter.Install).
//
// missing says, a line each, which walls could not be built and may be
// missing: in a process that is not the first of a PID namespace of its own
// (package spawn without root) there is no private mount namespace, and the
// root folder stays as it is. Any other failure is an error.
func Enter() (missing []string, err error) {
	own := os.Getpid() == 1
	if own {
		if err := emptyRoot(); err != nil {
			return nil, fmt.Errorf("jail: root folder: %w", err)
		}
	} else {
		missing = append(missing, "started without root: no uid and no empty root folder of its own, no tap")
	}
	if err := setLimits(own); err != nil {
		return nil, fmt.Errorf("jail: %w", err)
	}
	if err := errors.Join(undumpable(), noCapabilities(), noNewPrivileges()); err != nil {
		return nil, fmt.Errorf("jail: %w", err)
	}
	more, err := landlocked()
	return append(missing, more...), err
}

// Confine is Enter for a program that was called from a command line and has
// opened all it needs: no capability, no file by name, and once the filter is
// installed no way to gain any. Each step that needs all threads stops them
// all, so it does with two: root may enter Landlock without no_new_privs,
// which comes with the filter and makes the bounding set meaningless.
func Confine() (missing []string, err error) {
	if err := undumpable(); err != nil {
		return nil, fmt.Errorf("jail: %w", err)
	}
	caps, err := capabilities()
	if err == nil && caps[0].Effective&(1<<unix.CAP_SYS_ADMIN) == 0 {
		err = noNewPrivileges()
	}
	if err != nil {
		return nil, fmt.Errorf("jail: %w", err)
	}
	if missing, err = landlocked(); err != nil {
		return nil, err
	}
	if err := setNoCapabilities(); err != nil {
		return nil, fmt.Errorf("jail: %w", err)
	}
	return missing, nil
}

func landlocked() (missing []string, err error) {
	switch err := restrict(); {
	case errors.Is(err, ErrNoLandlock):
		return []string{err.Error()}, nil
	case err != nil:
		return nil, fmt.Errorf("jail: %w", err)
	}
	return nil, nil
}

// emptyRoot makes an empty, read-only tmpfs the root folder.
func emptyRoot() error {
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	dir := ""
	var err error
	for _, d := range [...]string{"/tmp", "/run", "/proc", "/dev", "/etc"} {
		if err = unix.Mount("none", d, "tmpfs", flags, "size=4k,nr_inodes=8,mode=0555"); err == nil {
			dir = d
			break
		}
	}
	if dir == "" {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	if err := unix.Chdir(dir); err != nil {
		return err
	}
	switch err := unix.PivotRoot(".", "."); {
	case err == nil:
		if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
			return fmt.Errorf("detach old root: %w", err)
		}
	case errors.Is(err, unix.EINVAL):
		// The initial ramfs cannot be pivoted away from: cover it and leave.
		if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("move over root: %w", err)
		}
		if err := unix.Chroot("."); err != nil {
			return fmt.Errorf("chroot: %w", err)
		}
	default:
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	if err := unix.Mount("none", "/", "", unix.MS_REMOUNT|unix.MS_RDONLY|flags, ""); err != nil {
		return fmt.Errorf("make root read-only: %w", err)
	}
	return nil
}

// LimitFiles bounds how long a regular file may become that the process writes
// to, in octets: a tender whose guest has broken out must not fill the disk.
func LimitFiles(octets uint64) error {
	if err := syscall.Setrlimit(unix.RLIMIT_FSIZE, &syscall.Rlimit{Cur: octets, Max: octets}); err != nil {
		return fmt.Errorf("limit fsize: %w", err)
	}
	return nil
}

func setLimits(ownUser bool) error {
	set := func(name string, which int, n uint64) error {
		if err := syscall.Setrlimit(which, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return fmt.Errorf("limit %s: %w", name, err)
		}
		return nil
	}
	err := errors.Join(
		set("core", unix.RLIMIT_CORE, 0),
		set("nofile", unix.RLIMIT_NOFILE, maxFiles),
		set("memlock", unix.RLIMIT_MEMLOCK, 0))
	if ownUser && os.Getuid() != 0 {
		err = errors.Join(err, set("nproc", unix.RLIMIT_NPROC, maxThreads))
	}
	return err
}
