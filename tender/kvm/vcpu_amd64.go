package kvm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"github.com/perilune/perilune/hvt"
	"golang.org/x/sys/unix"
)

const (
	setCPUID2 = 0x4008ae90
	// ReqGetRegs reads the registers, for a report after a fault.
	ReqGetRegs   = 0x8090ae81
	setRegs      = 0x4090ae82
	setSregs     = 0x4138ae84
	getTSCKHz    = 0xaea3
	capGetTSCKHz = 61
)

var archCapabilities = []capability{{capGetTSCKHz, "KVM_CAP_GET_TSC_KHZ"}}

// generalRegs is struct kvm_regs.
type generalRegs struct {
	rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp uint64
	r8, r9, r10, r11, r12, r13, r14, r15   uint64
	rip, rflags                            uint64
}

// segment is struct kvm_segment.
type segment struct {
	base                                                 uint64
	limit                                                uint32
	selector                                             uint16
	typ, present, dpl, db, s, l, g, avl, unusable, _none uint8
}

// table is struct kvm_dtable.
type table struct {
	base  uint64
	limit uint16
	_     [3]uint16
}

// sregs is struct kvm_sregs.
type sregs struct {
	cs, ds, es, fs, gs, ss, tr, ldt     segment
	gdt, idt                            table
	cr0, cr2, cr3, cr4, cr8, efer, apic uint64
	interrupts                          [4]uint64
}

// prepare does what does not depend on the guest, so that a warm slot has it
// behind it.
func (c *VCPU) prepare() error { return c.setCPUID() }

// CycleFreq is the frequency of the guest's cycle counter in Hz.
func (c *VCPU) CycleFreq() (uint64, error) {
	khz, err := ioctl(c.fd, getTSCKHz, 0)
	if errors.Is(err, unix.EIO) {
		return 0, errors.New("KVM: host TSC is unstable, cannot continue")
	}
	if err != nil {
		return 0, fmt.Errorf("KVM: ioctl (KVM_GET_TSC_KHZ) failed: %w", err)
	}
	return uint64(khz) * 1000, nil
}

// Start puts the processor where the hvt contract lets a guest begin: long
// mode, entry point in rip, boot info in rdi, the stack at the end of memory.
// Tables must lie in low memory (package loader).
func (c *VCPU) Start(entry, memSize uint64) error {
	return c.StartAt(entry, memSize, hvt.BootInfoBase)
}

// StartAt starts a processor like the first one, with its own stack, which
// ends at the address stack, a multiple of 16, and its own argument.
func (c *VCPU) StartAt(entry, stack, argument uint64) error {
	code := segment{limit: 0xffffffff, selector: 1 * 8, typ: 9, present: 1, s: 1, l: 1, g: 1}
	data := segment{limit: 0xffffffff, selector: 2 * 8, typ: 3, present: 1, db: 1, s: 1, g: 1}
	sr := sregs{
		cs: code, ds: data, es: data, fs: data, gs: data, ss: data,
		tr:  segment{typ: 11, present: 1},
		ldt: segment{unusable: 1},
		gdt: table{base: hvt.X86GDT, limit: 3*8 - 1},
		cr0: hvt.X86CR0, cr3: hvt.X86CR3, cr4: hvt.X86CR4, efer: hvt.X86EFER,
	}
	if _, err := ioctlPtr(c.fd, setSregs, unsafe.Pointer(&sr)); err != nil {
		return fmt.Errorf("KVM: ioctl (SET_SREGS) failed: %w", err)
	}
	r := generalRegs{rip: entry, rflags: hvt.X86RFLAGS, rsp: stack - hvt.X86StackOffset, rdi: argument}
	if _, err := ioctlPtr(c.fd, setRegs, unsafe.Pointer(&r)); err != nil {
		return fmt.Errorf("KVM: ioctl (SET_REGS) failed: %w", err)
	}
	return nil
}

// PC is the address of the guest's current instruction.
func (c *VCPU) PC() (uint64, error) {
	var r generalRegs
	if _, err := ioctlPtr(c.fd, ReqGetRegs, unsafe.Pointer(&r)); err != nil {
		return 0, fmt.Errorf("KVM: ioctl (GET_REGS) failed: %w", err)
	}
	return r.rip, nil
}

// portExit tells a hypercall (a single 32-bit OUT) from other port accesses.
func (c *VCPU) portExit(u []byte) Exit {
	out, size := u[0] == 1, u[1]
	port := binary.NativeEndian.Uint16(u[2:])
	count := binary.NativeEndian.Uint32(u[4:])
	off := binary.NativeEndian.Uint64(u[8:])
	n := hvt.Number(port) - hvt.PortBase
	store := out && size == 4 && count == 1
	if !store || !c.vm.takes(n) || off > uint64(len(c.run)-4) {
		return Exit{Kind: ExitPort, Number: uint32(port), Store: store}
	}
	return Exit{Kind: ExitCall, Number: uint32(n), Arg: uint64(binary.NativeEndian.Uint32(c.run[off:]))}
}

func (c *VCPU) mmioExit(u []byte) Exit {
	addr, _, size, write := mmio(u)
	return Exit{Kind: ExitMMIO, Number: exitMMIO, Addr: addr, Store: write && size == 4}
}

// PCName is the program counter's name in messages.
const PCName = "rip"

// HypercallsByMMIO says whether hypercalls are stores to device memory.
const HypercallsByMMIO = false

// runRequests, startRequests and setupRequests are the ioctls on the processor
// that a running guest, one that starts it and one being set up need.
var (
	runRequests   = []uint32{ReqRun, ReqGetRegs}
	startRequests = []uint32{setSregs, setRegs}
	setupRequests = []uint32{setSregs, setRegs, getTSCKHz, setCPUID2}
)

// prepareVM are the ioctls on the machine that a new vCPU needs.
func prepareVM(int) []Request { return nil }
