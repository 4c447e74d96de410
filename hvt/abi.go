// Package hvt is the contract between a guest and its tender: Solo5's hvt
// interface, ABI 2 with manifest 1, as a guest built with Solo5 0.8 or later
// (or with the SDK in missions/sdk) expects it, and ABI 1 of Solo5 0.6 to
// 0.7.5, which differs in one rule of the loader. It holds facts only: numbers,
// layouts and the checks that turn hostile bytes into them. It opens nothing
// and runs nothing, so that the ground, the SDK's tools and the tender can
// share it.
package hvt

// The identity of the contract, as the ABI1 note of an executable states it
// (Solo5 include/elf_abi.h, include/hvt_abi.h).
const (
	ABITarget  = 1 // hvt, among Solo5's targets
	ABIVersion = 2 // in use since Solo5 0.8.0

	// ABIOldest is that of Solo5 0.6.0 to 0.7.5. Its hypercalls, records,
	// manifest and start of the processor are those of ABI 2; its boot info
	// is the first 40 octets of today's. What made it another version is the
	// linker script of its guests: see Image.Layout.
	ABIOldest = 1
)

// NoteName owns both notes; note types read as text in the file.
const (
	NoteName     = "Solo5"
	NoteTypeABI  = 0x31494241 // "ABI1"
	NoteTypeMFT  = 0x3154464d // "MFT1"
	noteHeader   = 20         // n_namesz, n_descsz, n_type, "Solo5" padded to 8
	abiNoteAlign = 4
	mftNoteAlign = 8
)

// Guest memory, in octets and guest-physical addresses. All addresses are
// identity mapped when the guest starts.
//
//	0x000000  not mapped: tables of the tender
//	0x010000  boot info, manifest, command line; read-only for the guest
//	0x100000  the program, its segments in ascending order
//	kernel_end .. mem_size  free; the stack starts at its top
const (
	BootInfoBase = 0x10000
	MinBase      = 0x100000
	PageSize     = 0x1000
	MemoryStep   = 0x200000    // memory sizes are multiples of a 2 MiB page
	MaxMemory    = 0x100000000 // hypercalls carry 32-bit addresses
)

// CmdlineSize is the room for the command line with its terminating zero.
const CmdlineSize = 8192

// Exit statuses that the guest API names (Solo5 include/solo5.h).
const (
	StatusOK    = 0
	StatusFail  = 1
	StatusAbort = 255
)

// Number names a hypercall.
type Number uint32

// The hypercalls of ABI 2.
const (
	CallWalltime Number = iota + 1
	CallPuts
	CallPoll
	CallBlockWrite
	CallBlockRead
	CallNetWrite
	CallNetRead
	CallHalt
	callMax
)

var callNames = [...]string{
	CallWalltime: "WALLTIME", CallPuts: "PUTS", CallPoll: "POLL",
	CallBlockWrite: "BLOCK_WRITE", CallBlockRead: "BLOCK_READ",
	CallNetWrite: "NET_WRITE", CallNetRead: "NET_READ", CallHalt: "HALT",
}

// Extended says whether n is a call that only extended guests may make.
func (n Number) Extended() bool { return n >= CallVCPUStart && n <= CallVCPUWake }

// Valid says whether n is a call of ABI 2, or one of extended guests.
func (n Number) Valid() bool { return n >= CallWalltime && n < callMax || n.Extended() }

func (n Number) String() string {
	if !n.Valid() {
		return "invalid"
	}
	if n.Extended() {
		return vcpuNames[n-CallVCPUStart]
	}
	return callNames[n]
}

// Result is what a hypercall hands back in its ret field.
type Result int32

// The results of the guest API (Solo5 include/solo5.h, solo5_result_t).
const (
	ResultOK Result = iota
	ResultAgain
	ResultInvalid
	ResultUnspecified
)

// HaltCookieSize is what HALT's cookie must have behind it when it is set.
const HaltCookieSize = 512
