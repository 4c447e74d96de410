package kvm

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Guest debugging (Linux Documentation/virt/kvm/api.rst, 4.87).
const (
	debugEnable     = 1 << 0
	debugSingleStep = 1 << 1
	debugSoftware   = 1 << 16
	debugHardware   = 1 << 17
)

// Access is what the guest does at an address that the processor watches.
type Access uint8

// The kinds of access.
const (
	Execute Access = iota
	Write
	Read
	ReadWrite
)

// Watch is something that the processor itself watches for.
type Watch struct {
	Addr uint64
	Size uint64 // in octets; 0 for Execute
	On   Access
}

// SetDebug chooses what stops the guest besides its exits: one instruction,
// and up to MaxHardware things that the processor watches, of which each Fits.
func (c *VCPU) SetDebug(step bool, hardware []Watch) error {
	if len(hardware) > MaxHardware {
		return fmt.Errorf("%d hardware breakpoints, at most %d", len(hardware), MaxHardware)
	}
	d := guestDebug{control: debugControl}
	if step {
		d.control |= debugEnable | debugSingleStep
	}
	if len(hardware) > 0 {
		d.control |= debugEnable | debugHardware
		d.watch(hardware)
	}
	if _, err := ioctlPtr(c.fd, setGuestDebug, unsafe.Pointer(&d)); err != nil {
		return fmt.Errorf("KVM: ioctl (SET_GUEST_DEBUG) failed: %w", err)
	}
	return nil
}

// Continue takes Kick back: Run enters the guest again.
func (c *VCPU) Continue() {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&c.run[0])), 0)
}

// Finish completes the instruction of the last exit without entering the
// guest, so that the registers are those after it.
func (c *VCPU) Finish() (Exit, error) {
	word := (*uint32)(unsafe.Pointer(&c.run[0]))
	before := atomic.SwapUint32(word, 1<<8*runImmediateExit)
	defer atomic.StoreUint32(word, before)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(c.fd), ReqRun, 0)
	switch errno {
	case 0:
		return c.exit(c.exitReason()), nil
	case unix.EINTR:
		return Exit{}, ErrKicked
	}
	return Exit{}, fmt.Errorf("KVM: ioctl (RUN) failed: %w", errno)
}

// DebugRequests are the ioctls on the processor that debugging needs.
func (c *VCPU) DebugRequests() []Request {
	var out []Request
	for _, n := range debugRequests {
		out = append(out, Request{c.fd, n})
	}
	return out
}
