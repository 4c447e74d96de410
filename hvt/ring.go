package hvt

import "encoding/binary"

// The memory of one BLOCK_RING or NET_RING, little endian, depth d from the
// manifest. Indices run freely and are taken modulo d.
//
//	0x000 sq_tail u32, cq_head u32             written by the guest
//	0x040 sq_head u32, cq_tail u32, kick u32   written by the tender
//	0x100 d submissions of 32 octets: op, id u32; offset, data u64; len, 0 u32
//	then  d completions of 16 octets: id u32; result i32; len, 0 u32
//
// The guest fills submissions and moves sq_tail; the tender takes them, moves
// sq_head, and answers each by one completion and cq_tail, in any order. The
// guest has at most d unanswered or unread; the tender takes no more. Whoever
// moves an index puts a full barrier behind it; if the guest then reads kick
// as not 0, it stores 4 octets, any value, to the ring's kick address, because
// the tender sleeps. The entry's bit in POLL's ready_set says that a completion
// is unread.
const (
	RingSQTail      = 0x00
	RingCQHead      = 0x04
	RingSQHead      = 0x40
	RingCQTail      = 0x44
	RingNeedsKick   = 0x48
	RingSubmissions = 0x100
	SubmissionSize  = 32
	CompletionSize  = 16
)

// RingSize is the length of a ring of this depth, in octets, whole pages.
func RingSize(depth uint32) uint64 {
	n := RingSubmissions + uint64(depth)*(SubmissionSize+CompletionSize)
	return (n + PageSize - 1) &^ (PageSize - 1)
}

// Operations of submissions.
const (
	RingRead    = 1 // block: read Len octets at Offset
	RingWrite   = 2 // block: write them
	RingSend    = 3 // net: send one frame of Len octets
	RingReceive = 4 // net: one frame into Len octets, whenever it comes
)

// MaxRingTransfer is the longest request of a block ring, in octets.
const MaxRingTransfer = 4 << 20

// Submission is one request. Offset and Len are multiples of the sector size
// on a block ring.
type Submission struct {
	Op, ID       uint32
	Offset, Data uint64 // octets into the device; guest-physical address
	Len          uint32 // octets
}

// DecodeSubmission reads a private copy of a submission. A shorter b, or one
// whose last word is not 0, gives ok = false, with the ID if there is one.
func DecodeSubmission(b []byte) (s Submission, ok bool) {
	if len(b) < SubmissionSize {
		return s, false
	}
	le := binary.LittleEndian
	s = Submission{Op: le.Uint32(b), ID: le.Uint32(b[4:]), Offset: word(b, 8), Data: word(b, 16), Len: le.Uint32(b[24:])}
	return s, le.Uint32(b[28:]) == 0
}

// Put writes s as the guest does.
func (s Submission) Put(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b, s.Op)
	le.PutUint32(b[4:], s.ID)
	le.PutUint64(b[8:], s.Offset)
	le.PutUint64(b[16:], s.Data)
	le.PutUint32(b[24:], s.Len)
	le.PutUint32(b[28:], 0)
}

// Completion answers the submission of the same ID; Len is what was read or
// received, in octets.
type Completion struct {
	ID     uint32
	Result Result
	Len    uint32
}

// Put writes c as the tender does.
func (c Completion) Put(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b, c.ID)
	le.PutUint32(b[4:], uint32(c.Result))
	le.PutUint32(b[8:], c.Len)
	le.PutUint32(b[12:], 0)
}

// DecodeCompletion reads a completion. A shorter b gives ok = false.
func DecodeCompletion(b []byte) (c Completion, ok bool) {
	if len(b) < CompletionSize {
		return c, false
	}
	le := binary.LittleEndian
	return Completion{ID: le.Uint32(b), Result: Result(le.Uint32(b[4:])), Len: le.Uint32(b[8:])}, true
}

// MaxRings is how many rings a guest can have: what follows the last one's
// kick on arm64 are hypercalls again.
const MaxRings = 31

// KickPort and KickMMIO are where the guest kicks its n-th ring, from 1, on
// amd64 and on arm64. Number 0 is Solo5's net ring.
func KickPort(n int) uint64 { return PortKick + 4*uint64(n) }

// KickMMIO is KickPort's twin on arm64.
func KickMMIO(n int) uint64 { return MMIOKick + 8*uint64(n) }
