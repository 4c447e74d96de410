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

// MaxHardware is how many things the processor watches: DR0 to DR3.
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

// What DR7 says of an access, and of its size in octets.
var (
	dr7Access = [...]uint64{Execute: 0, Write: 1, ReadWrite: 3}
	dr7Size   = [...]uint64{1: 0, 2: 1, 4: 3, 8: 2}
)

// watch sets DR0.. and DR7 to stop before instructions and behind accesses
// (Intel SDM vol. 3B §17.2).
func (d *guestDebug) watch(what []Watch) {
	d.dr[7] = 1<<9 | 1<<10 // GE, and a bit that is always set
	for i, w := range what {
		d.dr[i] = w.Addr
		d.dr[7] |= 2<<(2*i) | (dr7Access[w.On]|dr7Size[w.Size]<<2)<<(16+4*i)
	}
}

// Fits says whether the processor can watch for w. None can for reading alone,
// and where a software KVM emulates ring 0 no data are watched.
func (w Watch) Fits() bool {
	size := w.Size == 1 || w.Size == 2 || w.Size == 4 || w.Size == 8
	return w.On == Execute || w.On != Read && size && w.Addr%w.Size == 0 && virtualises()
}

// virtualises says whether the host's processor runs guests, by VMX or SVM.
func virtualises() bool {
	return hostCPUID(leafFeatures, 0).ecx>>5&1 != 0 || hostCPUID(leafExtFeatures, 0).ecx>>2&1 != 0
}

// Watched gives what of hardware, as SetDebug was told, the exit is for: an
// access to data.
func (c *VCPU) Watched(x Exit, hardware []Watch) (Watch, bool) {
	dr6 := binary.NativeEndian.Uint64(c.run[runUnion+16:]) // in struct kvm_debug_exit_arch
	for i, w := range hardware {
		if x.Kind == ExitDebug && w.On != Execute && dr6>>i&1 != 0 {
			return w, true
		}
	}
	return Watch{}, false
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
