package services_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/database"
	"github.com/perilune/perilune/scheduler/nav"
	"github.com/perilune/perilune/scheduler/obt"
	"github.com/perilune/perilune/scheduler/safe"
	"github.com/perilune/perilune/scheduler/services"
)

// craft is the world of the services under test: what they sent and what they did.
type craft struct {
	t       *testing.T
	records *safe.Records
	time    *obt.Clock
	broken  bool // records fail

	mu      sync.Mutex
	sent    []sent
	started []string
	slow    time.Duration // of starting a guest
	grace   time.Duration // of one that is stopped
	refusal error
	depot   services.Depot
	orbit   []string // elements of craft.toml
	mode    atomic.Uint32
	uptime  atomic.Uint32 // s
}

type sent struct {
	service, subtype uint8
	data             []byte
	at               time.Time
}

func (c *craft) Put(bucket, key string, v any) error {
	if c.broken {
		return errors.New("disk gone")
	}
	return c.records.Put(bucket, key, v)
}
func (c *craft) Get(bucket, key string, v any) error { return c.records.Get(bucket, key, v) }

func (c *craft) Start(_ context.Context, g ids.Guest) error {
	time.Sleep(c.slow)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = append(c.started, g.String())
	return c.refusal
}
func (c *craft) Stop(ctx context.Context, g ids.Guest) error {
	select {
	case <-time.After(c.grace):
	case <-ctx.Done():
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = append(c.started, "stop "+g.String())
	return nil
}
func (c *craft) Restart(context.Context, bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = append(c.started, "restart")
	return nil
}
func (c *craft) starts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.started)
}
func (c *craft) Suspend(context.Context, ids.Guest) error         { return nil }
func (c *craft) Resume(context.Context, ids.Guest) error          { return nil }
func (c *craft) Command(ids.Guest, []byte) error                  { return nil }
func (c *craft) Console(context.Context, ids.Guest, uint64) error { return nil }
func (c *craft) Table() []pus.Guest                               { return make([]pus.Guest, 300) }
func (c *craft) Mode() uint8                                      { return uint8(c.mode.Load()) }
func (c *craft) Enter(context.Context, string) error              { c.mode.Store(uint32(pus.ModeSafe)); return nil }
func (c *craft) Leave(context.Context) error                      { c.mode.Store(uint32(pus.ModeNormal)); return nil }
func (c *craft) Activate(context.Context, string, string) (string, error) {
	return "", missions.Rulef(missions.RuleDigest, "blob 1")
}

func (c *craft) send(service, subtype uint8, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, sent{service, subtype, data, time.Now()})
	return nil
}

// launch starts the services, with the records that there are.
func (c *craft) launch() (*services.Services, context.CancelFunc) {
	c.t.Helper()
	var err error
	if c.time, err = obt.New(clock.Real{}, c.records, ""); err != nil {
		c.t.Fatal(err)
	}
	where, err := nav.New(c, c.orbit)
	if err != nil {
		c.t.Fatal(err)
	}
	s, err := services.New(services.Config{
		Clock: clock.Real{}, Time: c.time, Records: c, Depot: c.depot, Orbit: where, APIDs: []uint16{1, 100}, Guests: c, Missions: c, Mode: c, Restart: c.Restart,
		Tenant: func(a ccsds.APID) (string, bool) { return "acme", a == 100 },
		Send:   c.send, Status: func() pus.Housekeeping { return pus.Housekeeping{UptimeS: c.uptime.Load()} },
		Publish: func(bus.Event) {}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go s.Run(ctx) //nolint:errcheck // it ends with ctx's error
	return s, cancel
}

func (c *craft) find(service, subtype uint8) (all []sent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sent {
		if s.service == service && s.subtype == subtype {
			all = append(all, s)
		}
	}
	return all
}

func (c *craft) events(id pus.EventID) (texts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sent {
		if s.service != pus.ServiceEvent || s.subtype > pus.EventHigh {
			continue
		}
		e, err := pus.DecodeEvent(s.subtype, s.data)
		if err != nil {
			c.t.Fatal(err)
		}
		if e.ID == id {
			texts = append(texts, e.Text)
		}
	}
	return texts
}

func tc(t *testing.T, seq uint16, ack pus.Ack, service, subtype uint8, data []byte) []byte {
	t.Helper()
	p, err := pus.BuildTC(1, seq, ack, service, subtype, 7, data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func start(t *testing.T, seq uint16) []byte {
	t.Helper()
	return perform(t, seq, pus.FunctionMissionStart, "acme", "beacon")
}

func perform(t *testing.T, seq uint16, name string, arguments ...string) []byte {
	t.Helper()
	data, err := pus.Function{Name: name, Arguments: arguments}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return tc(t, seq, pus.AckAll, pus.ServiceFunction, pus.PerformFunction, data)
}

func insert(t *testing.T, seq uint16, at timecode.Instant, request []byte) []byte {
	t.Helper()
	data, err := database.Default().Form.EncodeInsertion(pus.Insertion{Activities: []pus.Activity{{Release: at, Request: request}}})
	if err != nil {
		t.Fatal(err)
	}
	return tc(t, seq, pus.AckAll, pus.ServiceSchedule, pus.ScheduleInsert, data)
}

func newCraft(t *testing.T) *craft { return &craft{t: t, records: safe.NewRecords()} }
