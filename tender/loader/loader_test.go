package loader_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/loader"
)

type memory []byte

func (m memory) Bytes() []byte                        { return m }
func (m memory) Protect(_, _ uint64, _, _ bool) error { return nil }

func TestSize(t *testing.T) {
	for wish, want := range map[uint64]uint64{0: 2 << 20, 1: 2 << 20, 2 << 20: 2 << 20, 3 << 20: 2 << 20,
		4<<30 - 1: 4<<30 - 2<<20, 4 << 30: 4 << 30, 4<<30 + 1: 4 << 30} {
		if got, err := loader.Size(wish); got != want || err != nil {
			t.Errorf("%d: %d, %v", wish, got, err)
		}
	}
	for _, wish := range []uint64{4<<30 + 2<<20, 1 << 63, ^uint64(0)} {
		if _, err := loader.Size(wish); err == nil {
			t.Errorf("%d passed", wish)
		}
	}
}

// walkX86 translates an address as the processor does (Intel SDM vol. 3A §4.5).
func walkX86(mem []byte, v uint64) (phys uint64, writable, ok bool) {
	entry := func(table, index uint64) uint64 { return binary.LittleEndian.Uint64(mem[table+8*index:]) }
	const addr = 0x000ffffffffff000
	table, writable := uint64(hvt.X86CR3), true
	for shift := 39; ; shift -= 9 {
		e := entry(table, v>>shift&511)
		if e&hvt.X86Present == 0 {
			return 0, false, false
		}
		writable = writable && e&hvt.X86Writable != 0
		if shift == 12 || e&hvt.X86Large != 0 {
			mask := uint64(1)<<shift - 1
			return e&addr&^mask | v&mask, writable, true
		}
		table = e & addr
	}
}

// walkArm64 does the same for a 40-bit address space with 4 KiB granules
// (Arm ARM D8.2).
func walkArm64(mem []byte, v uint64) (phys uint64, writable, ok bool) {
	const addr = 0x0000fffffffff000
	table := uint64(hvt.Arm64PGD)
	for shift := 39; ; shift -= 9 {
		e := binary.LittleEndian.Uint64(mem[table+8*(v>>shift&511):])
		if e&1 == 0 {
			return 0, false, false
		}
		if shift == 12 || e&2 == 0 {
			mask := uint64(1)<<shift - 1
			return e&addr&^mask | v&mask, e&(1<<7) == 0, true
		}
		table = e & addr
	}
}

func TestTables(t *testing.T) {
	const size = 64 << 20
	for name, arch := range map[string]struct {
		write func([]byte)
		walk  func([]byte, uint64) (uint64, bool, bool)
		mmio  bool
	}{"amd64": {loader.X86Tables, walkX86, false}, "arm64": {loader.Arm64Tables, walkArm64, true}} {
		mem := make([]byte, size)
		arch.write(mem)
		for v, want := range map[uint64][2]bool{ // mapped, writable
			0: {}, 0x1000: {}, 0x2000: {}, 0x8000: {}, 0xf000: {},
			0x10000: {true, false}, 0xff000: {true, false}, 0x100000: {true, true}, 0x1ff123: {true, true},
			0x200000: {true, true}, size - 1: {true, true}, size: {}, 1<<32 - 1: {},
			hvt.MMIOBase + 16: {arch.mmio, arch.mmio}, hvt.MMIOBase + hvt.MMIOSize: {},
		} {
			phys, writable, ok := arch.walk(mem, v)
			if ok != want[0] || writable != want[1] || ok && phys != v {
				t.Errorf("%s: %#x → %#x, mapped %v, writable %v", name, v, phys, ok, writable)
			}
		}
	}
}

func TestBootInfo(t *testing.T) {
	m := make(memory, 2<<20)
	table, err := hvt.Manifest{}.Table(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := loader.BootInfo(m, 0x123000, 1e9, table, "a b", 0); err != nil {
		t.Fatal(err)
	}
	word := func(at uint64) uint64 { return binary.LittleEndian.Uint64(m[hvt.BootInfoBase+at:]) }
	cmdline := word(24)
	if word(0) != 2<<20 || word(8) != 0x123000 || word(16) != 1e9 || word(32) != 0x10038 || word(40) != 0 || word(48) != 0 {
		t.Errorf("boot info % x", m[0x10000:0x10038])
	}
	if cmdline != 0x10038+8+104 || string(m[cmdline:cmdline+4]) != "a b\x00" {
		t.Errorf("command line at %#x is %q", cmdline, m[cmdline:cmdline+4])
	}
	if err := loader.BootInfo(m, 0, 1, table, strings.Repeat("x", 8191), 0); err != nil {
		t.Error(err)
	}
	if err := loader.BootInfo(m, 0, 1, table, strings.Repeat("x", 8192), 0); !errors.Is(err, loader.ErrCmdline) {
		t.Error(err)
	}
}

// The extensions' GiB is mapped on both architectures, by large pages and for
// no more than it has.
func TestExtensionTables(t *testing.T) {
	le := binary.LittleEndian
	for name, c := range map[string]struct {
		write       func([]byte, uint64)
		level, leaf int
		link, page  uint64 // table and leaf descriptor's low bits
	}{
		"amd64": {loader.X86Extension, hvt.X86PDPT, hvt.X86PDExtension, 3, 0x83},
		"arm64": {loader.Arm64Extension, hvt.Arm64PUD, hvt.Arm64PMDExtension, 3, 1},
	} {
		mem := make([]byte, hvt.MinBase)
		c.write(mem, 2*hvt.MemoryStep)
		if v := le.Uint64(mem[c.level+8*6:]); v != uint64(c.leaf)|c.link {
			t.Errorf("%s: entry of the sixth GiB is %#x", name, v)
		}
		for i := range uint64(2) {
			v := le.Uint64(mem[uint64(c.leaf)+8*i:])
			if v&0xfffffe00000 != hvt.ExtensionBase+i*hvt.MemoryStep || v&c.page != c.page {
				t.Errorf("%s: page %d is %#x", name, i, v)
			}
		}
		if v := le.Uint64(mem[c.leaf+16:]); v != 0 {
			t.Errorf("%s: one page too many: %#x", name, v)
		}
	}
}
