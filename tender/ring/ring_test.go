package ring_test

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/ring"
)

var le = binary.LittleEndian

// device remembers what it was asked and answers a read with its length.
type device struct {
	sent chan hvt.NetIO
	err  error
}

func (d *device) Transmit(io hvt.NetIO) error { d.sent <- io; return d.err }
func (d *device) Receive(io hvt.NetIO) (int, hvt.Result, error) {
	return int(io.Len) - 1, hvt.ResultAgain, d.err
}

// guest is the other side.
type guest struct {
	mem  []byte
	tail uint32
	ring *ring.Ring
}

func newGuest(t testing.TB, d *device) (*guest, chan error) {
	t.Helper()
	words := make([]uint64, ring.Size/8)
	mem := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), ring.Size)
	r, err := ring.New(mem, d)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.Serve() }()
	return &guest{mem: mem, ring: r}, done
}

func (g *guest) word(at int) *uint32 { return (*uint32)(unsafe.Pointer(&g.mem[at])) }

// submit leaves a request and kicks if it is asked to, as Solo5's bindings do.
func (g *guest) submit(op, handle, length, id uint32, data uint64) {
	e := g.mem[0x80+g.tail%1024*32:]
	le.PutUint32(e, op)
	le.PutUint32(e[4:], handle)
	le.PutUint64(e[8:], data)
	le.PutUint32(e[16:], length)
	le.PutUint32(e[20:], id)
	g.tail++
	atomic.StoreUint32(g.word(0), g.tail)
	if atomic.LoadUint32(g.word(0x48)) != 0 {
		g.ring.Kick()
	}
}

func (g *guest) wait(t testing.TB, at int, want uint32) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); atomic.LoadUint32(g.word(at)) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("word at %#x is %d, want %d", at, atomic.LoadUint32(g.word(at)), want)
		}
	}
}

func TestRing(t *testing.T) {
	d := &device{sent: make(chan hvt.NetIO, 5000)}
	g, done := newGuest(t, d)
	for i := range uint32(3000) { // three times around, with a pause for sleep
		if i%1000 == 500 {
			g.wait(t, 0x48, 1)
		}
		g.submit(1, 2, i, i, uint64(i)<<20)
		if i%1000 == 999 {
			g.wait(t, 0x40, i+1)
		}
	}
	for i := range uint64(3000) {
		if io := <-d.sent; io != (hvt.NetIO{Handle: 2, Data: i << 20, Len: i}) {
			t.Fatalf("%d: %+v", i, io)
		}
	}
	g.submit(2, 1, 100, 77, 0)
	g.submit(99, 1, 100, 78, 0) // nothing known: passed over
	g.wait(t, 0x44, 1)
	g.wait(t, 0x40, 3002)
	c := g.mem[0x80+1024*32:]
	if le.Uint32(c) != 77 || le.Uint32(c[4:]) != uint32(hvt.ResultAgain) || le.Uint32(c[8:]) != 99 {
		t.Errorf("commit % x", c[:16])
	}
	// What the guest scribbles into the host's words changes nothing.
	atomic.StoreUint32(g.word(0x40), 5)
	atomic.StoreUint32(g.word(0x44), 7)
	g.submit(1, 1, 1, 1, 1)
	g.wait(t, 0x40, 3003)
	// What is left when the guest ends is sent.
	g.submit(1, 1, 2, 2, 2)
	g.ring.Close()
	if err := <-done; err != nil || len(d.sent) != 2 {
		t.Errorf("%v, %d frames", err, len(d.sent))
	}
}

func TestHostile(t *testing.T) {
	for _, tail := range []uint32{1025, 1 << 31, ^uint32(0)} {
		g, done := newGuest(t, &device{sent: make(chan hvt.NetIO, 2000)})
		atomic.StoreUint32(g.word(0), tail)
		g.ring.Kick()
		var index *ring.IndexError
		if err := <-done; !errors.As(err, &index) {
			t.Errorf("tail %d: %v", tail, err)
		}
	}
	fail := errors.New("no")
	g, done := newGuest(t, &device{sent: make(chan hvt.NetIO, 1), err: fail})
	g.submit(1, 1, 1, 1, 1)
	g.ring.Kick()
	if err := <-done; !errors.Is(err, fail) {
		t.Errorf("device: %v", err)
	}
}

// FuzzRing: whatever lies in the ring, the host serves it or says why not.
func FuzzRing(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 1}, uint32(3))
	f.Add([]byte{2, 0, 0, 0, 255, 255, 255, 255}, uint32(1024))
	f.Fuzz(func(t *testing.T, entries []byte, tail uint32) {
		g, done := newGuest(t, &device{sent: make(chan hvt.NetIO, 2048)})
		copy(g.mem[0x80:], entries)
		atomic.StoreUint32(g.word(0), tail)
		g.ring.Close()
		var index *ring.IndexError
		if err := <-done; (err != nil) != (tail > 1024) || err != nil && !errors.As(err, &index) {
			t.Fatalf("tail %d: %v", tail, err)
		}
	})
}
