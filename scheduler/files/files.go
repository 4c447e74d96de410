// Package files moves files over the link by CFDP: what comes up lands in the incoming
// folder, what tenants produce goes down. A product leaves the craft's disk once the
// ground has confirmed it; one that was not sent yet is offered again after a restart.
package files

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/clock"
)

// CFDP entities.
const (
	EntityGround = 1
	EntityCraft  = 2
)

const (
	maxPDU      = 900       // octets: the longest name and notes of a product fit
	maxIncoming = 512 << 20 // octets of one file
)

// preparedAhead is how many PDUs wait for the transmitter: enough that none is wanting between two
// frames, and few, since what comes next is better decided late.
const preparedAhead = 4

// priorityServed puts what the ground asks for before the products, which have 0.
const priorityServed = 1

// Config says where files are and who hears of them.
type Config struct {
	Incoming string // folder of files from the ground
	Products string // folder of files for the ground
	MaxPDU   int    // octets of a piece of a file; 0: 900
	Saver    cfdp.Saver
	Clock    clock.Clock
	Log      *slog.Logger
	Event    func(severity uint8, id pus.EventID, text string)
	Publish  func(bus.Event)
	Depot    Depot             // bounds of Incoming; nil: none
	Received func(name string) // a file is complete in Incoming; called on its own goroutine
}

// Files is safe for concurrent use, but that one goroutine alone calls Prepare.
type Files struct {
	cfg    Config
	ready  chan []byte   // PDUs for the transmitter
	again  chan struct{} // more of them can be prepared
	frozen atomic.Bool

	mu     sync.Mutex
	entity *cfdp.Entity
	kick   chan struct{} // timers may have changed
	later  []func()      // what events ask for, done outside of the lock

	waiting []product           // that have no transaction yet, in the order in which they came
	left    map[string]bool     // tenants of which more are on disk
	notes   map[string][][]byte // of the products under way
	failed  []product           // for the next contact
}

// New opens the folders, which must exist, and goes on with transfers that were under
// way. Products without a transfer begin one.
func New(cfg Config) (*Files, error) {
	in, err := cfdp.DirStore(cfg.Incoming)
	if err != nil {
		return nil, err
	}
	out, err := cfdp.DirStore(cfg.Products)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	if cfg.Depot == nil {
		cfg.Depot = unbounded{}
	}
	f := &Files{cfg: cfg, ready: make(chan []byte, preparedAhead), again: make(chan struct{}, 1), kick: make(chan struct{}, 1), left: map[string]bool{}, notes: map[string][][]byte{}}
	f.entity, err = cfdp.New(cfdp.Config{
		Local: EntityCraft, MaxPDU: max(cfg.MaxPDU, maxPDU), Data: cmp.Or(cfg.MaxPDU, maxPDU), Limits: cfdp.Limits{MaxFileSize: maxIncoming},
		Store: store{in, out, cfg.Depot}, Saver: cfg.Saver, Serve: true, ServePriority: priorityServed,
	}, cfdp.Events{Started: f.started, Finished: f.finished})
	if err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	return f, f.offerLeft()
}

// Receive takes a PDU that came up.
func (f *Files) Receive(pdu []byte) error {
	f.mu.Lock()
	defer f.unlock()
	return f.entity.Receive(f.cfg.Clock.Now(), pdu)
}

// Prepare makes PDUs ready for Next, until there are enough or no more to send; it returns a channel
// that asks for another call. It waits for the disk: files are read, and what a PDU says is
// durable before Next has it.
func (f *Files) Prepare() (again <-chan struct{}) {
	for len(f.ready) < cap(f.ready) {
		f.mu.Lock()
		pdu, ok := f.entity.Next(f.cfg.Clock.Now())
		if !ok && len(f.later) == 0 {
			f.mu.Unlock()
			break
		}
		if ok {
			f.ready <- pdu
		}
		f.unlock()
	}
	return f.again
}

// Next is the next PDU to send, of those that are prepared. The transmitter asks before each frame;
// it waits for nothing here.
func (f *Files) Next() ([]byte, bool) {
	if f.frozen.Load() {
		return nil, false
	}
	select {
	case pdu := <-f.ready:
		signal(f.again)
		return pdu, true
	default:
		return nil, false
	}
}

// Freeze stops the transfers' timers while nothing is heard from the ground. A new contact
// begins with the products that the ground did not take in the last one.
func (f *Files) Freeze(on bool) {
	f.mu.Lock()
	var again []product
	if f.frozen.Swap(on) && !on {
		again, f.failed = f.failed, nil
	}
	f.entity.Freeze(on)
	f.unlock()
	for _, p := range again {
		if err := f.Put(p.name, p.notes); err != nil {
			f.cfg.Log.Error("product left on disk", "name", p.name, "err", err)
		}
	}
}

// unlock ends a call of the entity: events that it caused are carried out now.
func (f *Files) unlock() {
	later := f.later
	f.later = nil
	f.mu.Unlock()
	for _, do := range later {
		do()
	}
	signal(f.kick)
	signal(f.again)
}

// signal leaves word in a channel that has room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Tick lets the transfers' timers run out; it returns when to call again, at the
// latest, and a channel that asks for an earlier call.
func (f *Files) Tick() (after time.Duration, sooner <-chan struct{}) {
	f.mu.Lock()
	now := f.cfg.Clock.Now()
	f.entity.Tick(now)
	next := f.entity.NextTimer()
	later := f.later
	f.later = nil
	f.mu.Unlock()
	for _, do := range later {
		do()
	}
	signal(f.again)
	after = time.Minute
	if !next.IsZero() {
		// A timer that is due already was just given its turn; do not spin on it.
		after = min(after, max(next.Sub(now), 100*time.Millisecond))
	}
	return after, f.kick
}

func (f *Files) started(i cfdp.Info) {
	f.later = append(f.later, func() { f.publish(i, "started", "") })
}

func (f *Files) finished(i cfdp.Info) {
	if i.Source && !i.Served {
		f.ended(i)
	}
	f.later = append(f.later, func() {
		switch {
		case i.Condition != cfdp.NoError:
			f.publish(i, "failed", i.Condition.String())
			f.cfg.Log.Warn("file transfer failed", "name", i.Name, "outgoing", i.Source, "condition", i.Condition)
		case i.Source && i.Served:
			f.publish(i, "finished", "")
		case i.Source:
			f.sent(i)
		default:
			f.received(i)
		}
		if i.Source { // there is room for another
			f.sendMore()
		}
	})
}

func (f *Files) received(i cfdp.Info) {
	f.publish(i, "finished", "")
	for _, r := range i.Responses {
		f.cfg.Log.Info("filestore request of the ground", "request", r.String())
	}
	if i.DestName == "" {
		return
	}
	if strings.HasSuffix(i.DestName, ".tar") {
		f.cfg.Publish(bus.Bundle{File: i.DestName, State: "staged", Time: f.cfg.Clock.Now()})
		f.cfg.Event(pus.EventInfo, pus.EventBundleStaged, fmt.Sprintf("%s, %d octets, checksum %08x", i.DestName, i.Size, i.Checksum))
	}
	if f.cfg.Received != nil {
		go f.cfg.Received(i.DestName)
	}
}

func (f *Files) publish(i cfdp.Info, state, reason string) {
	f.cfg.Publish(bus.File{Name: i.DestName, State: state, Outgoing: i.Source, Size: i.Size, Done: i.Done, Reason: reason, Time: f.cfg.Clock.Now()})
}
