// Package queue is the host's side of a BLOCK_RING or NET_RING (layout and
// rules: hvt's RingSQTail and what follows it): the guest leaves requests in
// memory that both see, a thread of its own serves them, and no exit is
// needed while either side is awake.
//
// All of the memory is the guest's to scribble in. The host keeps its own
// indices and believes no distance above the depth; it copies each request
// once, before it looks; and it takes a request only when there is a place
// for the answer, so that no guest makes it hold more than the depth.
package queue

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perilune/perilune/hvt"
	"golang.org/x/sys/unix"
)

// Device carries out requests. All its methods run on the queue's thread.
type Device interface {
	// Submit takes requests, which it may keep no longer than the call, and
	// answers each by done, now or in a later Progress. An error ends the
	// guest.
	Submit(batch []hvt.Submission, done func(hvt.Completion)) error
	// Progress answers what can be answered of the requests that wait.
	Progress(done func(hvt.Completion)) error
	// Waits is a descriptor that becomes readable when Progress can go on,
	// or -1 when nothing waits.
	Waits() int
}

// batchMax is how many requests are taken at once.
const batchMax = 64

// Limits of the looks at an empty queue before the thread sleeps: they double
// when looking paid and halve when it did not.
const (
	spinsMin  = 1 << 13 // some 70 microseconds: about what a kick costs the guest
	spinsMax  = 1 << 17
	looksEach = 256 // spins between two looks at a device that waits
)

// Queue is one ring. Serve belongs to one goroutine, everything else to any.
type Queue struct {
	mem     []byte
	depth   uint32
	dev     Device
	event   int // eventfd that wakes Serve
	bell    int // eventfd that wakes POLL
	over    atomic.Bool
	done    chan struct{}
	held    sync.Mutex // while requests are under way, or by Hold
	retired bool       // see Retire; guarded by held

	head   uint32        // next submission
	tail   atomic.Uint32 // next completion
	taken  uint32        // requests without an answer
	spins  int
	sleeps atomic.Int32 // POLLs that sleep
	batch  [batchMax]hvt.Submission
	answer func(hvt.Completion)
}

// New makes a queue of this depth, a power of two, in mem, which has
// hvt.RingSize(depth) octets and is aligned to a page. bell is an eventfd
// that is signalled for each answer while someone sleeps: see Sleep.
func New(mem []byte, depth uint32, bell int, dev Device) (*Queue, error) {
	size := hvt.RingSize(depth)
	if depth == 0 || depth > hvt.MaxDepth || depth&(depth-1) != 0 || uint64(len(mem)) < size {
		return nil, fmt.Errorf("ring of depth %d in %d octets: %w", depth, len(mem), unix.EINVAL)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	q := &Queue{mem: mem[:size:size], depth: depth, dev: dev, event: event, bell: bell,
		done: make(chan struct{}), spins: spinsMin}
	q.answer = q.complete
	return q, nil
}

// FD is the eventfd, for KVM to signal when the guest kicks.
func (q *Queue) FD() int { return q.event }

// Kick wakes Serve.
func (q *Queue) Kick() { _, _ = unix.Write(q.event, one) }

var one = []byte{1, 0, 0, 0, 0, 0, 0, 0}

// Close lets Serve do what the guest has left, as far as there is room for
// answers, and waits for it. The guest does not run any more.
func (q *Queue) Close() {
	q.over.Store(true)
	q.Kick()
	<-q.done
	unix.Close(q.event)
}

// Ready says whether the guest has answers to read.
func (q *Queue) Ready() bool { return q.tail.Load() != atomic.LoadUint32(q.word(hvt.RingCQHead)) }

// Sleep says that a POLL is about to wait for the bell; it must look at Ready
// afterwards, before it does. Wake ends that.
func (q *Queue) Sleep() { q.sleeps.Add(1) }

// Wake undoes Sleep.
func (q *Queue) Wake() { q.sleeps.Add(-1) }

func (q *Queue) word(at int) *uint32 { return (*uint32)(unsafe.Pointer(&q.mem[at])) }

// IndexError says that one of the guest's indices left its ring.
type IndexError struct {
	Index    string
	Distance uint32
	Depth    uint32
}

func (e *IndexError) Error() string {
	return fmt.Sprintf("Invalid ring index: %s is %d ahead in a ring of %d", e.Index, e.Distance, e.Depth)
}

// waiting is how many requests can be taken: the guest has left them and
// there is room for their answers.
func (q *Queue) waiting() (uint32, error) {
	left := atomic.LoadUint32(q.word(hvt.RingSQTail)) - q.head
	if left > q.depth {
		return 0, &IndexError{"sq_tail", left, q.depth}
	}
	unread := q.tail.Load() - atomic.LoadUint32(q.word(hvt.RingCQHead))
	if unread > q.depth {
		return 0, &IndexError{"cq_head", -unread, q.depth}
	}
	// A guest that takes cq_head back has less room than was promised.
	if q.taken+unread >= q.depth {
		return 0, nil
	}
	return min(left, q.depth-q.taken-unread), nil
}

// Serve carries out the guest's requests until Close.
func (q *Queue) Serve() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(q.done)
	for {
		last := q.over.Load()
		q.held.Lock()
		busy, err := q.turn()
		q.held.Unlock()
		switch {
		case err != nil:
			return err
		case busy:
		case last:
			return nil
		default:
			if err := q.idle(); err != nil {
				return err
			}
		}
	}
}

// turn takes one batch and carries it out.
func (q *Queue) turn() (busy bool, err error) {
	if q.retired {
		return false, nil
	}
	n, err := q.waiting()
	if err != nil {
		return false, err
	}
	if busy, err = q.progress(); n == 0 || err != nil {
		return busy, err
	}
	k := 0
	for range min(n, batchMax) {
		if s, ok := q.copyNext(); ok {
			q.batch[k] = s
			k++
		} else {
			q.complete(hvt.Completion{ID: s.ID, Result: hvt.ResultInvalid})
		}
	}
	atomic.StoreUint32(q.word(hvt.RingSQHead), q.head)
	return true, q.dev.Submit(q.batch[:k], q.answer)
}

// copyNext copies the next submission; nobody looks at the shared one again.
func (q *Queue) copyNext() (hvt.Submission, bool) {
	var b [hvt.SubmissionSize]byte
	copy(b[:], q.mem[hvt.RingSubmissions+(q.head&(q.depth-1))*hvt.SubmissionSize:])
	q.head++
	q.taken++
	return hvt.DecodeSubmission(b[:])
}

func (q *Queue) complete(c hvt.Completion) {
	tail := q.tail.Load()
	at := hvt.RingSubmissions + q.depth*hvt.SubmissionSize + (tail&(q.depth-1))*hvt.CompletionSize
	c.Put(q.mem[at:][:hvt.CompletionSize])
	q.taken--
	// In this order: when POLL says that there is something, the guest sees it.
	atomic.StoreUint32(q.word(hvt.RingCQTail), tail+1)
	q.tail.Store(tail + 1)
	if q.sleeps.Load() != 0 {
		_, _ = unix.Write(q.bell, one)
	}
}

// idle looks for a while, then sleeps until a kick or until the device can go
// on. The order of stores and loads is the whole point: Go's atomics are
// sequentially consistent on all architectures, so that a guest which moves an
// index, then reads the flag, either sees the flag or is seen.
func (q *Queue) idle() error {
	if found, err := q.look(); found {
		q.spins = min(2*q.spins, spinsMax)
		return err
	}
	q.spins = max(q.spins/2, spinsMin)
	atomic.StoreUint32(q.word(hvt.RingNeedsKick), 1)
	defer atomic.StoreUint32(q.word(hvt.RingNeedsKick), 0)
	if n, err := q.waiting(); n > 0 || err != nil || q.over.Load() {
		return err
	}
	fds := [...]unix.PollFd{{Fd: int32(q.event), Events: unix.POLLIN}, {Fd: int32(q.dev.Waits()), Events: unix.POLLIN}}
	if _, err := unix.Ppoll(fds[:], nil, nil); err != nil && err != unix.EINTR {
		return fmt.Errorf("ring: poll: %w", err)
	}
	if fds[0].Revents != 0 {
		var b [8]byte
		_, _ = unix.Read(q.event, b[:])
	}
	return nil
}

// look spins for as long as it has paid lately.
func (q *Queue) look() (found bool, err error) {
	for i := range q.spins {
		if n, err := q.waiting(); n > 0 || err != nil || q.over.Load() {
			return true, err
		}
		if i%looksEach == looksEach-1 {
			q.held.Lock()
			moved, err := q.progress()
			q.held.Unlock()
			if moved || err != nil {
				return true, err
			}
		}
	}
	return false, nil
}

// progress lets the device go on with what waits in it.
func (q *Queue) progress() (moved bool, err error) {
	if q.retired || q.dev.Waits() < 0 {
		return false, nil
	}
	before := q.taken
	err = q.dev.Progress(q.answer)
	return q.taken != before, err
}
