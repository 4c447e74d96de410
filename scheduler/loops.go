package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/scheduler/tenant"
)

// healthPeriod is how often init hears that flight works.
const healthPeriod = 2 * time.Second

// silence is how long nothing may be heard from the ground before file transfers stop
// their timers. The craft does not know when a pass ends; a transfer that gives up
// early loses what was sent already.
const silence = 5 * time.Minute

// heardPacket queues a packet for the dispatcher. A full queue holds up the uplink.
func (f *flight) heardPacket(ctx context.Context, vc ccsds.VCID, data []byte) error {
	select {
	case f.uplink <- packet{vc, data}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dispatch hands packets to the router, one after the other.
func (f *flight) dispatch(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p := <-f.uplink:
			f.router.Uplink(p.vc, p.data)
		case do := <-f.probe:
			do()
		}
	}
}

// health tells init that flight works: not because a timer ran out, but because the
// transmitter moved, the uplink was not stuck, the link's lock was to be had and the dispatcher
// took a task.
func (f *flight) health(ctx context.Context) error {
	last := f.link.Beats()
	for {
		if err := clock.Sleep(ctx, f.cfg.Clock, healthPeriod); err != nil {
			return err
		}
		f.watchSilence()
		now := f.link.Beats()
		if now == last {
			f.cfg.Log.Warn("the transmitter stands still")
			continue
		}
		last = now
		f.link.Uplink()
		f.link.Stats()
		done := make(chan struct{})
		select {
		case f.probe <- func() { close(done) }:
		case <-ctx.Done():
			return ctx.Err()
		}
		<-done
		if err := f.init.healthy(); err != nil {
			return fmt.Errorf("health: %w", err)
		}
	}
}

// uplinkLocked follows the uplink.
func (f *flight) uplinkLocked(locked bool) {
	now := f.cfg.Clock.Now()
	f.heard.Store(now.UnixNano())
	f.locked.Store(locked)
	state := "lost"
	if locked {
		state = "locked"
		if f.files != nil {
			f.files.Freeze(false)
		}
	}
	f.publish(bus.LinkState{State: state, Time: now})
}

func (f *flight) watchSilence() {
	quiet := f.cfg.Clock.Now().UnixNano() - f.heard.Load()
	if f.files != nil && !f.locked.Load() && time.Duration(quiet) > silence {
		f.files.Freeze(true)
	}
}

// receivePDU takes a CFDP PDU from the uplink.
func (f *flight) receivePDU(pdu []byte) {
	if f.files == nil {
		f.services.LinkRefused("cfdp", "no file store", 1)
		return
	}
	err := f.files.Receive(pdu)
	if err == nil || errors.Is(err, cfdp.ErrUnknown) {
		return
	}
	var bad *ccsds.DecodeError
	if errors.As(err, &bad) {
		f.services.LinkRefused("cfdp", bad.Reason, 1)
		return
	}
	f.services.LinkRefused("cfdp", err.Error(), 1)
}

func (f *flight) nextPDU() ([]byte, bool) {
	if f.files == nil {
		return nil, false
	}
	return f.files.Next()
}

// preparePDUs keeps CFDP PDUs ready for the transmitter, which must not wait for the disk.
func (f *flight) preparePDUs(ctx context.Context) error {
	if f.files == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.files.Prepare():
		}
	}
}

// runFiles lets the timers of transfers run out.
func (f *flight) runFiles(ctx context.Context) error {
	if f.files == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	for {
		after, sooner := f.files.Tick()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.cfg.Clock.After(after):
		case <-sooner:
			// PDUs come in bursts; timers need not be looked at for each.
			if err := clock.Sleep(ctx, f.cfg.Clock, 100*time.Millisecond); err != nil {
				return err
			}
		}
	}
}

// productDone sends a finished product to the ground, with where it comes from.
func (f *flight) productDone(p tenant.Product) {
	at, quality := f.time.Now()
	notes := [][]byte{
		fmt.Appendf(nil, "perilune guest=%s version=%s", p.Guest, p.Bundle),
		fmt.Appendf(nil, "perilune bundle=%s", p.Digest),
		fmt.Appendf(nil, "perilune sha256=%x", p.SHA256),
		fmt.Appendf(nil, "perilune time=%v quality=%v", at, quality),
	}
	if f.files == nil {
		return
	}
	if err := f.files.Put(p.Name, notes); err != nil {
		// It stays on disk and is offered again at the next start.
		f.cfg.Log.Error("product", "name", p.Name, "err", err)
	}
}

const bucketAutostart = "autostart"

// populate lets guests go on that were interrupted, and starts those that start by themselves, once
// a boot.
func (f *flight) populate(ctx context.Context) error {
	if f.mode.Mode() == pus.ModeNormal {
		f.guests.Recover(ctx)
		f.guests.GoOn(ctx)
	}
	for _, t := range f.cfg.Craft.Tenants {
		for _, name := range t.Autostart {
			f.autostart(ctx, ids.Guest{Tenant: t.Name, Mission: name})
		}
	}
	f.services.GuestsChanged()
	<-ctx.Done()
	return ctx.Err()
}

// autostart starts a guest unless it has been started during this boot: one that has
// ended since, or was stopped, stays so when only the program restarts. One that is
// suspended goes on where it was, unless another version of it is active now.
func (f *flight) autostart(ctx context.Context, g ids.Guest) {
	if f.mode.Mode() != pus.ModeNormal || ctx.Err() != nil {
		return
	}
	var boot string
	err := f.records.Get(bucketAutostart, g.String(), &boot)
	if err == nil && boot == f.cfg.Boot && boot != "" {
		return
	}
	if err != nil && !errors.Is(err, durable.ErrNotFound) {
		f.cfg.Log.Error("autostart", "guest", g, "err", err)
	}
	if !f.guests.Active(g) { // one that was interrupted goes on by now
		start := f.guests.Start
		if f.guests.Resumable(g) {
			start = f.guests.Resume
		}
		if err := start(ctx, g); err != nil {
			return // an event has said so
		}
	}
	if err := f.records.Put(bucketAutostart, g.String(), f.cfg.Boot); err != nil {
		f.cfg.Log.Error("autostart", "guest", g, "err", err)
	}
}

// errClose closes db, if it is there, and returns none.
func errClose(db *durable.DB, log *slog.Logger) *durable.DB {
	if db != nil {
		if err := db.Close(); err != nil {
			log.Error("records", "err", err)
		}
	}
	return nil
}
