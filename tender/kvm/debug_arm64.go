package kvm

import (
	"encoding/binary"
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
	classWatch    = 0x34 // of a watchpoint at EL0; one more at EL1
)

// MaxHardware is how many instructions, and how many data, every processor
// watches at least (Arm ARM, ID_AA64DFR0_EL1.BRPs and WRPs).
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

// watch sets the breakpoint and watchpoint registers to stop before
// instructions, at EL1 and EL0 (Arm ARM, DBGBCR<n>_EL1 and DBGWCR<n>_EL1).
func (d *guestDebug) watch(what []Watch) {
	instructions, data := 0, 0
	for _, w := range what {
		if w.On == Execute {
			d.bvr[instructions] = w.Addr &^ 3
			d.bcr[instructions] = 1 | 3<<1 | 0xf<<5
			instructions++
			continue
		}
		access := map[Access]uint64{Read: 1, Write: 2, ReadWrite: 3}[w.On]
		d.wvr[data] = w.Addr &^ 7
		d.wcr[data] = 1 | 3<<1 | access<<3 | (1<<w.Size-1)<<(w.Addr&7)<<5
		data++
	}
}

// Fits says whether the processor can watch for w: data within eight octets.
func (w Watch) Fits() bool { return w.On == Execute || w.Size > 0 && w.Addr&7+w.Size <= 8 }

// Watched gives what of hardware, as SetDebug was told, the exit is for: an
// access to data that is still to happen.
func (c *VCPU) Watched(x Exit, hardware []Watch) (Watch, bool) {
	if class := x.Addr >> 26 & 0x3f; x.Kind != ExitDebug || class != classWatch && class != classWatch+1 {
		return Watch{}, false
	}
	far := binary.NativeEndian.Uint64(c.run[runUnion+8:]) // in struct kvm_debug_exit_arch
	for _, w := range hardware {
		// The address is that of the access, which can begin before what is watched.
		if w.On != Execute && far|15 >= w.Addr && far&^7 < w.Addr+w.Size {
			return w, true
		}
	}
	return Watch{}, false
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
