// Package ring is the host's side of the shared network ring of Solo5 0.11
// (include/hvt_ring.h): the guest leaves requests in memory that both see, a
// goroutine serves them, and no exit is needed while it is awake.
//
//	0x00 ent_tail, com_head           written by the guest
//	0x40 ent_head, com_tail, kick     written by the host
//	0x80 1024 entries of 32 octets: op, handle u32; data u64; len, id u32; reserved u64
//	     1024 commits of 16 octets: id u32; ret i32; len, reserved u32
//
// All of it is the guest's to scribble in: the host keeps its own indices,
// copies each entry before it looks, and believes no distance above the size.
package ring

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perilune/perilune/hvt"
	"golang.org/x/sys/unix"
)

// Size is the ring's length in octets.
const Size = entriesAt + slots*(entrySize+commitSize)

const (
	slots      = 1024
	entTail    = 0x00
	entHead    = 0x40
	comTail    = 0x44
	needsKick  = 0x48
	entriesAt  = 0x80
	entrySize  = 32
	commitsAt  = entriesAt + slots*entrySize
	commitSize = 16
	opWrite    = 1
	opRead     = 2
	spins      = 4096 // looks before it sleeps
)

// Device carries out requests; an error ends the guest.
type Device interface {
	Transmit(io hvt.NetIO) error
	Receive(io hvt.NetIO) (n int, r hvt.Result, err error)
}

// Ring is one ring. Serve belongs to one goroutine, Kick and Close to any.
type Ring struct {
	mem     []byte
	dev     Device
	event   int // eventfd that wakes Serve
	over    atomic.Bool
	done    chan struct{}
	held    sync.Mutex // while requests are under way, or by Hold
	retired bool       // see Retire; guarded by held
	head    uint32     // next entry
	commits uint32     // next commit
}

// New makes a ring in mem, which has Size octets and is aligned to a page.
func New(mem []byte, dev Device) (*Ring, error) {
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	return &Ring{mem: mem[:Size:Size], dev: dev, event: event, done: make(chan struct{})}, nil
}

// FD is the eventfd, for KVM to signal when the guest kicks.
func (r *Ring) FD() int { return r.event }

// Kick wakes Serve.
func (r *Ring) Kick() { _, _ = unix.Write(r.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// Close lets Serve do what is left in the ring, and waits for it.
func (r *Ring) Close() {
	r.over.Store(true)
	r.Kick()
	<-r.done
	unix.Close(r.event)
}

func (r *Ring) word(at int) *uint32 { return (*uint32)(unsafe.Pointer(&r.mem[at])) }

func (r *Ring) waiting() bool { return atomic.LoadUint32(r.word(entTail)) != r.head }

// Serve carries out the guest's requests until Close.
func (r *Ring) Serve() error {
	defer close(r.done)
	var b [8]byte
	for {
		last := r.over.Load()
		r.held.Lock()
		err := r.drain()
		r.held.Unlock()
		if err != nil || last {
			return err
		}
		if r.spin() {
			continue
		}
		// The flag first, then a last look: the guest does it the other way
		// round, so one of the two sees the other's word.
		atomic.StoreUint32(r.word(needsKick), 1)
		if !r.waiting() && !r.over.Load() {
			if _, err := unix.Read(r.event, b[:]); err != nil && err != unix.EINTR {
				return fmt.Errorf("net ring: %w", err)
			}
		}
		atomic.StoreUint32(r.word(needsKick), 0)
	}
}

func (r *Ring) spin() bool {
	for range spins {
		if r.waiting() {
			return true
		}
	}
	return false
}

// drain serves what the guest had left when it began.
func (r *Ring) drain() error {
	if r.retired {
		return nil
	}
	tail := atomic.LoadUint32(r.word(entTail))
	if n := tail - r.head; n > slots {
		return &IndexError{Distance: n}
	}
	for r.head != tail {
		if err := r.entry(); err != nil {
			return err
		}
		r.head++
		atomic.StoreUint32(r.word(entHead), r.head)
	}
	return nil
}

// IndexError says that the guest's index left the ring.
type IndexError struct{ Distance uint32 }

func (e *IndexError) Error() string {
	return fmt.Sprintf("Invalid ring index: %d entries in a ring of %d", e.Distance, slots)
}

func (r *Ring) entry() error {
	var b [entrySize]byte
	copy(b[:], r.mem[entriesAt+int(r.head%slots)*entrySize:])
	le := binary.LittleEndian
	io := hvt.NetIO{Handle: uint64(le.Uint32(b[4:])), Data: le.Uint64(b[8:]), Len: uint64(le.Uint32(b[16:]))}
	switch le.Uint32(b[:]) {
	case opWrite:
		return r.dev.Transmit(io)
	case opRead:
		n, result, err := r.dev.Receive(io)
		if err != nil {
			return err
		}
		r.commit(le.Uint32(b[20:]), result, n)
	}
	return nil // an unknown operation is passed over, as the reference does
}

func (r *Ring) commit(id uint32, result hvt.Result, n int) {
	le := binary.LittleEndian
	c := r.mem[commitsAt+int(r.commits%slots)*commitSize:][:commitSize]
	le.PutUint32(c, id)
	le.PutUint32(c[4:], uint32(result))
	le.PutUint32(c[8:], uint32(n))
	r.commits++
	atomic.StoreUint32(r.word(comTail), r.commits)
}
