package hvt

// arm64: a hypercall is a 32-bit store of the argument's guest-physical
// address to MMIOBase + 8·number. Other addresses end the guest.
const (
	MMIOBase = 0x100000000
	MMIOKick = MMIOBase + 0x100 // net ring, Solo5 0.11
	MMIOSize = 0x40000000       // one block of device memory
)

// arm64: translation tables in low memory, 4 KiB granule.
const (
	Arm64PGD  = 0x1000
	Arm64PUD  = 0x2000
	Arm64PMD  = 0x3000 // four tables, one for each GiB
	Arm64PTE0 = 0x7000 // the first 2 MiB

	Arm64PMDExtension = 0x8000 // for an extended guest
)

// Arm64StackOffset is how far below the end of memory the stack pointer
// starts; SP must be a multiple of 16.
const Arm64StackOffset = 16
