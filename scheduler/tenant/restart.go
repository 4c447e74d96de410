package tenant

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/ids"
)

// savers is how many guests are saved at the same time: they share one disk.
const savers = 4

// againAfter are the pauses before a mission is tried again that could not go on.
var againAfter = [...]time.Duration{2 * time.Second, 8 * time.Second, 30 * time.Second, 2 * time.Minute}

// errUnfit says of a refusal that the snapshot is damaged, or does not fit its mission, the
// craft or the mission's disks: it will not fit later either.
var errUnfit = errors.New("the snapshot is of no use")

// PutAway ends all guests before the craft restarts, for the reason given, and none can start from
// then on. With save, those that can go on afterwards are saved; GoOn lets them. One that cannot be
// saved, because its tenant's storage is full or ctx ends, is an event and is stopped. Guests of one
// tenant are saved one after the other, so that each knows what room it has.
func (m *Manager) PutAway(ctx context.Context, reason string, save bool) (saved, ended int) {
	m.Close(reason)
	m.launching.Wait()
	var nSaved, nEnded atomic.Int64
	var wg sync.WaitGroup
	slots := make(chan struct{}, savers)
	for _, guests := range m.activeByTenant() {
		wg.Go(func() {
			for _, g := range guests {
				slots <- struct{}{}
				if m.putAway(ctx, g, save) {
					nSaved.Add(1)
				} else {
					nEnded.Add(1)
				}
				<-slots
			}
		})
	}
	wg.Wait()
	return int(nSaved.Load()), int(nEnded.Load())
}

func (m *Manager) activeByTenant() map[string][]*guest {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string][]*guest{}
	for id, g := range m.guests {
		if g.active() {
			out[id.Tenant] = append(out[id.Tenant], g)
		}
	}
	return out
}

// putAway saves a guest, or ends it.
func (m *Manager) putAway(ctx context.Context, g *guest, save bool) (saved bool) {
	if save && !g.anew {
		err := m.suspend(ctx, g.id, true)
		if err == nil {
			return true
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return false // this program ends, and the guests do not: the next one carries on
		}
		m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf("%v: is stopped, not saved: %v", g.id, err))
	}
	if err := m.stop(context.WithoutCancel(ctx), g.id, ctx.Err() == nil); err != nil {
		m.cfg.Log.Error("guest before a restart", "guest", g.id, "err", err)
	}
	return false
}

// GoOn lets the missions go on that were saved because the craft was to restart. One whose
// snapshot is of no use any more begins anew, and an event says why. One that cannot go on now is
// tried again, while others go on.
func (m *Manager) GoOn(ctx context.Context) {
	m.mu.Lock()
	var all []ids.Guest
	for id, s := range m.suspended {
		if s.GoesOn {
			all = append(all, id)
		}
	}
	m.mu.Unlock()
	for _, id := range all {
		m.goOn(ctx, id)
	}
}

// goOn lets one go on, or tries to now and then: a slot may be there later, or room for another
// guest of its tenant.
func (m *Manager) goOn(ctx context.Context, id ids.Guest) {
	if !m.tryToGoOn(ctx, id) {
		return
	}
	m.run.Go(func() {
		for _, wait := range againAfter {
			if clock.Sleep(m.life, m.cfg.Clock, wait) != nil || !m.tryToGoOn(m.life, id) {
				return
			}
		}
	})
}

// tryToGoOn lets one go on, unless somebody else does. It says whether that may work later.
func (m *Manager) tryToGoOn(ctx context.Context, id ids.Guest) (later bool) {
	m.going.Lock()
	defer m.going.Unlock()
	if !m.Suspended(id) || m.Active(id) || m.mayRun() != nil {
		return false
	}
	if err := m.Resume(ctx, id); !errors.Is(err, errUnfit) {
		return err != nil && ctx.Err() == nil // an event has said why it waits
	}
	if err := m.discard(id); err != nil {
		m.cfg.Log.Error("snapshot of no use", "guest", id, "err", err)
		return false
	}
	_ = m.Start(ctx, id) // an event says what comes of it
	return false
}

// Active says whether the mission id runs or is about to.
func (m *Manager) Active(id ids.Guest) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := m.guests[id]
	return g != nil && g.active()
}
