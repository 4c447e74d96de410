package kvm

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/perilune/perilune/hvt"
)

const (
	preferredTarget = 0x8020aeaf
	vcpuInit        = 0x4020aeae
	setOneReg       = 0x4010aeac
	// ReqGetRegs reads one register, for a report after a fault.
	ReqGetRegs   = 0x4010aeab
	capOneReg    = 70
	regARM64     = 0x6000000000000000
	regU64       = 0x0030000000000000
	regCore      = regARM64 | regU64 | 0x0010<<16
	regSys       = regARM64 | regU64 | 0x0013<<16
	regX0        = regCore // in units of 4 octets of struct kvm_regs
	regPC        = regCore | 64
	regPstate    = regCore | 66
	regSPEL1     = regCore | 68
	pstateEL1h   = 0x3c0 | 5 // D A I F masked
	tcrAddressSz = 64 - 40   // 40-bit addresses
)

var archCapabilities = []capability{{capOneReg, "KVM_CAP_ONE_REG"}}

// sysReg is the name of a system register (op0, op1, CRn, CRm, op2).
func sysReg(op0, op1, crn, crm, op2 uint64) uint64 {
	return regSys | op0<<14 | op1<<11 | crn<<7 | crm<<3 | op2
}

var (
	sctlrEL1 = sysReg(3, 0, 1, 0, 0)
	cpacrEL1 = sysReg(3, 0, 1, 0, 2)
	ttbr0EL1 = sysReg(3, 0, 2, 0, 0)
	tcrEL1   = sysReg(3, 0, 2, 0, 2)
	mairEL1  = sysReg(3, 0, 10, 2, 0)
)

// Values of the registers at the guest's first instruction
// (Arm Architecture Reference Manual, D19).
const (
	// device nGnRnE, device nGnRE, device GRE, normal uncached, normal, write-through
	mairInit = 0x00 | 0x04<<8 | 0x0c<<16 | 0x44<<24 | 0xff<<32 | 0xbb<<40
	// 4 KiB granules, write-back inner and outer, inner shareable, 16-bit ASID, TBI0, 40-bit physical
	tcrInit = tcrAddressSz | tcrAddressSz<<16 |
		1<<8 | 1<<24 | 1<<10 | 1<<26 | 3<<12 | 3<<28 | 2<<30 | 1<<36 | 1<<37 | 2<<32
	sctlrInit = 1<<0 | 1<<2 | 1<<12 // MMU, data cache, instruction cache
	cpacrFPEN = 3 << 20             // floating point without traps
)

// oneReg moves one register from or to value, which is pinned because the
// kernel gets its address as a number: a stack may move.
func (c *VCPU) oneReg(req uintptr, id uint64, value *[16]byte) error {
	var pin runtime.Pinner
	pin.Pin(value)
	defer pin.Unpin()
	r := struct{ id, addr uint64 }{id, uint64(uintptr(unsafe.Pointer(value)))}
	if _, err := ioctlPtr(c.fd, req, unsafe.Pointer(&r)); err != nil {
		name := "GET_ONE_REG"
		if req == setOneReg {
			name = "SET_ONE_REG"
		}
		return fmt.Errorf("KVM: ioctl (%s %#x) failed: %w", name, id, err)
	}
	return nil
}

func (c *VCPU) setReg(id, v uint64) error {
	value := new([16]byte)
	binary.NativeEndian.PutUint64(value[:], v)
	return c.oneReg(setOneReg, id, value)
}

func (c *VCPU) getReg(id uint64) (uint64, error) {
	value := new([16]byte)
	err := c.oneReg(ReqGetRegs, id, value)
	return binary.NativeEndian.Uint64(value[:]), err
}

func (c *VCPU) prepare() error {
	var init struct {
		target   uint32
		features [7]uint32
	}
	if _, err := ioctlPtr(c.vm.fd, preferredTarget, unsafe.Pointer(&init)); err != nil {
		return fmt.Errorf("KVM: ioctl (KVM_ARM_PREFERRED_TARGET) failed: %w", err)
	}
	if _, err := ioctlPtr(c.fd, vcpuInit, unsafe.Pointer(&init)); err != nil {
		return fmt.Errorf("KVM: ioctl (KVM_ARM_VCPU_INIT) failed: %w", err)
	}
	return nil
}

// counterFrequency reads CNTFRQ_EL0.
func counterFrequency() uint64

// CycleFreq is the frequency of the guest's counter CNTVCT in Hz.
func (c *VCPU) CycleFreq() (uint64, error) { return counterFrequency(), nil }

// Start puts the processor where the hvt contract lets a guest begin: EL1h
// with MMU, caches and floating point on, boot info in x0, the stack at the
// end of memory. Tables must lie in low memory (package loader).
func (c *VCPU) Start(entry, memSize uint64) error {
	return c.StartAt(entry, memSize, hvt.BootInfoBase)
}

// StartAt starts a processor like the first one, with its own stack, which
// ends at the address stack, a multiple of 16, and its own argument.
func (c *VCPU) StartAt(entry, stack, argument uint64) error {
	cpacr, err := c.getReg(cpacrEL1)
	if err != nil {
		return err
	}
	for _, r := range [...]struct{ id, v uint64 }{
		{cpacrEL1, cpacr | cpacrFPEN},
		{mairEL1, mairInit}, {tcrEL1, tcrInit}, {ttbr0EL1, hvt.Arm64PGD}, {sctlrEL1, sctlrInit},
		{regPstate, pstateEL1h}, {regSPEL1, stack - hvt.Arm64StackOffset},
		{regX0, argument}, {regPC, entry},
	} {
		if err := c.setReg(r.id, r.v); err != nil {
			return err
		}
	}
	return nil
}

// PC is the address of the guest's current instruction.
func (c *VCPU) PC() (uint64, error) { return c.getReg(regPC) }

// portExit cannot happen here: the architecture has no ports.
func (c *VCPU) portExit([]byte) Exit { return Exit{Kind: ExitOther, Number: exitIO} }

// mmioExit tells a hypercall (a 32-bit store into the call window) from
// other accesses.
func (c *VCPU) mmioExit(u []byte) Exit {
	addr, _, size, write := mmio(u)
	n := hvt.Number((addr - hvt.MMIOBase) >> 3)
	if !write || size != 4 || addr < hvt.MMIOBase || addr%8 != 0 ||
		addr >= hvt.MMIOBase+hvt.MMIOSize || !c.vm.takes(n) {
		return Exit{Kind: ExitMMIO, Number: exitMMIO, Addr: addr, Store: write && size == 4}
	}
	return Exit{Kind: ExitCall, Number: uint32(n), Arg: uint64(binary.NativeEndian.Uint32(u[8:]))}
}

// PCName is the program counter's name in messages.
const PCName = "pc"

// HypercallsByMMIO says whether hypercalls are stores to device memory.
const HypercallsByMMIO = true

// runRequests, startRequests and setupRequests are the ioctls on the processor
// that a running guest, one that starts it and one being set up need.
var (
	runRequests   = []uint32{ReqRun, ReqGetRegs}
	startRequests = []uint32{setOneReg, ReqGetRegs}
	setupRequests = []uint32{setOneReg, ReqGetRegs, vcpuInit}
)

// prepareVM are the ioctls on the machine that a new vCPU needs.
func prepareVM(vm int) []Request { return []Request{{vm, preferredTarget}} }
