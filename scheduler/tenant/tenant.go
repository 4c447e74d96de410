// Package tenant runs the guests: it asks init for slots, hands them their programs
// over package wire, carries packets, products and console text between guests and the
// rest of the craft, and keeps account of who is where so that guests outlive a restart
// of the flight program.
//
//	stopped → starting → running → exited
//	             │          └────→ suspended → starting
//	             └─────→ refused
package tenant

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions/store"
	"github.com/perilune/perilune/tender/wire"
)

// Records is where the account is kept.
type Records interface {
	Put(bucket, key string, v any) error
	Delete(bucket, key string) error
	Each(bucket string, fn func(key string, read func(v any) error) error) error
}

// Tenant is a customer of the craft.
type Tenant struct {
	APID       ccsds.APID
	MemoryMiB  int // a guest
	Guests     int // at a time
	VCPUs      int // of a guest
	Channels   int // open at a time
	StorageMiB int // of products that wait for the ground
	DiskMiBps  int // a guest, read and written each; 0 without limit
}

// Product is a finished product of a guest.
type Product struct {
	Guest  ids.Guest
	Name   string // of its file, relative to the folder of products
	Size   uint64
	SHA256 [32]byte
	Digest string // of the bundle that made it
	Bundle string // the bundle's version
}

// Config connects a Manager.
type Config struct {
	Clock    clock.Clock
	Log      *slog.Logger
	Slots    Slots
	Records  Records
	Tenants  map[string]Tenant
	Mission  func(ids.Guest) *store.Installed // nil if it is not active
	Products string                           // folder of products
	Scratch  string                           // folder of guests' writable devices

	Snapshots string // folder of guests that are suspended

	Send    func(apid ccsds.APID, service, subtype uint8, data []byte) error
	Event   func(severity uint8, id pus.EventID, text string)
	Publish func(bus.Event)
	Changed func()        // the table is worth a report
	Done    func(Product) // a product is complete
}

// Manager is safe for concurrent use.
type Manager struct {
	cfg Config

	mu       sync.Mutex
	closed   string // why nothing may start; empty if it may
	detached bool   // the program ends and the guests do not
	guests   map[ids.Guest]*guest
	slots    map[uint32]*guest // numbers in use, see giveBack; nil: of a slot that nobody has and init has not reaped
	channels map[string]*channel
	used     map[string]int64 // octets of products and snapshots by tenant
	run      sync.WaitGroup
	life     context.Context // until Detach
	endLife  context.CancelFunc

	suspended map[ids.Guest]suspended
	going     sync.Mutex              // held by who lets a guest go on by itself
	launching sync.WaitGroup          // those that start
	unclear   map[ids.Guest]suspended // orders whose outcome is not on record, of guests that do not run
}

// guest is a mission that runs or has run. Its fields are guarded by Manager.mu but for
// those that are set before its goroutines start.
type guest struct {
	id     ids.Guest
	tenant Tenant
	digest string
	bundle string // version
	memory int    // MiB

	grace   int  // seconds from the request to end until it is ended
	anew    bool // after an ordered restart of the craft it begins anew
	adopted bool // it began under an earlier program
	resumed bool // it goes on from a snapshot

	state    uint8
	status   int16
	slot     uint32
	noSlot   bool // init has reaped it, or never made it; guarded by Manager.mu
	closed   bool // the account of its slot; guarded by Manager.mu
	pid      int
	ctl      *wire.Conn
	data     *packetConn
	channels map[string]int // which end it has of each; guarded by Manager.mu
	recall   recall
	left     kept          // its console, once it is over
	saving   *order        // to save it; nil: there is none; guarded by Manager.mu
	ordering sync.Mutex    // held while the order gets on record, or off it
	exited   chan exit     // init's word
	done     chan struct{} // closed when the guest is over
}

// newGuest makes a guest of its account.
func newGuest(id ids.Guest, t Tenant, slot uint32, e entry) *guest {
	return &guest{id: id, tenant: t, slot: slot, digest: e.Digest, bundle: e.Version, memory: e.MemoryMiB,
		anew: e.Anew, grace: e.Grace, channels: e.Channels,
		recall: newRecall(), exited: make(chan exit, 1), done: make(chan struct{})}
}

// New makes a manager without guests.
func New(cfg Config) *Manager {
	life, endLife := context.WithCancel(context.Background())
	return &Manager{cfg: cfg, life: life, endLife: endLife, guests: map[ids.Guest]*guest{}, slots: map[uint32]*guest{}, channels: map[string]*channel{}, used: map[string]int64{},
		suspended: map[ids.Guest]suspended{}, unclear: map[ids.Guest]suspended{}}
}

func row(g *guest) pus.Guest {
	r := pus.Guest{State: g.state, Exit: g.status, Tenant: g.id.Tenant, Mission: g.id.Mission, MemoryMiB: uint16(min(g.memory, 0xFFFF))}
	_, digits, _ := strings.Cut(g.digest, ":")
	if raw, err := hex.DecodeString(digits); err == nil {
		copy(r.Digest[:], raw)
	}
	return r
}

// Table lists the active and the suspended guests in the order of their names.
func (m *Manager) Table() []pus.Guest {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]pus.Guest, 0, len(m.guests))
	for _, g := range m.guests {
		out = append(out, row(g))
	}
	for id, s := range m.suspended {
		if m.guests[id] == nil { // since an earlier program
			out = append(out, row(&guest{id: id, state: pus.GuestSuspended, memory: s.MemoryMiB, digest: s.Digest}))
		}
	}
	slices.SortFunc(out, func(a, b pus.Guest) int {
		return strings.Compare(a.Tenant+"/"+a.Mission, b.Tenant+"/"+b.Mission)
	})
	return out
}

// Close forbids guests to start, for the reason given; Open allows it again.
func (m *Manager) Close(reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = reason
}

// Open allows guests to start.
func (m *Manager) Open() { m.Close("") }

// StopAll ends all guests at once and waits for them.
func (m *Manager) StopAll(ctx context.Context) error {
	m.mu.Lock()
	var all []ids.Guest
	for id, g := range m.guests {
		if g.active() {
			all = append(all, id)
		}
	}
	m.mu.Unlock()
	var errs []error
	for _, id := range all {
		errs = append(errs, m.stop(ctx, id, false))
	}
	return errors.Join(errs...)
}

// Detach lets go of the guests without ending them: their slots outlive this program.
func (m *Manager) Detach() {
	m.mu.Lock()
	m.detached = true
	for _, g := range m.guests {
		if g.ctl != nil {
			_ = g.ctl.Close()
		}
		if g.data != nil {
			_ = g.data.Close()
		}
	}
	m.mu.Unlock()
	m.endLife()
	m.run.Wait()
}

func (g *guest) active() bool { return g.state == pus.GuestStarting || g.state == pus.GuestRunning }

// set changes the state of g and tells everybody. m.mu must not be held.
func (m *Manager) set(g *guest, state uint8, status int16, reason string) {
	m.mu.Lock()
	g.state, g.status = state, status
	pid := g.pid
	m.mu.Unlock()
	m.cfg.Publish(bus.GuestState{Guest: g.id.String(), State: stateNames[state], Status: int(status), Reason: reason, PID: pid, Time: m.cfg.Clock.Now()})
	m.cfg.Changed()
}

var stateNames = map[uint8]string{
	pus.GuestStopped: "stopped", pus.GuestStarting: "starting", pus.GuestRunning: "running",
	pus.GuestExited: "exited", pus.GuestRefused: "refused", pus.GuestSuspended: "suspended",
}

// Times of the machine, not of any protocol: they bound how long a tender may be silent.
const (
	claimWithin = 2 * time.Minute
	stopWithin  = 5 * time.Second
	reapWithin  = 5 * time.Second
)
