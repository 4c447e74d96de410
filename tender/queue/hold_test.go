package queue_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/queue"
)

// keeper keeps every request until it is told to answer.
type keeper struct {
	kept   []hvt.Submission
	answer bool
}

func (k *keeper) Submit(batch []hvt.Submission, done func(hvt.Completion)) error {
	k.kept = append(k.kept, batch...)
	return nil
}

func (k *keeper) Progress(done func(hvt.Completion)) error {
	for k.answer && len(k.kept) > 0 {
		done(hvt.Completion{ID: k.kept[0].ID, Len: 5})
		k.kept = k.kept[1:]
	}
	return nil
}

func (k *keeper) Waits() int {
	if len(k.kept) == 0 {
		return -1
	}
	return 0 // something that is always there
}

func (k *keeper) Kept() []hvt.Submission        { return k.kept }
func (k *keeper) Keep(l []hvt.Submission) error { k.kept = l; return nil }

const depth = 4

func newQueue(t *testing.T, mem []byte, k *keeper) *queue.Queue {
	t.Helper()
	q, err := queue.New(mem, depth, -1, k)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 120_000 {
		if is() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal(what, "did not come")
}

// What one queue took and did not answer, another one over the same memory
// answers, after Hold, State and SetState.
func TestState(t *testing.T) {
	mem := make([]byte, hvt.RingSize(depth))
	tail := func(at int) uint32 { return binary.LittleEndian.Uint32(mem[at:]) }
	first := &keeper{}
	q := newQueue(t, mem, first)
	go q.Serve()
	for i := range uint32(3) {
		hvt.Submission{Op: hvt.RingReceive, ID: 70 + i, Len: 10}.Put(mem[hvt.RingSubmissions+i*hvt.SubmissionSize:])
	}
	q.Hold()
	binary.LittleEndian.PutUint32(mem[hvt.RingSQTail:], 3)
	q.Release()
	q.Kick()
	eventually(t, "sq_head 3", func() bool {
		q.Hold()
		defer q.Release()
		return tail(hvt.RingSQHead) == 3
	})
	q.Hold()
	state := q.State()
	saved := append([]byte(nil), mem...)
	first.answer = true
	q.Release()
	q.Close()

	second := &keeper{answer: true}
	mem = saved
	q = newQueue(t, mem, second)
	for _, bad := range [][]byte{nil, state[:7], state[:len(state)-1], state[:8], append(state[:len(state):len(state)], make([]byte, 2*hvt.SubmissionSize)...)} {
		if err := q.SetState(bad); err == nil {
			t.Errorf("a state of %d octets was taken", len(bad))
		}
	}
	if err := q.SetState(state); err != nil {
		t.Fatal(err)
	}
	go q.Serve()
	eventually(t, "the answers", func() bool {
		q.Hold()
		defer q.Release()
		return tail(hvt.RingCQTail) == 3
	})
	q.Close()
	for i := range uint32(3) {
		if id := tail(int(hvt.RingSubmissions + depth*hvt.SubmissionSize + i*hvt.CompletionSize)); id != 70+i {
			t.Errorf("answer %d is for %d", i, id)
		}
	}
}

// What the guest leaves once the queue rests is not done by a queue that retires.
func TestRetire(t *testing.T) {
	mem := make([]byte, hvt.RingSize(depth))
	q := newQueue(t, mem, &keeper{answer: true})
	done := make(chan error, 1)
	go func() { done <- q.Serve() }()
	q.Hold()
	hvt.Submission{Op: hvt.RingReceive, ID: 70, Len: 10}.Put(mem[hvt.RingSubmissions:])
	binary.LittleEndian.PutUint32(mem[hvt.RingSQTail:], 1)
	before := q.State()
	q.Retire()
	q.Release()
	q.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if after := q.State(); string(after) != string(before) || binary.LittleEndian.Uint32(mem[hvt.RingCQTail:]) != 0 {
		t.Errorf("state %x, was %x; %d answers", after, before, binary.LittleEndian.Uint32(mem[hvt.RingCQTail:]))
	}
}
