package ring_test

import (
	"sync/atomic"
	"testing"

	"github.com/perilune/perilune/hvt"
)

// What the guest leaves once the ring rests is not done by a ring that retires.
func TestRetire(t *testing.T) {
	d := &device{sent: make(chan hvt.NetIO, 10)}
	g, done := newGuest(t, d)
	g.wait(t, 0x48, 1)
	g.ring.Hold()
	g.submit(1, 1, 60, 7, 0x1000)
	before := g.ring.State()
	g.ring.Retire()
	g.ring.Release()
	g.ring.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if after := g.ring.State(); string(after) != string(before) {
		t.Errorf("state %x, was %x", after, before)
	}
	if n := len(d.sent); n != 0 {
		t.Errorf("%d frames sent by both", n)
	}
	if n := atomic.LoadUint32(g.word(0x40)); n != 0 {
		t.Errorf("%d requests of a ring that is another's were committed", n)
	}
}
