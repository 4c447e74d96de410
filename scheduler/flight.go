package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/missions/store"
	"github.com/perilune/perilune/scheduler/depot"
	"github.com/perilune/perilune/scheduler/files"
	"github.com/perilune/perilune/scheduler/linkd"
	"github.com/perilune/perilune/scheduler/nav"
	"github.com/perilune/perilune/scheduler/obt"
	"github.com/perilune/perilune/scheduler/router"
	"github.com/perilune/perilune/scheduler/services"
	"github.com/perilune/perilune/scheduler/stored"
	"github.com/perilune/perilune/scheduler/streams"
	"github.com/perilune/perilune/scheduler/tenant"
)

// records is where authority is kept: on disk, or in safe mode in memory.
type records interface {
	Put(bucket, key string, v any) error
	Get(bucket, key string, v any) error
	Delete(bucket, key string) error
	Each(bucket string, fn func(key string, read func(v any) error) error) error
}

// flight is the running program.
type flight struct {
	cfg     Config
	started time.Time

	init     *initLink
	mode     *mode
	db       *durable.DB // nil without a disk
	damaged  string      // path of records that cannot be read; empty mostly
	leftOut  []error     // missions that cannot be loaded
	records  records
	bus      *bus.Bus
	time     *obt.Clock
	store    *store.Store // nil in safe mode
	link     *linkd.Link
	streams  *streams.Streams // nil: no file store, or no channel for them
	router   *router.Router
	services *services.Services
	guests   *tenant.Manager
	stored   *stored.Store // nil without a disk

	restarting atomic.Bool  // the craft was ordered to restart
	storeFails atomic.Bool  // the log has it that telemetry is not stored
	files      *files.Files // nil without a disk
	depot      *depot.Depot // nil without a disk

	uplink chan packet // from the link to the dispatcher
	probe  chan func() // the dispatcher carries it out: proof that it lives
	locked atomic.Bool
	heard  atomic.Int64 // ns of Unix time when uplink was last locked
}

type packet struct {
	vc   ccsds.VCID
	data []byte
}

// open makes all parts. What is broken but not vital is logged and left out.
func (f *flight) open(ctx context.Context) (err error) {
	cfg := &f.cfg
	f.started = cfg.Clock.Now()
	f.uplink, f.probe = make(chan packet, 64), make(chan func())
	f.heard.Store(f.started.UnixNano())
	if f.init, err = greet(ctx, cfg.Init, cfg.Log); err != nil {
		return err
	}
	if err := f.init.keepPool(cfg.Craft.Warm); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	cause := f.openRecords()
	f.mode = newMode(f, cause)
	if err := f.openBus(); err != nil {
		return err
	}
	if f.time, err = obt.New(cfg.Clock, f.records, cfg.Boot); err != nil {
		cfg.Log.Error("on-board time starts free", "err", err)
	}
	f.router = router.New(router.Config{
		Clock: cfg.Clock, Time: f.time, Publish: f.publish, Tenants: cfg.rates(),
		Services: func(p []byte) { f.services.Telecommand(p) },
		Unknown:  func(p []byte, reason string) { f.services.Refuse(p, reason) },
		Files:    f.receivePDU, NextPDU: f.nextPDU, Keep: f.keep, Stored: f.nextStored, Forward: f.forwards,
	})
	f.openStored()
	f.openDepot()
	f.openStore()
	f.openGuests()
	var packets services.Store // a nil *stored.Store would be a Store
	if f.stored != nil {
		packets = f.stored
	}
	var filing services.Depot
	if f.depot != nil {
		filing = f.depot
	}
	where, err := nav.New(f.records, cfg.Craft.Orbit.TLE)
	if err != nil {
		cfg.Log.Error("the craft does not know its orbit", "err", err)
	}
	f.services, err = services.New(services.Config{
		Store: packets, Depot: filing, Streams: f.openStreams(), Orbit: where,
		Clock: cfg.Clock, Time: f.time, Records: f.records, Guests: f.guests, Missions: f, Mode: f.mode, Restart: f.Restart,
		Tenant: cfg.tenantOf, APIDs: cfg.apids(), Database: cfg.Craft.Messages(), Send: f.router.Flight, Security: func(c []byte) ([]byte, error) { return f.link.Procedure(c) }, Status: f.status, Publish: f.publish, Log: cfg.Log,
	})
	if err != nil {
		cfg.Log.Error("services start without some of their records", "err", err)
	}
	f.openFiles()
	master := cfg.Master
	if f.db == nil {
		master = nil // a key that is changed and then forgotten would lock the ground out
	}
	f.link, err = linkd.New(linkd.Config{
		Profile: cfg.Profile, Saver: linkd.Saver{Records: f.records}, Radio: cfg.Radio, Clock: cfg.Clock,
		Master: master, Keys: f.records, Log: cfg.securityLog(),
		Fill: f.fill, Packet: f.heardPacket,
		Refused: f.services.LinkRefused, Locked: f.uplinkLocked,
	})
	return err
}

// run keeps all parts going until the first of them ends.
func (f *flight) run(ctx context.Context) error {
	f.announce()
	// Guests that outlived an earlier program go on before init can say that one ended.
	if err := f.guests.Adopt(f.init.kept); err != nil {
		f.cfg.Log.Error("slots", "err", err)
	}
	f.guests.Rejoin(f.init.pairs)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return part("link", f.link.Run(ctx)) })
	g.Go(func() error { return part("services", f.services.Run(ctx)) })
	g.Go(func() error { return f.dispatch(ctx) })
	g.Go(func() error { return f.runFiles(ctx) })
	g.Go(func() error { return f.preparePDUs(ctx) })
	g.Go(func() error { return part("init", f.init.run(ctx)) })
	g.Go(func() error { return f.health(ctx) })
	g.Go(func() error { return f.populate(ctx) })
	return g.Wait()
}

func part(name string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// announce says how this program came to run.
func (f *flight) announce() {
	w := f.init.welcome
	id, text := pus.EventBoot, fmt.Sprintf("boot %d", w.Boots)
	if w.Restarts > 0 {
		id, text = pus.EventFlightRestarted, fmt.Sprintf("boot %d, restart %d", w.Boots, w.Restarts)
	}
	text += ", " + initproto.Mode(f.mode.Mode()).String()
	if w.Cause != "" {
		text += ": " + w.Cause
	}
	f.services.Event(pus.EventInfo, id, text, w.Boots, w.Restarts, uint8(f.mode.Mode()))
	if f.stored != nil {
		for _, damage := range f.stored.Damage() {
			f.services.Event(pus.EventMedium, pus.EventPacketStoreDamaged, damage)
		}
	}
	if f.mode.Mode() == pus.ModeSafe {
		f.services.Event(pus.EventHigh, pus.EventSafeEntered, f.mode.cause)
	}
	for _, err := range f.leftOut {
		f.services.Event(pus.EventMedium, pus.EventBundleRefused, err.Error())
	}
}

// close lets go of everything. Guests go on in their slots.
func (f *flight) close() {
	if f.guests != nil {
		f.guests.Detach()
	}
	if f.depot != nil {
		if err := f.depot.Close(); err != nil {
			f.cfg.Log.Error("file depot", "err", err)
		}
	}
	if f.stored != nil {
		if err := f.stored.Close(); err != nil {
			f.cfg.Log.Error("packet store", "err", err)
		}
	}
	errClose(f.db, f.cfg.Log)
	if f.bus != nil { // last: it holds copies, and may wait for the disk
		_ = f.bus.Close()
	}
}

func (f *flight) publish(e bus.Event) {
	if err := f.bus.Publish(context.Background(), e); err != nil && !errors.Is(err, bus.ErrClosed) {
		f.cfg.Log.Error("bus", "err", err)
	}
}

// status is what the parts know for housekeeping.
func (f *flight) status() pus.Housekeeping {
	s := f.link.Stats()
	h := pus.Housekeeping{
		UptimeS: uint32(f.cfg.Clock.Now().Sub(f.started).Seconds()),
		Boots:   f.init.welcome.Boots, FlightRestarts: uint16(min(f.init.welcome.Restarts, 0xFFFF)),
		FramesUp: uint32(s.AD + s.BD + s.BC), RefusedUp: uint32(s.RefusedTotal()),
	}
	for _, floor := range s.Floors {
		h.SDLSFloor = max(h.SDLSFloor, floor)
	}
	return h
}
