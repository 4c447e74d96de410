package hvt

// amd64: a hypercall is a 32-bit OUT of the argument's guest-physical address
// to port PortBase + number. Other ports end the guest.
const (
	PortBase = 0x500
	PortKick = 0x600 // net ring, Solo5 0.11
)

// amd64: low memory, filled by the tender before the guest starts.
//
//	0x1000 GDT   0x2000 PML4   0x3000 PDPT   0x4000..0x7fff PD   0x8000 PT of the first 2 MiB
//	0x9000 PD of the extensions, for an extended guest
//
// Pages below BootInfoBase are not present, those from there to MinBase are
// read-only, the rest of memory is mapped by 2 MiB pages.
const (
	X86GDT  = 0x1000
	X86PML4 = 0x2000
	X86PDPT = 0x3000
	X86PD   = 0x4000
	X86PT0  = 0x8000

	X86PDExtension = 0x9000
)

// amd64: control registers at the guest's first instruction.
const (
	X86CR0    = 1<<0 | 1<<5 | 1<<16 | 1<<31 // PE NE WP PG
	X86CR3    = X86PML4
	X86CR4    = 1<<5 | 1<<9 | 1<<10 // PAE OSFXSR OSXMMEXCPT
	X86EFER   = 1<<8 | 1<<10        // LME LMA
	X86RFLAGS = 1 << 1              // the bit that is always set
)

// amd64: page table entry bits.
const (
	X86Present  = 1 << 0
	X86Writable = 1 << 1
	X86Large    = 1 << 7
)

// X86StackOffset is how far below the end of memory the stack pointer starts:
// as if _start had been called, (rsp + 8) mod 16 = 0.
const X86StackOffset = 8
