package files_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/scheduler/files"
	"github.com/perilune/perilune/scheduler/safe"
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

// slowRecords is a disk that takes a record when the test says so.
type slowRecords struct {
	*safe.Records
	asked, allowed chan bool
	over           <-chan struct{} // nothing waits any more
}

func (r slowRecords) wait() {
	select {
	case r.asked <- true:
	case <-r.over:
		return
	}
	select {
	case <-r.allowed:
	case <-r.over:
	}
}

func (r slowRecords) Put(bucket, key string, v any) error {
	r.wait()
	return r.Records.Put(bucket, key, v)
}

func (r slowRecords) Delete(bucket, key string) error {
	r.wait()
	return r.Records.Delete(bucket, key)
}

// patience is for what must come; nothing is measured by it.
const patience = time.Minute

// running is a craft with its goroutines: one prepares, one transmits, one takes what comes up.
type running struct {
	*world
	up     chan []byte
	frames chan []byte // that go down: a PDU, or nil
	octets int         // of file data that went down
	stop   func()      // ends it, and returns when it has
}

func (w *world) run(ctx context.Context) *running {
	ctx, cancel := context.WithCancel(ctx)
	r := &running{world: w, up: make(chan []byte, 100), frames: make(chan []byte)}
	var all sync.WaitGroup
	r.stop = func() { cancel(); all.Wait() }
	all.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-w.board.Prepare():
			case <-ctx.Done():
			}
		}
	})
	all.Go(func() {
		for ctx.Err() == nil {
			pdu, _ := w.board.Next()
			select {
			case r.frames <- pdu:
			case <-ctx.Done():
			}
		}
	})
	all.Go(func() {
		for {
			select {
			case pdu := <-r.up:
				if err := w.board.Receive(pdu); err != nil {
					w.t.Error(err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return r
}

// frame gives the ground what a frame has, and the craft the answer.
func (r *running) frame(pdu []byte) {
	if pdu != nil {
		if _, b, err := cfdp.Decode(pdu); err != nil {
			r.t.Fatal(err)
		} else if d, is := b.(*cfdp.FileData); is {
			r.octets += len(d.Data)
		}
		if err := r.ground.Receive(r.clock.Now(), pdu); err != nil {
			r.t.Error(err)
		}
	}
	if pdu, ok := r.ground.Next(r.clock.Now()); ok {
		r.up <- pdu
	}
}

// goesOn wants frames to go down while the disk waits.
func (r *running) goesOn() {
	r.t.Helper()
	for range 20 {
		select {
		case pdu := <-r.frames:
			r.frame(pdu)
		case <-time.After(patience):
			r.t.Fatal("the disk holds up the transmitter")
		}
	}
}

// While a record of what goes down waits for the disk, each time that one does, the transmitter gets
// what was prepared before and then nothing, at once; and nothing goes down that counts on the
// record. All comes in the end.
func TestNextWhileSaving(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	disk := slowRecords{Records: w.records, asked: make(chan bool), allowed: make(chan bool), over: ctx.Done()}
	w.disk = disk
	w.open()
	const size, step = 100_000, 32<<10 + 900 // octets of the product, and at most between its records
	w.write("products/a/result", make([]byte, size))
	put := make(chan error, 1)
	go func() { put <- w.board.Put("a/result", nil) }()
	r := w.run(ctx)
	defer r.stop()
	defer cancel()
	waits := 0
	for left := true; left; {
		select {
		case pdu := <-r.frames:
			r.frame(pdu)
		case <-disk.asked:
			r.goesOn()
			// Two records come before any octet: of the number, and of the transaction.
			if most := max(0, waits-1) * step; r.octets > most {
				t.Errorf("%d octets are down before record %d, want at most %d", r.octets, waits+1, most)
			}
			waits++
			disk.allowed <- true
		case <-time.After(patience):
			t.Fatalf("the product does not come down: %d octets, %d records", r.octets, waits)
		}
		_, err := os.Stat(filepath.Join(w.dir, "products", "a", "result"))
		left = err == nil
	}
	cancel()
	r.stop()
	if err := <-put; err != nil || r.octets != size || waits < 7 || !w.has("product sent") {
		t.Errorf("%v, %d of %d octets, %d records, events %q", err, r.octets, size, waits, w.events)
	}
}
