package tenant

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/internal/syncfile"
	"github.com/perilune/perilune/tender/snapshot"
	"github.com/perilune/perilune/tender/wire"
)

// A guest is saved in steps, each on stable storage before the next one, so that this
// program may die, or the power fail, between any two of them:
//
//	the file for it is empty, and the order is on record     or: nothing was asked for
//	the tender writes, and syncs, and ends                   the order is carried on
//	the file gets its name, and the mission is on record     the file says whether it was saved
//	the order is forgotten, and the slot                     it is suspended
//
// What a program finds of an order, it goes by the guest: one that runs is told again, and
// one that does not was saved if the file holds a snapshot, for a guest that goes on after a
// failure has spoiled it.
const (
	bucketSaving    = "saving"
	bucketSuspended = "suspended"
)

// intend puts the order to save g on record, as g.saving says.
func (m *Manager) intend(g *guest) error {
	if err := remove(m.snapshotFile(g.id)); err != nil {
		return err
	}
	// The slot has it open: were it gone, what the slot writes would be too.
	part, err := os.OpenFile(m.snapshotPart(g.id), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(part.Sync(), part.Close(), syncfile.Dir(filepath.Dir(part.Name()))); err != nil {
		return err
	}
	m.mu.Lock()
	order := g.saving
	m.mu.Unlock()
	if order == nil {
		return refuse(pus.FailureNotNow, "it was stopped meanwhile")
	}
	return m.cfg.Records.Put(bucketSaving, g.id.String(), *order)
}

// giveUpSaving forgets the order to save g, which goes on or is ended.
func (m *Manager) giveUpSaving(g *guest) {
	m.mu.Lock()
	was := g.saving != nil && !g.saved
	if was {
		g.saving = nil
	}
	m.mu.Unlock()
	if was {
		m.forgetOrder(g.id)
	}
}

func (m *Manager) forgetOrder(id ids.Guest) {
	if err := m.cfg.Records.Delete(bucketSaving, id.String()); err != nil {
		m.cfg.Log.Error("order to save a guest", "guest", id, "err", err)
	}
}

// keep makes what a tender has written and synced the snapshot of id: octets of its part, or
// of the file that has its name already.
func (m *Manager) keep(id ids.Guest, s suspended, octets uint64) error {
	s.Octets = octets
	part, file := m.snapshotPart(id), m.snapshotFile(id)
	err := os.Truncate(part, int64(octets)) // behind it may lie what is left of another attempt
	if err == nil {
		err = os.Rename(part, file)
	} else if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(file)
	}
	if err != nil {
		return err
	}
	if err := syncfile.Dir(filepath.Dir(file)); err != nil {
		return err
	}
	if err := m.cfg.Records.Put(bucketSuspended, id.String(), s); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.suspended[id] = s
	return nil
}

// written finds the snapshot that a tender has written for id, by its content, and returns its
// length in octets.
func (m *Manager) written(id ids.Guest) (octets uint64, err error) {
	f, err := os.Open(m.snapshotPart(id))
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(m.snapshotFile(id))
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return snapshot.Check(f)
}

// takeSaved and takeUnsaved are the tender's answers.
func (m *Manager) takeSaved(g *guest, msg wire.Saved) {
	m.mu.Lock()
	s := g.saving
	m.mu.Unlock()
	if s == nil { // it was ended meanwhile
		return
	}
	if err := m.keep(g.id, *s, msg.Size); err != nil {
		m.cfg.Log.Error("snapshot of a guest", "guest", g.id, "err", err) // tried again once the guest is over
		return
	}
	m.setSaved(g)
}

func (m *Manager) takeUnsaved(g *guest, reason string) {
	m.giveUpSaving(g)
	m.mu.Lock()
	awaited := g.awaited
	m.mu.Unlock()
	if !awaited {
		m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf("%v: not suspended, it goes on: %s", g.id, reason))
	}
	select {
	case g.unsaved <- reason:
	default:
	}
}

func (m *Manager) setSaved(g *guest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g.saved = true
}

// lookForSaved asks the file of a guest that is over, and was being saved, what its tender did not
// tell this program.
func (m *Manager) lookForSaved(g *guest) {
	m.mu.Lock()
	s, saved := g.saving, g.saved
	m.mu.Unlock()
	if s == nil || saved {
		return
	}
	octets, err := m.written(g.id)
	if err == nil {
		err = m.keep(g.id, *s, octets)
	}
	if err != nil {
		m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf("%v: ended before it was saved: %v", g.id, err))
		return
	}
	m.setSaved(g)
}

// carryOn repeats an order to save g that an earlier program had given.
func (m *Manager) carryOn(g *guest) {
	if g.saving == nil || g.saved {
		return
	}
	if _, err := m.orderSave(g); err != nil {
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
	order, ordered := m.unclear[g.id]
	_, is := m.suspended[g.id]
	if ordered {
		delete(m.unclear, g.id)
		g.saving, g.saved = &order, is
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
// cannot start before. One that was to go on by itself and is lost begins anew.
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
		err := m.recover(id, s)
		m.mu.Lock()
		delete(m.unclear, id)
		m.mu.Unlock()
		m.cfg.Changed()
		if err == nil {
			m.cfg.Event(pus.EventInfo, pus.EventGuestSuspended, fmt.Sprintf("%v %s, found after a restart", id, s.Version))
			continue
		}
		m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf("%v: lost while it was being saved: %v", id, err))
		if s.GoesOn {
			_ = m.Start(ctx, id) // an event says what comes of it
		}
	}
}

// recover makes a snapshot that is whole the mission's; of another one nothing is left.
func (m *Manager) recover(id ids.Guest, s suspended) error {
	octets, err := m.written(id)
	if err == nil {
		err = m.keep(id, s, octets)
	}
	if err != nil {
		err = errors.Join(err, remove(m.snapshotPart(id)), remove(m.snapshotFile(id)))
	}
	m.forgetOrder(id)
	return err
}

// orderDone forgets the order to save g, which is over, and returns it if it was carried out.
func (m *Manager) orderDone(g *guest) *suspended {
	m.mu.Lock()
	s, saved := g.saving, g.saved
	m.mu.Unlock()
	if s != nil {
		m.forgetOrder(g.id)
	}
	if !saved {
		return nil
	}
	return s
}
