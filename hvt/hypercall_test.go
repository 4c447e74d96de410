package hvt_test

import (
	"encoding/binary"
	"testing"

	"github.com/perilune/perilune/hvt"
)

// Sizes of the structures in Solo5 include/hvt_abi.h, as a C compiler lays
// them out on both architectures.
func TestCallSizes(t *testing.T) {
	for n, want := range []int{0, 8, 16, 24, 40, 40, 32, 32, 16, 0} {
		if got := hvt.Number(n).Size(); got != want {
			t.Errorf("call %d (%v): %d octets, want %d", n, hvt.Number(n), got, want)
		}
	}
}

func TestBootInfoLayout(t *testing.T) {
	b, err := hvt.BootInfo{MemSize: 1, KernelEnd: 2, CycleFreq: 3, Cmdline: 4, Manifest: 5,
		HostFeatures: 6, GuestFeatures: 7, NetRing: 8}.MarshalBinary()
	if err != nil || len(b) != hvt.BootInfoSize {
		t.Fatalf("%d octets, %v", len(b), err)
	}
	for at, want := range map[int]uint64{0: 1, 8: 2, 16: 3, 24: 4, 32: 5, 48: 8} {
		if got := binary.LittleEndian.Uint64(b[at:]); got != want {
			t.Errorf("field at %d is %d, want %d", at, got, want)
		}
	}
	if b[40] != 6 || b[44] != 7 {
		t.Errorf("features are %d and %d", b[40], b[44])
	}
}

// FuzzHypercalls: any record decodes or is too short, and nothing else.
func FuzzHypercalls(f *testing.F) {
	f.Add(make([]byte, hvt.MaxCallSize))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, puts := hvt.DecodePuts(b)
		_, poll := hvt.DecodePoll(b)
		block, isBlock := hvt.DecodeBlockIO(b)
		net, isNet := hvt.DecodeNetIO(b)
		_, halt := hvt.DecodeHalt(b)
		for n, ok := range map[hvt.Number]bool{hvt.CallPuts: puts, hvt.CallPoll: poll,
			hvt.CallBlockRead: isBlock, hvt.CallNetRead: isNet, hvt.CallHalt: halt} {
			if ok != (len(b) >= n.Size()) {
				t.Fatalf("%v from %d octets: %v", n, len(b), ok)
			}
		}
		if isBlock && (block.Handle != net.Handle || block.Offset != net.Data || block.Data != net.Len) {
			t.Fatalf("%+v and %+v disagree", block, net)
		}
	})
}
