package queue_test

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/queue"
	"golang.org/x/sys/unix"
)

// echo answers at once, except for receives, of which it keeps the newest
// until a datagram comes.
type echo struct {
	fd   int
	kept []hvt.Submission
	seen int
}

func (e *echo) Submit(batch []hvt.Submission, done func(hvt.Completion)) error {
	for _, s := range batch {
		e.seen++
		if s.Op == hvt.RingReceive {
			e.kept = append(e.kept, s)
			continue
		}
		done(hvt.Completion{ID: s.ID, Len: s.Len})
	}
	return nil
}

func (e *echo) Progress(done func(hvt.Completion)) error {
	var b [8]byte
	for len(e.kept) > 0 {
		if _, err := unix.Read(e.fd, b[:]); err != nil {
			return nil
		}
		done(hvt.Completion{ID: e.kept[0].ID, Len: 8})
		e.kept = e.kept[1:]
	}
	return nil
}

func (e *echo) Waits() int {
	if len(e.kept) == 0 {
		return -1
	}
	return e.fd
}

// guest is the other side, in Go.
type guest struct {
	t          *testing.T
	mem        []byte
	depth      uint32
	sent, read uint32
	q          *queue.Queue
	end        chan error
}

func eventfd(t *testing.T) int {
	t.Helper()
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func start(t *testing.T, depth uint32, dev queue.Device) *guest {
	t.Helper()
	mem, err := unix.Mmap(-1, 0, int(hvt.RingSize(depth)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mem) })
	g := &guest{t: t, mem: mem, depth: depth, end: make(chan error, 1)}
	if g.q, err = queue.New(mem, depth, eventfd(t), dev); err != nil {
		t.Fatal(err)
	}
	go func() { g.end <- g.q.Serve() }()
	return g
}

func (g *guest) word(at int) *uint32 { return (*uint32)(unsafe.Pointer(&g.mem[at])) }

func (g *guest) kick() {
	if atomic.LoadUint32(g.word(hvt.RingNeedsKick)) != 0 {
		g.q.Kick()
	}
}

func (g *guest) submit(list ...hvt.Submission) {
	for _, s := range list {
		s.Put(g.mem[hvt.RingSubmissions+g.sent%g.depth*hvt.SubmissionSize:])
		g.sent++
	}
	atomic.StoreUint32(g.word(hvt.RingSQTail), g.sent)
	g.kick()
}

// answer waits for the next one.
func (g *guest) answer() hvt.Completion {
	for atomic.LoadUint32(g.word(hvt.RingCQTail)) == g.read {
		select {
		case err := <-g.end:
			g.t.Fatalf("the queue ended: %v", err)
		default:
		}
	}
	c, _ := hvt.DecodeCompletion(g.mem[hvt.RingSubmissions+g.depth*hvt.SubmissionSize+g.read%g.depth*hvt.CompletionSize:])
	g.read++
	atomic.StoreUint32(g.word(hvt.RingCQHead), g.read)
	g.kick()
	return c
}

func (g *guest) close() error {
	g.q.Close()
	return <-g.end
}

// More requests than the ring has places, in every batch size, each answered
// once and in order, across sleeps.
func TestRoundAndRound(t *testing.T) {
	for _, depth := range []uint32{2, 64, hvt.MaxDepth} {
		g := start(t, depth, &echo{})
		for n := uint32(0); n < 5000; {
			k := min(n%depth+1, 5000-n)
			for i := range k {
				g.submit(hvt.Submission{Op: hvt.RingRead, ID: n + i, Len: i})
			}
			for i := range k {
				if c := g.answer(); c != (hvt.Completion{ID: n + i, Len: i}) {
					t.Fatalf("depth %d, answer %d: %+v", depth, n+i, c)
				}
			}
			n += k
		}
		if err := g.close(); err != nil {
			t.Error(err)
		}
	}
}

// A request that waits in the device does not hold up others, and wakes the
// queue by the device's descriptor.
func TestWaiting(t *testing.T) {
	fd := eventfd(t)
	g := start(t, 4, &echo{fd: fd})
	g.submit(hvt.Submission{Op: hvt.RingReceive, ID: 1}, hvt.Submission{Op: hvt.RingSend, ID: 2})
	if c := g.answer(); c.ID != 2 {
		t.Fatalf("%+v", c)
	}
	for atomic.LoadUint32(g.word(hvt.RingNeedsKick)) == 0 {
	}
	if g.q.Ready() {
		t.Error("ready without an answer")
	}
	unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	if c := g.answer(); c != (hvt.Completion{ID: 1, Len: 8}) {
		t.Fatalf("%+v", c)
	}
	if err := g.close(); err != nil {
		t.Error(err)
	}
}

// A guest that reads no answers gets no more than there are places.
func TestNoRoom(t *testing.T) {
	dev := &echo{}
	g := start(t, 4, dev)
	for range 4 {
		g.submit(hvt.Submission{Op: hvt.RingRead})
	}
	for atomic.LoadUint32(g.word(hvt.RingCQTail)) != 4 {
	}
	for range 4 {
		g.submit(hvt.Submission{Op: hvt.RingRead})
	}
	if err := g.close(); err != nil || dev.seen != 4 {
		t.Errorf("%d requests were taken: %v", dev.seen, err)
	}
}

// Indices that leave the ring end the guest; what was in flight is not lost
// to memory outside.
func TestHostileIndices(t *testing.T) {
	for name, at := range map[string]int{"sq_tail": hvt.RingSQTail, "cq_head": hvt.RingCQHead} {
		for _, v := range []uint32{5, 1 << 31, 1<<32 - 5} {
			g := start(t, 4, &echo{})
			atomic.StoreUint32(g.word(at), v)
			g.q.Kick()
			var index *queue.IndexError
			if err := <-g.end; !errors.As(err, &index) || index.Index != name {
				t.Errorf("%s = %#x: %v", name, v, err)
			}
		}
	}
}

// FuzzQueue: whatever lies in a ring, the queue takes no more than its depth,
// ends with an IndexError or not at all, and stays inside.
func FuzzQueue(f *testing.F) {
	f.Add(make([]byte, hvt.RingSubmissions+8*hvt.SubmissionSize))
	jump := make([]byte, hvt.RingSubmissions)
	binary.LittleEndian.PutUint32(jump, 9)
	f.Add(jump)
	f.Fuzz(func(t *testing.T, b []byte) {
		const depth = 8
		size := int(hvt.RingSize(depth))
		mem := make([]byte, size+64)
		copy(mem[:size], b)
		dev := &echo{}
		q, err := queue.New(mem[:size], depth, -1, dev)
		if err != nil {
			t.Fatal(err)
		}
		end := make(chan error, 1)
		go func() { end <- q.Serve() }()
		q.Close()
		var index *queue.IndexError
		if err := <-end; err != nil && !errors.As(err, &index) {
			t.Errorf("unnamed error %v", err)
		}
		if dev.seen > depth || [64]byte(mem[size:]) != ([64]byte{}) {
			t.Errorf("%d requests taken, behind the ring % x", dev.seen, mem[size:])
		}
	})
}
