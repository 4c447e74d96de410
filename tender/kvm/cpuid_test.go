//go:build amd64

package kvm

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"unsafe"
)

// octets is what KVM is given.
func (c *cpuid) octets() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(c)), unsafe.Sizeof(*c))
}

// richHost has every feature there is, and fills every other bit with noise.
func richHost(noise func() uint32) func(uint32, uint32) cpuidLeaf {
	return func(function, index uint32) cpuidLeaf {
		n := cpuidLeaf{noise(), noise(), noise(), noise()}
		switch function {
		case leafVendor:
			return cpuidLeaf{0x1f + n.eax&0xff, 0x756e6547, 0x6c65746e, 0x49656e69} // GenuineIntel
		case leafExtVendor:
			return cpuidLeaf{eax: leafAddresses + n.eax&0xff}
		case leafFeatures:
			n.ecx, n.edx = n.ecx|allow1ECX, n.edx|allow1EDX
		case leafExtended:
			n.ebx, n.edx = n.ebx|allow7EBX, n.edx|allow7EDX
		case leafExtFeatures:
			n.ecx, n.edx = n.ecx|allowExtECX, n.edx|allowExtEDX
		case leafPower:
			n.edx |= allowPower
		case leafAddresses:
			n.eax = physicalBits + n.eax&7
		}
		return n
	}
}

// The set is its name: whoever changes one octet of the golden file has to
// change CPUIDSet too, for guests may have been stopped under the old one.
func TestCPUIDGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/" + CPUIDSet + ".hex")
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		b, err := hex.DecodeString(strings.Join(strings.Fields(line), ""))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, b...)
	}
	got := cpuidV1(richHost(func() uint32 { return 0 }), 2_400_000)
	if b := got.octets()[8 : 8+40*got.n]; !bytes.Equal(b, want) {
		for i := 0; i < len(b); i += 40 {
			t.Logf("%x", b[i:i+28])
		}
		t.Errorf("the set has changed")
	}
}

// Nothing else of the host shows: whatever other bits and leaves it has.
func TestCPUIDSame(t *testing.T) {
	want := cpuidV1(richHost(func() uint32 { return 0 }), 2_400_000).octets()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		if !bytes.Equal(cpuidV1(richHost(r.Uint32), 2_400_000).octets(), want) {
			t.Fatalf("seed %d: another set", seed)
		}
	}
}

// A poor host gives less, and never what it has not.
func TestCPUIDPoorHost(t *testing.T) {
	poor := func(function, _ uint32) cpuidLeaf {
		switch function {
		case leafVendor:
			return cpuidLeaf{eax: 1, ebx: 1}
		case leafFeatures:
			return cpuidLeaf{edx: allow1EDX}
		case leafExtVendor:
			return cpuidLeaf{eax: leafAddresses}
		case leafExtFeatures:
			return cpuidLeaf{edx: allowExtEDX}
		case leafAddresses:
			return cpuidLeaf{eax: 36}
		}
		return cpuidLeaf{^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0)}
	}
	for _, e := range cpuidV1(poor, 1).entries {
		switch {
		case e.function == leafFeatures && e.ecx != hypervisor,
			e.function == leafExtended && e.cpuidLeaf != (cpuidLeaf{}),
			e.function == leafAddresses && e.eax != linearBits<<8|36:
			t.Errorf("leaf %#x: %+v", e.function, e.cpuidLeaf)
		}
	}
}

// The set must be given to KVM whole and ordered, whatever machine this is.
func TestCPUIDHere(t *testing.T) {
	a, b := cpuidV1(hostCPUID, 1), cpuidV1(hostCPUID, 1)
	if !bytes.Equal(a.octets(), b.octets()) {
		t.Error("two calls, two sets")
	}
	if a.n > maxCPUID || a.entries[1].edx&(1<<26) == 0 {
		t.Errorf("%d entries, features %+v", a.n, a.entries[1])
	}
}
