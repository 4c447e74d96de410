package kvm

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

const setIOEventFD = 0x4040ae79

// ioEventFD is struct kvm_ioeventfd.
type ioEventFD struct {
	match, addr uint64
	len         uint32
	fd          int32
	flags       uint32
	_           [36]byte
}

// SignalOnKick makes KVM signal the eventfd when the guest kicks its n-th
// ring, without an exit to the tender, and gives the address of the kick.
// ErrUnsupported is wrapped where KVM cannot; then a kick is an exit.
func (v *VM) SignalOnKick(n, fd int) (kick uint64, err error) {
	e := ioEventFD{addr: kickAddress(n), len: 4, fd: int32(fd), flags: kickFlags}
	_, err = ioctlPtr(v.fd, setIOEventFD, unsafe.Pointer(&e))
	switch {
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return e.addr, fmt.Errorf("KVM: IOEVENTFD: %w", ErrUnsupported)
	case err != nil:
		return e.addr, fmt.Errorf("KVM: ioctl (IOEVENTFD) failed: %w", err)
	}
	return e.addr, nil
}
