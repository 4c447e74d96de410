package loader

import (
	"encoding/binary"

	"github.com/perilune/perilune/hvt"
)

// X86Tables writes GDT and page tables for a guest of len(mem) octets: below
// hvt.BootInfoBase nothing is mapped, from there to hvt.MinBase pages are
// read-only, above everything is writable. mem holds zeroes: what need not be written is
// not touched (Intel SDM vol. 3A §4.5).
func X86Tables(mem []byte) {
	put := func(at, v uint64) { binary.LittleEndian.PutUint64(mem[at:], v) }
	const link = hvt.X86Present | hvt.X86Writable

	put(hvt.X86GDT+8, 0x00af99000000ffff)  // code: 64 bit, execute-only, accessed
	put(hvt.X86GDT+16, 0x00cf93000000ffff) // data: read, write, accessed

	put(hvt.X86PML4, hvt.X86PDPT|link)
	for i := uint64(0); i < 4; i++ {
		put(hvt.X86PDPT+8*i, (hvt.X86PD+hvt.PageSize*i)|link)
	}
	put(hvt.X86PD, hvt.X86PT0|link)
	for a := uint64(hvt.MemoryStep); a < uint64(len(mem)); a += hvt.MemoryStep {
		put(hvt.X86PD+a/hvt.MemoryStep*8, a|link|hvt.X86Large)
	}
	for a := uint64(hvt.BootInfoBase); a < hvt.MemoryStep; a += hvt.PageSize {
		flags := uint64(hvt.X86Present)
		if a >= hvt.MinBase {
			flags = link
		}
		put(hvt.X86PT0+a/hvt.PageSize*8, a|flags)
	}
}

// X86Extension adds size octets at hvt.ExtensionBase to the tables in mem.
func X86Extension(mem []byte, size uint64) {
	put := func(at, v uint64) { binary.LittleEndian.PutUint64(mem[at:], v) }
	const link = hvt.X86Present | hvt.X86Writable
	const gib = 1 << 30

	put(hvt.X86PDPT+hvt.ExtensionBase/gib*8, hvt.X86PDExtension|link)
	for a := uint64(0); a < size; a += hvt.MemoryStep {
		put(hvt.X86PDExtension+(hvt.ExtensionBase%gib+a)/hvt.MemoryStep*8, (hvt.ExtensionBase+a)|link|hvt.X86Large)
	}
}
