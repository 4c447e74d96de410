package kvm

import (
	"encoding/binary"
	"fmt"
	"unsafe"
)

// CPUIDSet names what a guest's CPUID instruction answers. It is the same on
// every host that has the listed features, whatever else the host has: no
// topology, caches, power or performance counters, no model and no serial
// number. A host that lacks a listed feature shows the set without it. What a
// host does give are its vendor, because the architectures differ there, and
// the frequency of its cycle counter. A software KVM, whose guests run like
// programs, adds features of the host that it cannot hide. A change to the
// set gets a new name.
//
// All listed features are instructions that any program of the host may
// execute. So the host's own CPUID says whether they are there, and KVM need
// not be asked (KVM_GET_SUPPORTED_CPUID), which costs most of a millisecond.
// There is no AVX: hvt guests start without OSXSAVE, and without it a
// snapshot needs no state that differs between processors.
const CPUIDSet = "perilune-v1"

// Leaves of the set (Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E;
// the last two as KVM, VMware and others have them).
const (
	leafVendor      = 0x0
	leafFeatures    = 0x1
	leafExtended    = 0x7
	leafTSC         = 0x15
	leafHypervisor  = 0x40000000
	leafTiming      = 0x40000010
	leafExtVendor   = 0x80000000
	leafExtFeatures = 0x80000001
	leafBrand       = 0x80000002
	leafPower       = 0x80000007
	leafAddresses   = 0x80000008
)

// Features of the set by register, and values that no host decides.
const (
	// family 15, model 6, stepping 1, as of QEMU's generic processor
	cpuSignature = 0x00000f61
	clflushSize  = 8 << 8 // 64 octets, in units of 8

	// SSE3 PCLMULQDQ SSSE3 CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES RDRAND
	allow1ECX  = 1<<0 | 1<<1 | 1<<9 | 1<<13 | 1<<19 | 1<<20 | 1<<22 | 1<<23 | 1<<25 | 1<<30
	hypervisor = 1 << 31
	// FPU DE PSE TSC MSR PAE CX8 SEP PGE CMOV PAT CLFSH MMX FXSR SSE SSE2
	allow1EDX = 1<<0 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<8 | 1<<11 | 1<<13 | 1<<15 | 1<<16 |
		1<<19 | 1<<23 | 1<<24 | 1<<25 | 1<<26
	// BMI1 BMI2 ERMS RDSEED ADX CLFLUSHOPT SHA
	allow7EBX = 1<<3 | 1<<8 | 1<<9 | 1<<18 | 1<<19 | 1<<23 | 1<<29
	allow7EDX = 1 << 4 // FSRM

	allowExtECX = 1<<0 | 1<<5 | 1<<8            // LAHF LZCNT PREFETCHW
	allowExtEDX = 1<<11 | 1<<20 | 1<<27 | 1<<29 // SYSCALL NX RDTSCP LM
	allowPower  = 1 << 8                        // the cycle counter never stops or changes

	physicalBits, linearBits = 39, 48
)

// cpuidLeaf is what one leaf answers.
type cpuidLeaf struct{ eax, ebx, ecx, edx uint32 }

// cpuidEntry is struct kvm_cpuid_entry2.
type cpuidEntry struct {
	function, index, flags uint32
	cpuidLeaf
	_ [3]uint32
}

const significantIndex = 1 // flag: the entry answers one index only

// maxCPUID is more than the entries of the set.
const maxCPUID = 16

// cpuid is struct kvm_cpuid2.
type cpuid struct {
	n, _    uint32
	entries [maxCPUID]cpuidEntry
}

// hostCPUID executes the instruction.
func hostCPUID(function, index uint32) (l cpuidLeaf)

// cpuidV1 is the set on a host whose CPUID answers as host does.
func cpuidV1(host func(function, index uint32) cpuidLeaf, tscKHz uint32) *cpuid {
	h0, h1 := host(leafVendor, 0), host(leafFeatures, 0)
	e0 := host(leafExtVendor, 0)
	c := &cpuid{}
	add := func(function uint32, l cpuidLeaf) {
		c.entries[c.n] = cpuidEntry{function: function, cpuidLeaf: l}
		c.n++
	}
	add(leafVendor, cpuidLeaf{leafTSC, h0.ebx, h0.ecx, h0.edx})
	add(leafFeatures, cpuidLeaf{cpuSignature, clflushSize, h1.ecx&allow1ECX | hypervisor, h1.edx & allow1EDX})
	var h7 cpuidLeaf
	if h0.eax >= leafExtended {
		h7 = host(leafExtended, 0)
	}
	add(leafExtended, cpuidLeaf{ebx: h7.ebx & allow7EBX, edx: h7.edx & allow7EDX})
	c.entries[c.n-1].flags = significantIndex
	// A crystal of 1 kHz: the ratio is the frequency.
	add(leafTSC, cpuidLeaf{eax: 1, ebx: tscKHz, ecx: 1000})

	name := cpuidText(CPUIDSet)
	add(leafHypervisor, cpuidLeaf{leafTiming, name[0].eax, name[0].ebx, name[0].ecx})
	add(leafTiming, cpuidLeaf{eax: tscKHz})

	add(leafExtVendor, cpuidLeaf{leafAddresses, e0.ebx, e0.ecx, e0.edx})
	e1, power, bits := host(leafExtFeatures, 0), cpuidLeaf{}, uint32(physicalBits)
	if e0.eax >= leafPower {
		power = host(leafPower, 0)
	}
	if e0.eax >= leafAddresses {
		bits = min(bits, host(leafAddresses, 0).eax&0xff)
	}
	add(leafExtFeatures, cpuidLeaf{ecx: e1.ecx & allowExtECX, edx: e1.edx & allowExtEDX})
	for i, l := range name {
		add(leafBrand+uint32(i), l)
	}
	add(leafPower, cpuidLeaf{edx: power.edx & allowPower})
	add(leafAddresses, cpuidLeaf{eax: linearBits<<8 | bits})
	return c
}

// cpuidText is a text as three leaves hold it, padded with zeroes.
func cpuidText(s string) (out [3]cpuidLeaf) {
	var b [48]byte
	copy(b[:], s)
	for i := range out {
		w := func(n int) uint32 { return binary.LittleEndian.Uint32(b[16*i+4*n:]) }
		out[i] = cpuidLeaf{w(0), w(1), w(2), w(3)}
	}
	return out
}

// setCPUID gives the processor the set.
func (c *VCPU) setCPUID() error {
	hz, err := c.CycleFreq()
	if err != nil {
		return err
	}
	id := cpuidV1(hostCPUID, uint32(hz/1000))
	if _, err := ioctlPtr(c.fd, setCPUID2, unsafe.Pointer(id)); err != nil {
		return fmt.Errorf("KVM: ioctl (SET_CPUID2) failed: %w", err)
	}
	return nil
}
