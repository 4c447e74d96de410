package tenant

import (
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
	info, err := os.Stat(part)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_, err = os.Stat(file)
	case err == nil && uint64(info.Size()) < octets:
		err = fmt.Errorf("snapshot of %d octets, its tender says %d", info.Size(), octets)
	case err == nil: // behind it may lie what is left of another attempt
		err = os.Truncate(part, int64(octets))
		if err == nil {
			err = os.Rename(part, file)
		}
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
	if err != nil {
		m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf("%v: ended before it was saved: %v", g.id, err))
		return
	}
	if err := m.keep(g.id, *s, octets); err != nil {
		m.leaveUnclear(g, *s)
		m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf(notOnRecord, g.id, err))
		return
	}
	m.setSaved(g)
}

// notOnRecord is what is said of a guest whose snapshot is whole and has no account: the disk is full.
const notOnRecord = "%v: saved, but not on record: %v"

// leaveUnclear leaves the order to save g, which is over, to the next program.
func (m *Manager) leaveUnclear(g *guest, s suspended) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g.saving, m.unclear[g.id] = nil, s
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
