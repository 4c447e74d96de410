package tender_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/modules"
	"golang.org/x/sys/unix"
)

const memSize = 2 << 20

// newCalls serves hypercalls with a disk of 4 KiB and a packet socket whose
// other end is peer.
func newCalls(t testing.TB) (c *tender.Calls, peer int) {
	t.Helper()
	disk, err := os.CreateTemp(t.TempDir(), "disk")
	if err != nil {
		t.Fatal(err)
	}
	disk.Truncate(4096)
	block, err := modules.NewBlock(disk, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	net, err := modules.NewPacket(os.NewFile(uintptr(fds[0]), "packet"), [6]byte{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { block.Close(); net.Close(); unix.Close(fds[1]) })
	if c, err = tender.NewCalls(memSize, block, net, func([]byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return c, fds[1]
}

func TestPointers(t *testing.T) {
	c, _ := newCalls(t)
	for _, p := range []struct {
		gpa, n          uint64
		readable, write bool
	}{
		{0, 1, false, false}, {0xffff, 1, false, false}, {0xffff, 2, false, false},
		{0x10000, 8, true, false}, {0xfffff, 1, true, false}, {0xfffff, 2, true, false},
		{0x100000, 4096, true, false}, {0x100fff, 2, true, false}, {0x101000, 8, true, true},
		{memSize - 8, 8, true, true}, {memSize - 8, 9, false, false}, {memSize, 0, false, false}, {memSize, 1, false, false},
		{memSize - 1, 0, true, true}, {0x101000, math.MaxUint64, false, false},
		{math.MaxUint64, 1, false, false}, {math.MaxUint64, math.MaxUint64, false, false}, {1 << 63, 1, false, false},
	} {
		b, err := c.Readable(p.gpa, p.n)
		if (err == nil) != p.readable || err == nil && uint64(len(b)) != p.n {
			t.Errorf("read %#x+%#x: %d octets, %v", p.gpa, p.n, len(b), err)
		}
		b, err = c.Writable(p.gpa, p.n)
		if (err == nil) != p.write || err == nil && uint64(len(b)) != p.n {
			t.Errorf("write %#x+%#x: %d octets, %v", p.gpa, p.n, len(b), err)
		}
		if cap(b) != len(b) {
			t.Errorf("write %#x+%#x: room to append beyond the guest's buffer", p.gpa, p.n)
		}
	}
}

// FuzzCalls: whatever a guest's vCPU puts into a hypercall's record, the tender
// neither crashes nor writes where the guest could not.
func FuzzCalls(f *testing.F) {
	record := func(words ...uint64) []byte {
		var b []byte
		for _, w := range words {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
		return b
	}
	for cpu := range uint8(2) {
		f.Add(cpu, uint32(hvt.CallWalltime), uint32(0x110000), record(0))
		f.Add(cpu, uint32(hvt.CallPuts), uint32(0x110000), record(0x110000, 16))
		f.Add(cpu, uint32(hvt.CallPoll), uint32(0x110000), record(1000, 0, 0))
		f.Add(cpu, uint32(hvt.CallBlockRead), uint32(0x110000), record(1, 0, 0x120000, 512, 0))
		f.Add(cpu, uint32(hvt.CallBlockWrite), uint32(0x110000), record(1, 3584, 0x120000, 512, 0))
		f.Add(cpu, uint32(hvt.CallNetWrite), uint32(0x110000), record(2, 0x120000, 100, 0))
		f.Add(cpu, uint32(hvt.CallNetRead), uint32(0x110000), record(2, 0x100ff0, 4096, 0))
		f.Add(cpu, uint32(hvt.CallHalt), uint32(0x1fff00), record(0x1fff00, 0))
		f.Add(cpu, uint32(hvt.CallVCPUStart), uint32(0x110000), record(1, 0x100000, 0x180000, 0, 0))
		f.Add(cpu, uint32(hvt.CallVCPUPark), uint32(0x110000), record(1000, 0))
		f.Add(cpu, uint32(hvt.CallVCPUWake), uint32(0x110000), record(1))
	}
	c, peer := newCalls(f)
	mem, drain := c.Memory(), make([]byte, 8192)
	f.Fuzz(func(t *testing.T, cpu uint8, n, gpa uint32, r []byte) {
		low := bytes.Clone(mem[:hvt.MinBase])
		if gpa >= 0x101000 && int(gpa) < memSize {
			copy(mem[gpa:], r)
		}
		unix.Write(peer, []byte("a datagram for the guest"))
		e, ended := c.Call(int(cpu), hvt.Number(n), uint64(gpa))
		if ended && (e.Kind < tender.Halt || e.Kind > tender.Internal) {
			t.Fatalf("ended without a kind: %+v", e)
		}
		if !bytes.Equal(low, mem[:hvt.MinBase]) {
			t.Fatal("memory below the program changed")
		}
		unix.Read(peer, drain)
	})
}
