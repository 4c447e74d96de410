package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/ids"
)

// carryOn repeats an order to save g that an earlier program had given.
func (m *Manager) carryOn(g *guest) {
	if g.saving == nil || g.saving.saved {
		return
	}
	if err := m.orderSave(g, g.saving); err != nil {
		m.cfg.Log.Warn("order to save a guest", "guest", g.id, "err", err) // its tender is about to end
	}
}

// recallSuspended reads the accounts of suspended missions and of orders to suspend.
func (m *Manager) recallSuspended() error {
	return errors.Join(m.recallBucket(bucketSuspended, m.suspended), m.recallBucket(bucketSaving, m.unclear))
}

func (m *Manager) recallBucket(bucket string, to map[ids.Guest]suspended) error {
	return m.cfg.Records.Each(bucket, func(key string, read func(any) error) error {
		id, err := ids.ParseGuest(key)
		var s suspended
		if err == nil {
			err = read(&s)
		}
		if err != nil {
			m.cfg.Log.Error("account of a suspended mission is damaged", "mission", key, "bucket", bucket, "err", err)
			return nil
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		to[id] = s
		return nil
	})
}

// recallOrder gives g the order to save it that an earlier program had on record. It may have
// been carried out already, and g's tender about to end; else a snapshot of a guest that runs is
// used up.
func (m *Manager) recallOrder(g *guest) error {
	m.mu.Lock()
	as, ordered := m.unclear[g.id]
	_, is := m.suspended[g.id]
	if ordered {
		delete(m.unclear, g.id)
		g.saving = newOrder(as)
		g.saving.saved = is
		close(g.saving.recorded)
	}
	m.mu.Unlock()
	if is && !ordered {
		return m.discard(g.id)
	}
	return nil
}

// settle forgets orders of guests that are over and on record.
func (m *Manager) settle() {
	m.mu.Lock()
	var done []ids.Guest
	for id := range m.unclear {
		if _, is := m.suspended[id]; is {
			done = append(done, id)
			delete(m.unclear, id)
		}
	}
	m.mu.Unlock()
	for _, id := range done {
		m.forgetOrder(id)
	}
}

// Recover finds out what became of guests that were being saved when an earlier program, and
// then they, ended: suspended, or lost. It reads their snapshots, which may take long; they
// cannot start before.
func (m *Manager) Recover(ctx context.Context) {
	m.mu.Lock()
	all := make(map[ids.Guest]suspended, len(m.unclear))
	for id, s := range m.unclear {
		all[id] = s
	}
	m.mu.Unlock()
	for id, s := range all {
		if ctx.Err() != nil {
			return
		}
		octets, lost := m.written(id)
		if lost == nil {
			if err := m.keep(id, s, octets); err != nil {
				// It stays as it is, and its mission waits, until flight starts the next time.
				m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf(notOnRecord, id, err))
				continue
			}
		} else if err := errors.Join(remove(m.snapshotPart(id)), remove(m.snapshotFile(id))); err != nil {
			m.cfg.Log.Error("snapshot of no use", "guest", id, "err", err)
		}
		m.forgetOrder(id)
		m.mu.Lock()
		delete(m.unclear, id)
		m.mu.Unlock()
		m.tellRecovered(ctx, id, s, lost)
	}
}

// tellRecovered says what became of a guest; one that is lost and was to go on by itself begins anew.
func (m *Manager) tellRecovered(ctx context.Context, id ids.Guest, s suspended, lost error) {
	m.cfg.Changed()
	if lost == nil {
		m.cfg.Event(pus.EventInfo, pus.EventGuestSuspended, fmt.Sprintf("%v %s, found after a restart", id, s.Version))
		return
	}
	m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf("%v: lost while it was being saved: %v", id, lost))
	if s.GoesOn {
		_ = m.Start(ctx, id) // an event says what comes of it
	}
}
