package kvm

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From linux/io_uring.h.
const (
	ringDisabled  = 1 << 6 // IORING_SETUP_R_DISABLED
	registerFiles = 2      // IORING_REGISTER_FILES
)

// ringParams is struct io_uring_params.
type ringParams struct {
	sqEntries, cqEntries, flags, _ uint32
	_                              [26]uint32
}

// LeaveBehind lets the kernel take the processors, and with them their machine,
// apart after the process has ended, beside whatever comes next: that takes a
// third of a millisecond, for which whoever started the program need not wait.
// Where it says no, the process takes them apart before it ends, as any other.
//
// What does it is a ring of io_uring that knows the processors as its files.
// The kernel's own thread ends such rings and closes their files. The ring is
// born disabled and nothing is ever asked of it.
func LeaveBehind(processors []*VCPU) bool {
	params := ringParams{flags: ringDisabled}
	ring, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)), 0)
	if errno != 0 {
		return false
	}
	fds := make([]int32, len(processors))
	for i, c := range processors {
		fds[i] = int32(c.fd)
	}
	_, _, errno = unix.Syscall6(unix.SYS_IO_URING_REGISTER, ring, registerFiles,
		uintptr(unsafe.Pointer(unsafe.SliceData(fds))), uintptr(len(fds)), 0, 0)
	runtime.KeepAlive(fds)
	if errno != 0 {
		unix.Close(int(ring))
		return false
	}
	return true
}
