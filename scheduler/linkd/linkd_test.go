package linkd_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/scheduler/linkd"
	"github.com/perilune/perilune/scheduler/safe"
)

// cadu is the length of a unit of the default profile in octets; at rate it lasts 20 ms.
const (
	cadu = 4 + 1275
	rate = cadu * 8 * 50
)

// port is a radio whose uplink is a channel and whose downlink can be made slow.
type port struct {
	up chan []byte

	mu    sync.Mutex
	sent  []time.Time // when each whole unit was taken
	got   int         // octets
	busy  bool        // takes half and then nothing
	stall time.Duration
}

func (p *port) Receive(ctx context.Context, fn func([]byte)) error {
	for {
		select {
		case b := <-p.up:
			fn(b)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *port) Write(_ context.Context, b []byte) (int, error) {
	var stall time.Duration
	var busy bool
	p.with(func() { stall, busy = p.stall, p.busy })
	time.Sleep(stall)
	if busy {
		time.Sleep(500 * time.Millisecond)
		n := len(b) / 2
		p.count(n)
		return n, errors.New("busy")
	}
	p.count(len(b))
	return len(b), nil
}

// with calls fn while the transmitter leaves the port alone.
func (p *port) with(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
}

func (p *port) times() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

func (p *port) count(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range (p.got+n)/cadu - p.got/cadu {
		p.sent = append(p.sent, time.Now())
	}
	p.got += n
}

func profile() link.Profile {
	return link.Profile{SCID: 42, DownRate: rate,
		Keys: map[uint16][32]byte{1: {1}, 2: {2}, 3: {3}}, SPI: map[ccsds.VCID]uint16{0: 1, 1: 2, 2: 3}}
}

type records struct {
	*safe.Records
	broken bool
}

func (r *records) Put(bucket, key string, v any) error {
	if r.broken {
		return errors.New("disk gone")
	}
	return r.Records.Put(bucket, key, v)
}

type world struct {
	*linkd.Link
	port    *port
	records *records
	packets [][]byte
	refused map[string]int
	ended   chan error
	stop    context.CancelFunc
}

func launch(t *testing.T) *world {
	t.Helper()
	w := &world{port: &port{up: make(chan []byte)}, records: &records{Records: safe.NewRecords()},
		refused: map[string]int{}, ended: make(chan error, 1)}
	var err error
	w.Link, err = linkd.New(linkd.Config{
		Profile: profile(), Saver: linkd.Saver{Records: w.records}, Radio: w.port, Clock: clock.Real{},
		Fill:    func(linkd.Sink) {},
		Packet:  func(_ context.Context, _ ccsds.VCID, p []byte) error { w.packets = append(w.packets, p); return nil },
		Refused: func(layer, reason string, n int) { w.refused[layer] += n },
		Locked:  func(bool) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go func() { w.ended <- w.Run(ctx) }()
	return w
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := launch(t)
		time.Sleep(10 * time.Second)
		if n := len(w.port.times()); n < 499 || n > 502 {
			t.Errorf("%d frames in 10 s at 50 a second", n)
		}
		w.stop()
		if err := <-w.ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// After the port was slow, frames go on at the rate: nothing is caught up with.
func TestNoBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := launch(t)
		w.port.with(func() { w.port.stall = time.Second })
		time.Sleep(10 * time.Second)
		w.port.with(func() { w.port.stall, w.port.sent = 0, nil })
		time.Sleep(5 * time.Second)
		sent := w.port.times()
		for i := 2; i < len(sent); i++ {
			if d := sent[i].Sub(sent[i-1]); d < 19*time.Millisecond {
				t.Fatalf("frame %d came %v after the one before", i, d)
			}
		}
		w.stop()
		<-w.ended
	})
}

// A port that takes half a frame gets the other half next, and the transmitter's pulse
// goes on.
func TestBusyPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := launch(t)
		w.port.with(func() { w.port.busy = true })
		before := w.Beats()
		time.Sleep(20 * time.Second)
		if n := w.Beats() - before; n < 20 {
			t.Errorf("%d beats in 20 s", n)
		}
		w.port.with(func() { w.port.busy = false })
		time.Sleep(time.Second)
		w.stop()
		<-w.ended
		if w.port.got%cadu != 0 {
			t.Errorf("%d octets are no whole number of units", w.port.got)
		}
	})
}

type counter struct{ n, floor uint64 }

func (c *counter) Next(uint16) (uint64, error)    { c.n++; return c.n, nil }
func (c *counter) Floor(uint16) (uint64, error)   { return c.floor, nil }
func (c *counter) Raise(_ uint16, n uint64) error { c.floor = max(c.floor, n); return nil }

// uplink makes the bits of n packets on the recovery channel.
func uplink(t *testing.T, n int) [][]byte {
	t.Helper()
	g, err := link.NewGround(profile(), &counter{}, link.GroundEvents{})
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for i := range n {
		p, err := spp.Append(nil, &spp.Packet{Type: spp.TC, APID: 1, SeqFlags: spp.Unsegmented, SeqCount: uint16(i)}, []byte{byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Send(2, p, true, nil); err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.Clone(g.NextCLTU(time.Now())))
	}
	return all
}

// What the records do not take is not delivered; when they fail for long, the link ends.
func TestRecordsFail(t *testing.T) {
	bits := uplink(t, 40)
	synctest.Test(t, func(t *testing.T) {
		w := launch(t)
		w.port.up <- bits[0]
		synctest.Wait()
		if len(w.packets) != 1 {
			t.Fatalf("%d packets", len(w.packets))
		}
		w.records.broken = true
		for _, b := range bits[1:6] {
			w.port.up <- b
		}
		synctest.Wait()
		if len(w.packets) != 1 || w.refused["records"] != 5 {
			t.Fatalf("%d packets, refused %v", len(w.packets), w.refused)
		}
		w.records.broken = false
		w.port.up <- bits[6]
		synctest.Wait()
		if len(w.packets) != 2 {
			t.Fatalf("%d packets after the records came back", len(w.packets))
		}
		w.records.broken = true
		for _, b := range bits[7:] {
			select {
			case w.port.up <- b:
			case err := <-w.ended:
				if err == nil || errors.Is(err, context.Canceled) {
					t.Errorf("the link ended with %v", err)
				}
				return
			}
		}
		t.Error("the link goes on without records")
		w.stop()
		<-w.ended
	})
}
