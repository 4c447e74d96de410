package jail

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrNoLandlock says that the kernel was built or booted without Landlock.
var ErrNoLandlock = errors.New("this kernel has no Landlock")

// What each version of Landlock's interface can forbid
// (Linux Documentation/userspace-api/landlock.rst).
const (
	fsVersion1   = unix.LANDLOCK_ACCESS_FS_REFER - 1 // the 13 rights of the first one
	tcpVersion4  = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	scopeAbility = 6

	// erratumSignals: where it is not fixed, a thread with a domain of its
	// own may not signal its siblings, and so the Go runtime not itself.
	erratumSignals = 1 << (2 - 1)
)

// landlockDenying is a ruleset that allows nothing of what this kernel can
// forbid: no file by name, no TCP, no signal or abstract socket outside.
func landlockDenying(version int, signals bool) unix.LandlockRulesetAttr {
	a := unix.LandlockRulesetAttr{Handled_access_fs: fsVersion1}
	if version >= 2 {
		a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 4 {
		a.Handled_access_net = tcpVersion4
	}
	if version >= 5 {
		a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if version >= scopeAbility {
		a.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		if signals {
			a.Scoped |= unix.LANDLOCK_SCOPE_SIGNAL
		}
	}
	return a
}

// restrict puts every thread under a Landlock domain that allows nothing.
// Descriptors that are open stay as they are. The kernel asks for
// no_new_privs or CAP_SYS_ADMIN first. ErrNoLandlock is the one failure a caller may live
// with; any other means that the wall is not where it should be.
func restrict() error {
	version, err := landlockAsk(unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP) {
		return ErrNoLandlock
	}
	if err != nil {
		return fmt.Errorf("landlock: version: %w", err)
	}
	errata := 0
	if version >= scopeAbility {
		// A kernel that cannot be asked has not repaired it.
		if errata, err = landlockAsk(unix.LANDLOCK_CREATE_RULESET_ERRATA); err != nil {
			errata = 0
		}
	}
	attr := landlockDenying(version, errata&erratumSignals != 0)
	// An older kernel takes a longer record whose tail is zero.
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	runtime.KeepAlive(&attr)
	if errno != 0 {
		return fmt.Errorf("landlock: rules: %w", errno)
	}
	defer unix.Close(int(fd))
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	return nil
}

func landlockAsk(flag uintptr) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, flag)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
