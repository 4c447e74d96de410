package files_test

import (
	"sync"
	"testing"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/scheduler/files"
)

// slowDepot is a depot whose disk takes as long as the test likes.
type slowDepot struct {
	files.Depot
	asked, answer chan struct{}
	once          sync.Once
}

func (d *slowDepot) Admit(name string, octets uint64, grows bool) error {
	d.once.Do(func() { close(d.asked); <-d.answer })
	return d.Depot.Admit(name, octets, grows)
}

// While a file that comes up waits for the disk, the transmitter is told at once that there is
// nothing to send, and goes on.
func TestNextWhileReceiving(t *testing.T) {
	w := newWorld(t)
	w.quota(1 << 20)
	slow := &slowDepot{Depot: w.depot, asked: make(chan struct{}), answer: make(chan struct{})}
	w.bounds = slow
	w.open()
	w.write("products/a/result", make([]byte, 100))
	if err := w.board.Put("a/result", nil); err != nil {
		t.Fatal(err)
	}
	ends := w.ends()
	w.upload("slow", 100, false)
	pdu, ok := w.ground.Next(w.clock.Now())
	if !ok {
		t.Fatal("nothing comes up")
	}
	received := make(chan error)
	go func() { received <- w.board.Receive(pdu) }()
	<-slow.asked
	if pdu, ok := w.board.Next(); ok {
		t.Errorf("%x goes down", pdu)
	}
	close(slow.answer)
	if err := <-received; err != nil {
		t.Fatal(err)
	}
	w.exchange(1000)
	if c, over := ends["slow"]; !over || c != cfdp.NoError || len(w.events) != 1 {
		t.Errorf("upload over %t, %v, events %q", over, c, w.events)
	}
}
