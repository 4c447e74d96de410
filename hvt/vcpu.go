package hvt

import "encoding/binary"

// The hypercalls on vCPUs, for guests whose manifest declares them. Records:
//
//	VCPU_START  cpu@0 u32, entry@8, stack@16, argument@24, ret@32  40
//	VCPU_PARK   timeout@0, ret@8                                   16
//	VCPU_WAKE   cpu@0 u32, ret@4                                    8
//
// A vCPU starts as the first one does, with the argument in place of the boot
// info's address and its stack ending at the given address, a multiple of 16.
// It lasts as long as the guest. Park sleeps until a wake, which may have come
// before, or until Timeout nanoseconds are over: then the result is
// ResultAgain.
//
// Start answers ResultInvalid for a vCPU that is not declared or addresses
// that the guest cannot use, ResultAgain for one that runs already.

var vcpuNames = [...]string{"VCPU_START", "VCPU_PARK", "VCPU_WAKE"}

var vcpuSizes = [...]int{40, 16, 8}

// Where answers go inside the records.
const (
	VCPUStartRet = 32
	VCPUParkRet  = 8
	VCPUWakeRet  = 4
)

// VCPUStart starts vCPU number CPU; addresses are guest-physical.
type VCPUStart struct {
	CPU                    uint32
	Entry, Stack, Argument uint64
}

// VCPUPark waits up to Timeout nanoseconds for a wake.
type VCPUPark struct{ Timeout uint64 }

// VCPUWake wakes vCPU number CPU.
type VCPUWake struct{ CPU uint32 }

// DecodeVCPUStart reads the argument of VCPU_START; a shorter b gives ok = false.
func DecodeVCPUStart(b []byte) (s VCPUStart, ok bool) {
	if len(b) < CallVCPUStart.Size() {
		return s, false
	}
	return VCPUStart{binary.LittleEndian.Uint32(b), word(b, 8), word(b, 16), word(b, 24)}, true
}

// DecodeVCPUPark reads the argument of VCPU_PARK.
func DecodeVCPUPark(b []byte) (p VCPUPark, ok bool) {
	if len(b) < CallVCPUPark.Size() {
		return p, false
	}
	return VCPUPark{word(b, 0)}, true
}

// DecodeVCPUWake reads the argument of VCPU_WAKE.
func DecodeVCPUWake(b []byte) (w VCPUWake, ok bool) {
	if len(b) < CallVCPUWake.Size() {
		return w, false
	}
	return VCPUWake{binary.LittleEndian.Uint32(b)}, true
}
