package jail

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bits of PR_SET_SECUREBITS (linux/securebits.h), each with its lock: being
// uid 0 means nothing, and no capability outlives a change of uid.
const (
	secureNoRoot         = 1<<0 | 1<<1
	secureNoSetuidFixup  = 1<<2 | 1<<3
	secureNoKeepCaps     = 1 << 5
	secureNoAmbientRaise = 1<<6 | 1<<7
	secureAll            = secureNoRoot | secureNoSetuidFixup | secureNoKeepCaps | secureNoAmbientRaise
)

// everyThread is prctl on every thread of the process. It stops all of them
// for a moment, which is most of what the jail costs.
func everyThread(what string, option, arg uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, option, arg, 0, 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("%s: %w", what, errno)
	}
	return nil
}

// noCapabilities takes from every thread what it may do beyond its uid, now
// and after any execve: secure bits, bounding set, capabilities. The bounding
// set goes one by one: package spawn has left little in it.
func noCapabilities() error {
	caps, err := capabilities()
	if err != nil {
		return err
	}
	if caps[0].Effective&(1<<unix.CAP_SETPCAP) != 0 {
		if err := everyThread("secure bits", unix.PR_SET_SECUREBITS, secureAll); err != nil {
			return err
		}
		if err := dropBounding(); err != nil {
			return err
		}
	}
	return setNoCapabilities()
}

// noNewPrivileges keeps every thread from gaining a right by execve.
func noNewPrivileges() error {
	// The calling thread has what it was born with, as all others have.
	if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err == nil && set == 1 {
		return nil
	}
	return everyThread("no_new_privs", unix.PR_SET_NO_NEW_PRIVS, 1)
}

// undumpable hides the process from others of its uid.
func undumpable() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("dumpable: %w", err)
	}
	return nil
}

func dropBounding() error {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		held, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err != nil || held == 0 { // an error: a kernel that knows fewer
			continue
		}
		if err := everyThread(fmt.Sprintf("drop capability %d", c), unix.PR_CAPBSET_DROP, c); err != nil {
			return err
		}
	}
	return nil
}

func capabilities() (data [2]unix.CapUserData, err error) {
	head := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(head, &data[0]); err != nil {
		return data, fmt.Errorf("read capabilities: %w", err)
	}
	return data, nil
}

// setNoCapabilities empties the three sets of every thread, and with them the
// ambient set, and looks whether they are.
func setNoCapabilities() error {
	if held, err := capabilities(); err != nil || held == ([2]unix.CapUserData{}) {
		return err
	}
	head := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	none := &[2]unix.CapUserData{}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET,
		uintptr(unsafe.Pointer(head)), uintptr(unsafe.Pointer(none)), 0)
	runtime.KeepAlive(head)
	runtime.KeepAlive(none)
	if errno != 0 {
		return fmt.Errorf("drop capabilities: %w", errno)
	}
	left, err := capabilities()
	if err != nil {
		return err
	}
	if left != ([2]unix.CapUserData{}) {
		return errors.New("capabilities are left after dropping all")
	}
	return nil
}
