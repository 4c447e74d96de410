package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Numbers of linux/kvm.h.
const (
	kvmCreateVM      = 0xae01
	kvmGetVCPUMmap   = 0xae04
	kvmCreateVCPU    = 0xae41
	kvmSetUserMemory = 0x4020ae46
	kvmRun           = 0xae80
	kvmSetRegs       = 0x4090ae82
	kvmGetSregs      = 0x8138ae83
	kvmSetSregs      = 0x4138ae84
	kvmExitHalt      = 5

	sregsSize      = 312
	regsSize       = 144
	regsRIP        = 128 // offset in struct kvm_regs
	regsFlags      = 136
	exitReason     = 8    // offset in struct kvm_run
	haltCode       = 0xf4 // HLT
	selectorOffset = 12   // in struct kvm_segment, which cs is first of
)

// userMemory is struct kvm_userspace_memory_region.
type userMemory struct {
	slot, flags           uint32
	guest, size, userAddr uint64
}

// haltGuest runs a virtual machine whose one page holds HLT, in real mode.
func haltGuest(path string) error {
	kvm, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer unix.Close(kvm)
	runtime.LockOSThread() // a vCPU belongs to its thread
	defer runtime.UnlockOSThread()
	vm, err := ioctl(kvm, kvmCreateVM, 0)
	if err != nil {
		return fmt.Errorf("create virtual machine: %w", err)
	}
	defer unix.Close(vm)
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Munmap(page) }()
	page[0] = haltCode
	region := userMemory{size: uint64(len(page)), userAddr: uint64(uintptr(unsafe.Pointer(&page[0])))}
	if _, err := ioctl(vm, kvmSetUserMemory, uintptr(unsafe.Pointer(&region))); err != nil {
		return fmt.Errorf("give memory: %w", err)
	}
	size, err := ioctl(kvm, kvmGetVCPUMmap, 0)
	if err != nil {
		return err
	}
	vcpu, err := ioctl(vm, kvmCreateVCPU, 0)
	if err != nil {
		return fmt.Errorf("create processor: %w", err)
	}
	defer unix.Close(vcpu)
	state, err := unix.Mmap(vcpu, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Munmap(state) }()
	if err := startAtZero(vcpu); err != nil {
		return err
	}
	if _, err := ioctl(vcpu, kvmRun, 0); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	if r := binary.LittleEndian.Uint32(state[exitReason:]); r != kvmExitHalt {
		return fmt.Errorf("guest left with reason %d, not by a halt", r)
	}
	return nil
}

// startAtZero points the processor at the first octet of memory; it comes up
// in real mode.
func startAtZero(vcpu int) error {
	var sregs [sregsSize]byte
	if _, err := ioctl(vcpu, kvmGetSregs, uintptr(unsafe.Pointer(&sregs))); err != nil {
		return fmt.Errorf("read processor: %w", err)
	}
	binary.LittleEndian.PutUint64(sregs[:], 0) // base of cs
	binary.LittleEndian.PutUint16(sregs[selectorOffset:], 0)
	if _, err := ioctl(vcpu, kvmSetSregs, uintptr(unsafe.Pointer(&sregs))); err != nil {
		return fmt.Errorf("set processor: %w", err)
	}
	var regs [regsSize]byte
	binary.LittleEndian.PutUint64(regs[regsRIP:], 0)
	binary.LittleEndian.PutUint64(regs[regsFlags:], 2) // the bit that is always set
	if _, err := ioctl(vcpu, kvmSetRegs, uintptr(unsafe.Pointer(&regs))); err != nil {
		return fmt.Errorf("set registers: %w", err)
	}
	return nil
}

func ioctl(fd int, request, arg uintptr) (int, error) {
	for {
		r, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, arg)
		switch e {
		case 0:
			return int(r), nil
		case unix.EINTR:
		default:
			return 0, e
		}
	}
}
