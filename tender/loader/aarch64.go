package loader

import (
	"encoding/binary"

	"github.com/perilune/perilune/hvt"
)

// Bits of a stage 1 descriptor (Arm Architecture Reference Manual, D8.3).
const (
	armTable  = 3
	armPage   = 3
	armBlock  = 1
	armNormal = 4 << 2 // index into MAIR: normal memory
	armDevice = 1 << 2 // device nGnRE
	armRO     = 1 << 7
	armInner  = 3 << 8
	armAF     = 1 << 10
	armPXN    = 1 << 53
	armUXN    = 1 << 54
)

// Arm64Tables writes translation tables for a guest of len(mem) octets, with
// the same three zones as on amd64 and the hypercall window above 4 GiB.
func Arm64Tables(mem []byte) {
	put := func(at, v uint64) { binary.LittleEndian.PutUint64(mem[at:], v) }
	const normal = armAF | armInner | armUXN | armNormal
	const gib = 1 << 30

	put(hvt.Arm64PGD, hvt.Arm64PUD|armTable)
	for a := uint64(0); a < uint64(len(mem)); a += gib {
		put(hvt.Arm64PUD+a/gib*8, (hvt.Arm64PMD+a/gib*hvt.PageSize)|armTable)
	}
	put(hvt.Arm64PUD+hvt.MMIOBase/gib*8, hvt.MMIOBase|armBlock|armAF|armInner|armPXN|armUXN|armDevice)
	put(hvt.Arm64PMD, hvt.Arm64PTE0|armTable)
	for a := uint64(hvt.MemoryStep); a < uint64(len(mem)); a += hvt.MemoryStep {
		put(hvt.Arm64PMD+a/hvt.MemoryStep*8, a|armBlock|normal)
	}
	for a := uint64(hvt.BootInfoBase); a < hvt.MemoryStep; a += hvt.PageSize {
		flags := uint64(armPage | normal)
		if a < hvt.MinBase {
			flags |= armPXN | armRO
		}
		put(hvt.Arm64PTE0+a/hvt.PageSize*8, a|flags)
	}
}

// Arm64Extension adds size octets at hvt.ExtensionBase to the tables in mem,
// for data alone.
func Arm64Extension(mem []byte, size uint64) {
	put := func(at, v uint64) { binary.LittleEndian.PutUint64(mem[at:], v) }
	const gib = 1 << 30

	put(hvt.Arm64PUD+hvt.ExtensionBase/gib*8, hvt.Arm64PMDExtension|armTable)
	for a := uint64(0); a < size; a += hvt.MemoryStep {
		put(hvt.Arm64PMDExtension+(hvt.ExtensionBase%gib+a)/hvt.MemoryStep*8,
			(hvt.ExtensionBase+a)|armBlock|armAF|armInner|armUXN|armPXN|armNormal)
	}
}
