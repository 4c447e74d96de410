package hvt

import "encoding/binary"

// The argument of a hypercall is one of the records below, in the guest's
// memory, fields little endian. Decode reads a private copy of a record; the
// offsets say where the tender may write its answer.
//
//	WALLTIME     nsecs@0                                        8
//	PUTS         data@0 len@8                                  16
//	POLL         timeout@0 ready@8 ret@16                      24
//	BLOCK_WRITE  handle@0 offset@8 data@16 len@24 ret@32       40
//	BLOCK_READ   handle@0 offset@8 data@16 len@24 ret@32       40
//	NET_WRITE    handle@0 data@8 len@16 ret@24                 32
//	NET_READ     handle@0 data@8 len@16 ret@24                 32
//	HALT         cookie@0 status@8                             16
var callSizes = [callMax]int{
	CallWalltime: 8, CallPuts: 16, CallPoll: 24, CallBlockWrite: 40,
	CallBlockRead: 40, CallNetWrite: 32, CallNetRead: 32, CallHalt: 16,
}

// MaxCallSize is the longest record.
const MaxCallSize = 40

// Size is the length of n's record in octets, 0 for an unknown call.
func (n Number) Size() int {
	if !n.Valid() {
		return 0
	}
	if n.Extended() {
		return vcpuSizes[n-CallVCPUStart]
	}
	return callSizes[n]
}

// Puts writes Len octets at Data to the console.
type Puts struct{ Data, Len uint64 }

// Poll waits up to Timeout nanoseconds for a NET device to become readable.
type Poll struct{ Timeout uint64 }

// BlockIO is the argument of BLOCK_READ and BLOCK_WRITE; Offset in octets.
type BlockIO struct{ Handle, Offset, Data, Len uint64 }

// NetIO is the argument of NET_READ and NET_WRITE.
type NetIO struct{ Handle, Data, Len uint64 }

// Halt ends the guest. Cookie is 0 or points at HaltCookieSize octets.
type Halt struct {
	Cookie uint64
	Status int32
}

// Where answers go inside the records.
const (
	PollReadySet = 8
	PollRet      = 16
	BlockRet     = 32
	NetLen       = 16
	NetRet       = 24
)

func word(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

// DecodePuts reads b, which has CallPuts.Size() octets; so do the others
// with their own size. A shorter b gives ok = false.
func DecodePuts(b []byte) (p Puts, ok bool) {
	if len(b) < callSizes[CallPuts] {
		return p, false
	}
	return Puts{Data: word(b, 0), Len: word(b, 8)}, true
}

// DecodePoll reads the argument of POLL.
func DecodePoll(b []byte) (p Poll, ok bool) {
	if len(b) < callSizes[CallPoll] {
		return p, false
	}
	return Poll{Timeout: word(b, 0)}, true
}

// DecodeBlockIO reads the argument of BLOCK_READ and BLOCK_WRITE.
func DecodeBlockIO(b []byte) (io BlockIO, ok bool) {
	if len(b) < callSizes[CallBlockRead] {
		return io, false
	}
	return BlockIO{Handle: word(b, 0), Offset: word(b, 8), Data: word(b, 16), Len: word(b, 24)}, true
}

// DecodeNetIO reads the argument of NET_READ and NET_WRITE.
func DecodeNetIO(b []byte) (io NetIO, ok bool) {
	if len(b) < callSizes[CallNetRead] {
		return io, false
	}
	return NetIO{Handle: word(b, 0), Data: word(b, 8), Len: word(b, 16)}, true
}

// DecodeHalt reads the argument of HALT.
func DecodeHalt(b []byte) (h Halt, ok bool) {
	if len(b) < callSizes[CallHalt] {
		return h, false
	}
	return Halt{Cookie: word(b, 0), Status: int32(binary.LittleEndian.Uint32(b[8:]))}, true
}
