package kvm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unsafe"
)

const (
	getMSRs      = 0xc008ae88
	setMSRs      = 0x4008ae89
	getEvents    = 0x8040ae9f
	setEvents    = 0x4040aea0
	getDebugRegs = 0x8080aea1
	setDebugRegs = 0x4080aea2
	getXSAVE     = 0x9000aea4
	setXSAVE     = 0x5000aea5
	msrTSC       = 0x10

	// The part of an XSAVE area that every processor has, and the bits of its
	// header that stand for it: x87 and SSE (Intel SDM vol. 1 §13.4).
	xsaveUsed    = 576
	xsaveHeader  = 512
	xsaveClassic = 3
)

// savedMSRs are those that a guest of the CPUID set can have changed, but for
// the cycle counter and what sregs has.
var savedMSRs = []uint32{
	0x174, 0x175, 0x176, // SYSENTER_CS, ESP, EIP
	0x277,                                          // PAT
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, // STAR LSTAR CSTAR SFMASK
	0xc0000102, 0xc0000103, // KERNEL_GS_BASE TSC_AUX
}

// stateRequests are the ioctls of SaveState, LoadState and the counter.
var stateRequests = []uint32{ReqGetRegs, setRegs, getSregs, setSregs, getXSAVE, setXSAVE, getDebugRegs, setDebugRegs,
	getEvents, setEvents, getMSRs, setMSRs, getTSCKHz}

// saved is a processor's state as a snapshot has it, followed by the values of
// savedMSRs: index u32, has u32, value u64 each. XCR0 cannot have changed: the
// set has no XSAVE.
type saved struct {
	Regs      [144]byte
	Sregs     [312]byte
	XSAVE     [4096]byte
	DebugRegs [128]byte
	Events    [64]byte
}

type savedMSR struct {
	Index, Has uint32
	Value      uint64
}

type stateCall struct {
	name string
	req  uintptr
	p    unsafe.Pointer
}

func (c *VCPU) each(calls ...stateCall) error {
	for _, q := range calls {
		if _, err := ioctlPtr(c.fd, q.req, q.p); err != nil {
			return fmt.Errorf("KVM: ioctl (%s) failed: %w", q.name, err)
		}
	}
	return nil
}

// msr reads or writes one MSR; ok is false if KVM does not know it.
func (c *VCPU) msr(req uintptr, index uint32, value *uint64) (ok bool, err error) {
	m := struct {
		n, _  uint32
		index uint32
		_     uint32
		value uint64
	}{n: 1, index: index, value: *value}
	n, err := ioctlPtr(c.fd, req, unsafe.Pointer(&m))
	if err != nil {
		return false, fmt.Errorf("KVM: ioctl (MSR %#x) failed: %w", index, err)
	}
	*value = m.value
	return n == 1, nil
}

// SaveState reads everything of a processor that rests behind an instruction,
// but for its counter.
func (c *VCPU) SaveState() ([]byte, error) {
	s := new(saved)
	err := c.each(stateCall{"GET_REGS", ReqGetRegs, unsafe.Pointer(&s.Regs)},
		stateCall{"GET_SREGS", getSregs, unsafe.Pointer(&s.Sregs)}, stateCall{"GET_XSAVE", getXSAVE, unsafe.Pointer(&s.XSAVE)},
		stateCall{"GET_DEBUGREGS", getDebugRegs, unsafe.Pointer(&s.DebugRegs)},
		stateCall{"GET_VCPU_EVENTS", getEvents, unsafe.Pointer(&s.Events)})
	if err != nil {
		return nil, err
	}
	// What the guest cannot use, and scratch of the kernel, goes.
	clear(s.XSAVE[xsaveUsed:])
	clear(s.XSAVE[xsaveHeader+1 : xsaveUsed])
	s.XSAVE[xsaveHeader] &= xsaveClassic
	out := bytes.NewBuffer(nil)
	_ = binary.Write(out, binary.LittleEndian, s) // a Buffer takes everything
	for _, index := range savedMSRs {
		m := savedMSR{Index: index}
		ok, err := c.msr(getMSRs, index, &m.Value)
		if err != nil {
			return nil, err
		}
		if ok {
			m.Has = 1
		}
		_ = binary.Write(out, binary.LittleEndian, m)
	}
	return out.Bytes(), nil
}

// LoadState puts a processor where SaveState found another one.
func (c *VCPU) LoadState(b []byte) error {
	s, msrs := new(saved), make([]savedMSR, len(savedMSRs))
	in := bytes.NewReader(b)
	if binary.Read(in, binary.LittleEndian, s) != nil || binary.Read(in, binary.LittleEndian, msrs) != nil || in.Len() > 0 {
		return fmt.Errorf("processor state of %d octets: %w", len(b), ErrState)
	}
	if mask := binary.LittleEndian.Uint64(s.XSAVE[xsaveHeader:]); mask&^xsaveClassic != 0 {
		return fmt.Errorf("processor state has extended registers %#x: %w", mask, ErrState)
	}
	clear(s.XSAVE[xsaveUsed:])
	err := c.each(stateCall{"SET_SREGS", setSregs, unsafe.Pointer(&s.Sregs)}, stateCall{"SET_XSAVE", setXSAVE, unsafe.Pointer(&s.XSAVE)},
		stateCall{"SET_DEBUGREGS", setDebugRegs, unsafe.Pointer(&s.DebugRegs)})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	for i, m := range msrs {
		if m.Has == 0 || m.Index != savedMSRs[i] {
			continue
		}
		if ok, err := c.msr(setMSRs, m.Index, &m.Value); err != nil || !ok {
			return fmt.Errorf("model specific register %#x: %w", m.Index, ErrState)
		}
	}
	err = c.each(stateCall{"SET_VCPU_EVENTS", setEvents, unsafe.Pointer(&s.Events)}, stateCall{"SET_REGS", setRegs, unsafe.Pointer(&s.Regs)})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

// Counter is the guest's cycle counter.
func (c *VCPU) Counter() (v uint64, err error) {
	if ok, err := c.msr(getMSRs, msrTSC, &v); err != nil || !ok {
		return 0, fmt.Errorf("cycle counter cannot be read: %w", ErrUnsupported)
	}
	return v, nil
}

// SetCounter lets the cycle counter go on from v.
func (c *VCPU) SetCounter(v uint64) error {
	if ok, err := c.msr(setMSRs, msrTSC, &v); err != nil || !ok {
		return fmt.Errorf("cycle counter cannot be set: %w", ErrUnsupported)
	}
	return nil
}

// CPUName names what the guest sees of the processor.
const CPUName = CPUIDSet
