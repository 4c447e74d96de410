package linkd_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/scheduler/linkd"
	"github.com/perilune/perilune/scheduler/safe"
)

// patience is for what must come; nothing is measured by it.
const patience = time.Minute

// fast is a clock that runs 200 times as fast as the machine's, from when it was made.
type fast struct{ since time.Time }

func (f fast) Now() time.Time { return f.since.Add(200 * time.Since(f.since)) }

func (f fast) After(d time.Duration) <-chan time.Time { return time.After(d / 200) }

// slowStore is a disk that takes what is written when the test says so.
type slowStore struct {
	*safe.Records
	slow    string // bucket, or "log", that waits
	asked   chan bool
	allowed chan bool
	over    chan bool // closed at the end: nothing waits any more
}

func (s *slowStore) wait(what string) {
	if what != s.slow {
		return
	}
	select {
	case s.asked <- true:
		<-s.allowed
	case <-s.over:
	}
}

func (s *slowStore) Put(bucket, key string, v any) error {
	s.wait(bucket)
	return s.Records.Put(bucket, key, v)
}

func (s *slowStore) Load() ([]sdls.LogEvent, error) { return nil, nil }

func (s *slowStore) Save([]sdls.LogEvent) error {
	s.wait("log")
	return nil
}

// slowCraft is a link on such a disk, with a radio whose units and uplink the test has.
type slowCraft struct {
	*linkd.Link
	t       *testing.T
	store   *slowStore
	up      chan []byte
	down    chan bool // a unit went down
	packets chan []byte
}

func (c *slowCraft) Receive(ctx context.Context, fn func([]byte)) error {
	for {
		select {
		case b := <-c.up:
			fn(b)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *slowCraft) Write(ctx context.Context, b []byte) (int, error) {
	select {
	case c.down <- true:
		return len(b), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func launchSlow(t *testing.T, slow string) *slowCraft {
	t.Helper()
	c := &slowCraft{t: t, up: make(chan []byte), down: make(chan bool), packets: make(chan []byte, 9),
		store: &slowStore{Records: safe.NewRecords(), slow: slow, asked: make(chan bool), allowed: make(chan bool), over: make(chan bool)}}
	var err error
	c.Link, err = linkd.New(linkd.Config{
		Profile: profile(), Saver: linkd.Saver{Records: c.store}, Radio: c, Clock: fast{time.Now()},
		Master: &[32]byte{9}, Keys: c.store, Log: c.store, Fill: func(linkd.Sink) {},
		Packet: func(_ context.Context, _ ccsds.VCID, p []byte) error { c.packets <- p; return nil },
		Refused: func(layer, reason string, n int) {
			if layer != "sdls" {
				t.Errorf("refused: %s %s", layer, reason)
			}
		},
		Locked: func(bool) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		close(c.store.over)
		stop()
		<-ended
	})
	return c
}

// begin asks for a procedure; what comes of it is told when it is over.
func (c *slowCraft) begin(procedure sdls.PDU) <-chan error {
	c.t.Helper()
	command, err := procedure.Append(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.Procedure(command)
		done <- err
	}()
	return done
}

// waits returns once the disk is asked to write.
func (c *slowCraft) waits() {
	c.t.Helper()
	for {
		select {
		case <-c.store.asked:
			return
		case <-c.down:
		case <-time.After(patience):
			c.t.Fatal("nothing is written")
		}
	}
}

// radioGoesOn wants units to go down, and the queues to be there, while the disk waits.
func (c *slowCraft) radioGoesOn() {
	c.t.Helper()
	for range 20 {
		select {
		case <-c.down:
		case <-time.After(patience):
			c.t.Fatal("the disk holds up the transmitter")
		}
	}
	if c.Room(0) == 0 || c.Stats().FramesDown == 0 {
		c.t.Errorf("room %d, %+v", c.Room(0), c.Stats())
	}
}

// passed wants a packet to come up once the disk has taken what waits.
func (c *slowCraft) passed() {
	c.t.Helper()
	for {
		select {
		case <-c.packets:
			return
		case <-c.down:
		case <-time.After(patience):
			c.t.Fatal("no packet")
		}
	}
}

// A disk that takes its time with an anti-replay floor holds up the packet that waits for it, and
// nothing that goes down.
func TestSlowFloor(t *testing.T) {
	c := launchSlow(t, "sdls-floor")
	c.up <- uplink(t, 1)[0]
	c.waits()
	c.radioGoesOn()
	if len(c.packets) > 0 {
		t.Error("a packet before its floor is durable")
	}
	c.store.allowed <- true
	c.passed()
}

// The same for keys and associations: the procedure, and what comes up after it, waits for them.
func TestSlowKeys(t *testing.T) {
	c := launchSlow(t, "sdls-keys")
	otar, err := sdls.OTARPDU(sdls.Key{ID: link.MasterKey, Value: [32]byte{9}, State: sdls.Active, Master: true}, [12]byte{1}, sdls.KeyBlock{ID: 1000, Value: [32]byte{7}})
	if err != nil {
		t.Fatal(err)
	}
	done := c.begin(otar)
	c.waits()
	c.up <- uplink(t, 1)[0]
	c.radioGoesOn()
	if len(c.packets) > 0 || len(done) > 0 {
		t.Errorf("before the keys are durable: %d packets, %d replies", len(c.packets), len(done))
	}
	c.store.allowed <- true
	c.passed()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The security log holds up the reply to a procedure. What is written of it now and then holds up
// nothing, nor what comes up.
func TestSlowLog(t *testing.T) {
	c := launchSlow(t, "log")
	done := c.begin(sdls.PDU{Procedure: sdls.EraseLog})
	c.waits()
	c.radioGoesOn()
	if len(done) > 0 {
		t.Error("a reply before the log is durable")
	}
	c.store.allowed <- true
	if err := <-done; err != nil {
		t.Error(err)
	}

	bits := uplink(t, 2)
	c.up <- bytes.Clone(bits[0])
	c.passed()
	c.up <- bytes.Clone(bits[0]) // a replay, which the log notes
	c.waits()
	c.radioGoesOn()
	c.up <- bits[1]
	c.passed()
	c.store.allowed <- true
}
