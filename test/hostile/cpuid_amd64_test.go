package hostile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/tendertest"
)

// What a guest finds out about its processor is the named set and nothing of
// the host; tender/kvm has the set itself, octet by octet.
func TestCPUID(t *testing.T) {
	e := run(t, tendertest.Tender(t), "cpuid", "", patience)
	if e.status != 99 {
		t.Fatalf("%+v", e)
	}
	leaves := map[uint32][4]uint32{}
	for line := range strings.Lines(e.stdout) {
		var leaf uint32
		var r [4]uint32
		if _, err := fmt.Sscan(line, &leaf, &r[0], &r[1], &r[2], &r[3]); err != nil {
			t.Fatal(err)
		}
		leaves[leaf] = r
	}
	for _, leaf := range []uint32{0, 1, 7, 0x15, 0x40000000, 0x40000010, 0x80000000, 0x80000001, 0x80000002, 0x80000008} {
		if _, ok := leaves[leaf]; !ok {
			t.Errorf("leaf %#x is empty", leaf)
		}
	}
	if got := text(leaves[0x80000002]); got != kvm.CPUIDSet {
		t.Errorf("brand %q", got)
	}
	if l := leaves[0x40000000]; text([4]uint32{l[1], l[2], l[3]}) != kvm.CPUIDSet {
		t.Errorf("hypervisor %x", l)
	}
	l := leaves[1]
	if l[0] != 0xf61 || l[1] != 0x800 || l[2]&(1<<31) == 0 {
		t.Errorf("features %x", l)
	}
	if _, ok := leaves[0xd]; ok {
		t.Skip("needs a KVM that keeps to the set: this one adds features that it cannot hide; the nest has one, see test/vm/nest")
	}
	if l[2]&(1<<3|1<<5|1<<12|1<<26|1<<27|1<<28) != 0 {
		t.Errorf("MONITOR, VMX, FMA, XSAVE or AVX shows: %x", l)
	}
	allowed := []uint32{0, 1, 7, 0x15, 0x40000000, 0x40000010, 0x80000000, 0x80000001, 0x80000002, 0x80000007, 0x80000008}
	for _, leaf := range slices.Sorted(maps.Keys(leaves)) {
		highest := leaves[leaf] == leaves[0x15] // what an Intel processor answers above its highest leaf
		if !slices.Contains(allowed, leaf) && !highest {
			t.Errorf("leaf %#x shows %x", leaf, leaves[leaf])
		}
	}
}

func text(r [4]uint32) string {
	var b []byte
	for _, v := range r {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return strings.TrimRight(string(b), "\x00")
}
