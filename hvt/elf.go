package hvt

// What is read of an ELF header (System V ABI, Object Files). The standard
// library's package names these too, but brings decompression and debugging
// formats along, which a tender would pay for at each start.
const (
	elfMagic   = "\x7fELF"
	elfClass64 = 2
	elfLittle  = 1
	elfVersion = 1
	elfExec    = 2

	segmentLoad = 1
	segmentNote = 4

	flagExecutes = 1
	flagWrite    = 2
	flagRead     = 4
)

// Machine is the architecture of an executable, as its ELF header has it.
type Machine uint16

// The machines that guests are made for.
const (
	MachineAMD64 Machine = 62
	MachineARM64 Machine = 183
)

// MachineOf is the machine that Go calls arch; 0 if no guest runs on it.
func MachineOf(arch string) Machine {
	switch arch {
	case "amd64":
		return MachineAMD64
	case "arm64":
		return MachineARM64
	}
	return 0
}
