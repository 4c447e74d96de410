package kvm

import (
	"fmt"

	"github.com/perilune/perilune/tender/regs"
)

const (
	setGuestDebug = 0x4208ae9b
	regU128       = 0x0040000000000000
	regU32        = 0x0020000000000000
	regVectors    = regARM64 | 0x0010<<16 | 336/4 // fp_regs.vregs in struct kvm_regs
	regFPSR       = regARM64 | regU32 | 0x0010<<16 | (336+512)/4
	regFPCR       = regFPSR + 1
	classBRK      = 0x3c // exception class of a BRK in AArch64 state
)

// MaxHardware is how many breakpoints every processor watches at least
// (Arm ARM, ID_AA64DFR0_EL1.BRPs).
const MaxHardware = 2

// debugControl is always set: BRK must come to the tender, not to the guest.
const debugControl = debugEnable | debugSoftware

// BreakInstruction stands where a breakpoint is: BRK #0.
var BreakInstruction = []byte{0x00, 0x00, 0x20, 0xd4}

// guestDebug is struct kvm_guest_debug.
type guestDebug struct {
	control, _         uint32
	bcr, bvr, wcr, wvr [16]uint64
}

// watch sets the breakpoint registers to stop before the instructions at
// these addresses, at EL1 and EL0 (Arm ARM, DBGBCR<n>_EL1).
func (d *guestDebug) watch(at []uint64) {
	for i, a := range at {
		d.bvr[i] = a &^ 3
		d.bcr[i] = 1 | 3<<1 | 0xf<<5
	}
}

// Breakpoint says whether x is a BreakInstruction's doing and where it is.
func (c *VCPU) Breakpoint(x Exit) (at uint64, ok bool) {
	if x.Kind != ExitDebug || x.Addr>>26&0x3f != classBRK {
		return 0, false
	}
	pc, err := c.PC()
	return pc, err == nil
}

var debugRequests = []uint32{setOneReg, setGuestDebug}

// places are the names that KVM has for the registers.
func places() map[string]uint64 {
	m := map[string]uint64{"sp": regSPEL1, "pc": regPC, "cpsr": regPstate, "fpsr": regFPSR, "fpcr": regFPCR}
	for i := range uint64(31) {
		m[fmt.Sprint("x", i)] = regX0 + 2*i
	}
	for i := range uint64(32) {
		m[fmt.Sprint("v", i)] = regVectors + regU128 + 4*i
	}
	return m
}

// Registers reads all registers.
func (c *VCPU) Registers() (regs.Values, error) {
	v, value := regs.ARM64.New(), new([16]byte)
	for name, id := range places() {
		if err := c.oneReg(ReqGetRegs, id, value); err != nil {
			return v, err
		}
		copy(v.Field(name), value[:])
	}
	return v, nil
}

// SetRegisters writes all registers.
func (c *VCPU) SetRegisters(v regs.Values) error {
	value := new([16]byte)
	for name, id := range places() {
		*value = [16]byte{}
		copy(value[:], v.Field(name))
		if err := c.oneReg(setOneReg, id, value); err != nil {
			return err
		}
	}
	return nil
}

// TrapFrame does nothing: Solo5 has no frame for this architecture.
func TrapFrame(regs.Values, []byte) {}
