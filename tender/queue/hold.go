package queue

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/hvt"
)

// Keeper is a Device that keeps requests between calls: Kept lists them,
// oldest first, and Keep gives them back to a new one.
type Keeper interface {
	Kept() []hvt.Submission
	Keep([]hvt.Submission) error
}

// Hold waits until Serve is between two turns and keeps it there until
// Release. A request that waits for the device's peer is one turn.
func (q *Queue) Hold() { q.held.Lock() }

// Release lets Serve go on.
func (q *Queue) Release() { q.held.Unlock() }

// Retire ends Serve, while the queue is held, with what the guest has left in it and what
// its device keeps: that belongs to whoever goes on from State.
func (q *Queue) Retire() {
	q.retired = true
	q.over.Store(true)
	q.Kick()
}

// State is what the host knows beyond the ring's memory, while it is held:
// indices of the next submission and completion, then the kept requests.
func (q *Queue) State() []byte {
	b := binary.LittleEndian.AppendUint32(nil, q.head)
	b = binary.LittleEndian.AppendUint32(b, q.tail.Load())
	if k, ok := q.dev.(Keeper); ok {
		for _, s := range k.Kept() {
			var one [hvt.SubmissionSize]byte
			s.Put(one[:])
			b = append(b, one[:]...)
		}
	}
	return b
}

// SetState makes a queue that has not served yet go on from a State.
func (q *Queue) SetState(b []byte) error {
	bad := fmt.Errorf("ring state of %d octets does not fit", len(b))
	if len(b) < 8 || (len(b)-8)%hvt.SubmissionSize != 0 || (len(b)-8)/hvt.SubmissionSize > int(q.depth) {
		return bad
	}
	head, tail := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	var kept []hvt.Submission
	for b = b[8:]; len(b) > 0; b = b[hvt.SubmissionSize:] {
		s, ok := hvt.DecodeSubmission(b)
		if !ok {
			return bad
		}
		kept = append(kept, s)
	}
	if k, ok := q.dev.(Keeper); ok {
		if err := k.Keep(kept); err != nil {
			return err
		}
	} else if len(kept) > 0 {
		return bad
	}
	// Every submission that was taken is answered or kept.
	if uint32(len(kept)) != head-tail {
		return bad
	}
	q.head, q.taken = head, uint32(len(kept))
	q.tail.Store(tail)
	return nil
}
