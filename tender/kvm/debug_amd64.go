package kvm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"github.com/perilune/perilune/tender/regs"
)

const (
	getSregs      = 0x8138ae83
	getFPU        = 0x81a0ae8c
	setFPU        = 0x41a0ae8d
	setGuestDebug = 0x4048ae9b
	exitHLT       = 5
)

// MaxHardware is how many breakpoints the processor watches: DR0 to DR3.
const MaxHardware = 4

// debugControl is always set; software breakpoints need no help of KVM here.
const debugControl = 0

// BreakInstruction stands where a breakpoint is: HLT, which ends a run on
// every kind of KVM. INT3 does not on one that emulates ring 0.
var BreakInstruction = []byte{0xf4}

// guestDebug is struct kvm_guest_debug.
type guestDebug struct {
	control, _ uint32
	dr         [8]uint64
}

// watch sets DR0.. and DR7 to stop before the instructions at these
// addresses (Intel SDM vol. 3B §17.2).
func (d *guestDebug) watch(at []uint64) {
	d.dr[7] = 1<<9 | 1<<10 // GE, and a bit that is always set
	for i, a := range at {
		d.dr[i] = a
		d.dr[7] |= 2 << (2 * i)
	}
}

// Breakpoint says whether x is a BreakInstruction's doing and where it is.
func (c *VCPU) Breakpoint(x Exit) (at uint64, ok bool) {
	if x.Kind != ExitOther || x.Number != exitHLT {
		return 0, false
	}
	pc, err := c.PC()
	return pc - uint64(len(BreakInstruction)), err == nil
}

var debugRequests = []uint32{setRegs, getSregs, setSregs, getFPU, setFPU, setGuestDebug}

// fpu is struct kvm_fpu.
type fpu struct {
	st         [8][16]byte
	fcw, fsw   uint16
	ftw, _     uint8
	fop        uint16
	ip, dp     uint64
	xmm        [16][16]byte
	mxcsr, _p2 uint32
}

// state is what KVM says of the processor.
type state struct {
	regs  generalRegs
	sregs sregs
	fpu   fpu
}

func (c *VCPU) state() (*state, error) {
	s := &state{}
	for _, q := range [...]struct {
		name string
		req  uintptr
		p    unsafe.Pointer
	}{{"GET_REGS", ReqGetRegs, unsafe.Pointer(&s.regs)}, {"GET_SREGS", getSregs, unsafe.Pointer(&s.sregs)},
		{"GET_FPU", getFPU, unsafe.Pointer(&s.fpu)}} {
		if _, err := ioctlPtr(c.fd, q.req, q.p); err != nil {
			return nil, fmt.Errorf("KVM: ioctl (%s) failed: %w", q.name, err)
		}
	}
	return s, nil
}

// words names the general registers' places in s.
func (s *state) words() map[string]*uint64 {
	r := &s.regs
	return map[string]*uint64{"rax": &r.rax, "rbx": &r.rbx, "rcx": &r.rcx, "rdx": &r.rdx, "rsi": &r.rsi, "rdi": &r.rdi,
		"rbp": &r.rbp, "rsp": &r.rsp, "r8": &r.r8, "r9": &r.r9, "r10": &r.r10, "r11": &r.r11, "r12": &r.r12,
		"r13": &r.r13, "r14": &r.r14, "r15": &r.r15, "rip": &r.rip, "eflags": &r.rflags,
		"fs_base": &s.sregs.fs.base, "gs_base": &s.sregs.gs.base}
}

func (s *state) selectors() map[string]uint16 {
	r := &s.sregs
	return map[string]uint16{"cs": r.cs.selector, "ss": r.ss.selector, "ds": r.ds.selector,
		"es": r.es.selector, "fs": r.fs.selector, "gs": r.gs.selector}
}

// Registers reads all registers.
func (c *VCPU) Registers() (regs.Values, error) {
	v := regs.AMD64.New()
	s, err := c.state()
	if err != nil {
		return v, err
	}
	for name, p := range s.words() {
		v.Set(name, *p)
	}
	for name, sel := range s.selectors() {
		v.Set(name, uint64(sel))
	}
	f := &s.fpu
	for i := range f.st {
		copy(v.Field(fmt.Sprint("st", i)), f.st[i][:10])
	}
	for i := range f.xmm {
		copy(v.Field(fmt.Sprint("xmm", i)), f.xmm[i][:])
	}
	for name, n := range map[string]uint64{"fctrl": uint64(f.fcw), "fstat": uint64(f.fsw), "ftag": fullTag(f.ftw),
		"fioff": f.ip, "fooff": f.dp, "fop": uint64(f.fop), "mxcsr": uint64(f.mxcsr)} {
		v.Set(name, n)
	}
	return v, nil
}

// fullTag makes of the short tag word, one bit a register in use, the long
// one that gdb shows: 0 for in use, 3 for empty.
func fullTag(short uint8) (full uint64) {
	for i := range 8 {
		if short>>i&1 == 0 {
			full |= 3 << (2 * i)
		}
	}
	return full
}

// SetRegisters writes the general, floating point and vector registers and
// the bases of fs and gs. Selectors and tags cannot be changed.
func (c *VCPU) SetRegisters(v regs.Values) error {
	s, err := c.state()
	if err != nil {
		return err
	}
	for name, sel := range s.selectors() {
		if v.Get(name) != uint64(sel) {
			return errors.New("segment selectors cannot be changed")
		}
	}
	before := s.fpu
	for name, p := range s.words() {
		*p = v.Get(name)
	}
	f := &s.fpu
	for i := range f.st {
		copy(f.st[i][:10], v.Field(fmt.Sprint("st", i)))
	}
	for i := range f.xmm {
		copy(f.xmm[i][:], v.Field(fmt.Sprint("xmm", i)))
	}
	f.fcw, f.fsw, f.mxcsr = uint16(v.Get("fctrl")), uint16(v.Get("fstat")), uint32(v.Get("mxcsr"))
	type set struct {
		name string
		req  uintptr
		p    unsafe.Pointer
	}
	sets := []set{{"SET_REGS", setRegs, unsafe.Pointer(&s.regs)}, {"SET_SREGS", setSregs, unsafe.Pointer(&s.sregs)}}
	if *f != before {
		sets = append(sets, set{"SET_FPU", setFPU, unsafe.Pointer(f)})
	}
	for _, q := range sets {
		if _, err := ioctlPtr(c.fd, q.req, q.p); err != nil {
			return fmt.Errorf("KVM: ioctl (%s) failed: %w", q.name, err)
		}
	}
	return nil
}

// TrapFrame replaces in v what the cookie of a HALT says of the moment of a
// trap (Solo5 bindings/cpu_x86_64.h): cr2, error code, rip, cs, rflags, rsp, ss.
func TrapFrame(v regs.Values, cookie []byte) {
	var frame struct{ CR2, Code, RIP, CS, Flags, RSP, SS uint64 }
	if binary.Read(bytes.NewReader(cookie), binary.LittleEndian, &frame) != nil {
		return
	}
	v.Set("rip", frame.RIP)
	v.Set("cs", frame.CS)
	v.Set("eflags", frame.Flags)
	v.Set("rsp", frame.RSP)
	v.Set("ss", frame.SS)
}
