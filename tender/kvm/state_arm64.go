package kvm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	getRegList   = 0xc008aeb0
	regSizeShift = 52
	regSizeMask  = 0xf << regSizeShift
	maxRegs      = 4096
	maxRegSize   = 16 // octets: no scalable vectors
)

// The counters as KVM names them; the virtual one has CNTV_CVAL's encoding by
// an old mistake (Linux arch/arm64/include/uapi/asm/kvm.h).
var (
	regCounter  = sysReg(3, 3, 14, 3, 2)
	regPCounter = sysReg(3, 3, 14, 0, 1)
)

// stateRequests are the ioctls of SaveState, LoadState and the counter.
var stateRequests = []uint32{getRegList, ReqGetRegs, setOneReg}

// registers lists everything that KVM keeps of the processor.
func (c *VCPU) registers() ([]uint64, error) {
	list := make([]uint64, 1+maxRegs)
	list[0] = maxRegs
	if _, err := ioctlPtr(c.fd, getRegList, unsafe.Pointer(unsafe.SliceData(list))); err != nil {
		return nil, fmt.Errorf("KVM: ioctl (GET_REG_LIST) failed: %w", err)
	}
	runtime.KeepAlive(list)
	return list[1 : 1+min(list[0], maxRegs)], nil
}

func regSize(id uint64) int { return 1 << (id & regSizeMask >> regSizeShift) }

// SaveState reads everything of a processor that rests behind an instruction,
// but for its counters: id u64 and 16 octets of value for each register.
func (c *VCPU) SaveState() ([]byte, error) {
	ids, err := c.registers()
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, id := range ids {
		if id == regCounter || id == regPCounter {
			continue
		}
		if regSize(id) > maxRegSize {
			return nil, fmt.Errorf("processor register %#x has %d octets: %w", id, regSize(id), ErrUnsupported)
		}
		value := new([16]byte)
		if err := c.oneReg(ReqGetRegs, id, value); err != nil {
			return nil, err
		}
		out = append(binary.LittleEndian.AppendUint64(out, id), value[:]...)
	}
	return out, nil
}

// LoadState puts a processor where SaveState found another one. What cannot be
// written, such as the identification registers, must be the same already.
func (c *VCPU) LoadState(b []byte) error {
	if len(b)%24 != 0 {
		return fmt.Errorf("processor state of %d octets: %w", len(b), ErrState)
	}
	for ; len(b) > 0; b = b[24:] {
		id := binary.LittleEndian.Uint64(b)
		if regSize(id) > maxRegSize || id == regCounter || id == regPCounter {
			return fmt.Errorf("processor register %#x: %w", id, ErrState)
		}
		saved, here := new([16]byte), new([16]byte)
		copy(saved[:], b[8:24])
		err := c.oneReg(ReqGetRegs, id, here)
		if err == nil && *here == *saved {
			continue
		}
		if err == nil {
			err = c.oneReg(setOneReg, id, saved)
		}
		if err != nil {
			return fmt.Errorf("processor register %#x: saved %x, here %x: %w", id, saved[:regSize(id)], here[:regSize(id)],
				errors.Join(ErrState, err))
		}
	}
	return nil
}

// Counter is the guest's counter CNTVCT.
func (c *VCPU) Counter() (uint64, error) { return c.getReg(regCounter) }

// SetCounter lets the counter of the whole machine go on from v.
func (c *VCPU) SetCounter(v uint64) error {
	if err := c.setReg(regCounter, v); err != nil {
		return fmt.Errorf("counter cannot be set: %w", errors.Join(err, unix.ENOTSUP))
	}
	return nil
}

// CPUName names what the guest sees of the processor: the registers in its
// state say more, and have to fit one by one.
const CPUName = "host"
