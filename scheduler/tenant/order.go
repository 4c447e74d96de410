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

// order is one to save a guest. Its fields are guarded by Manager.mu, but for those that are set
// before others know of it.
type order struct {
	as       suspended     // what the guest is to be saved as
	room     uint64        // octets that the snapshot may have
	waiting  int           // how many wait for what comes of it
	recorded chan struct{} // closed when it is on record; before, no tender may be told
	saved    bool          // it is carried out, and that is on record
	closed   bool          // its guest is over
	unclear  bool          // it is left to the next program
	over     chan struct{} // closed when it is given up
	why      error         // set before
}

func newOrder(as suspended) *order {
	return &order{as: as, recorded: make(chan struct{}), over: make(chan struct{})}
}

// intend puts the order to save g on record.
func (m *Manager) intend(g *guest, o *order) error {
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
	g.ordering.Lock()
	defer g.ordering.Unlock()
	m.mu.Lock()
	gone := g.saving != o || o.closed
	m.mu.Unlock()
	if gone {
		return refuse(pus.FailureNotNow, "it was stopped meanwhile")
	}
	if err := m.cfg.Records.Put(bucketSaving, g.id.String(), o.as); err != nil {
		return err
	}
	close(o.recorded)
	return nil
}

// giveUpSaving forgets the order o to save g, which goes on or is ended, unless it is carried out
// already or is no more; whoever waits for it is told why.
func (m *Manager) giveUpSaving(g *guest, o *order, why error) {
	g.ordering.Lock()
	defer g.ordering.Unlock()
	m.mu.Lock()
	gone := o == nil || g.saving != o || o.saved || o.closed
	m.mu.Unlock()
	if gone {
		return
	}
	m.forgetOrder(g.id) // before there can be another one
	m.mu.Lock()
	defer m.mu.Unlock()
	if !o.saved {
		g.saving, o.why = nil, why
		close(o.over)
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

// answered is the order that a tender's answer is to; nil if that was ended meanwhile, or the answer
// is one more to an order that has had one: an earlier program, and then this one, may have given it.
func (m *Manager) answered(g *guest, number uint64) *order {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g.saving == nil || g.saving.as.Order != number {
		return nil
	}
	return g.saving
}

// takeSaved and takeUnsaved are the tender's answers.
func (m *Manager) takeSaved(g *guest, msg wire.Saved) {
	o := m.answered(g, msg.Order)
	if o == nil {
		return
	}
	if err := m.keep(g.id, o.as, msg.Size); err != nil {
		m.cfg.Log.Error("snapshot of a guest", "guest", g.id, "err", err) // tried again once the guest is over
		return
	}
	m.setSaved(o)
}

func (m *Manager) takeUnsaved(g *guest, msg wire.Unsaved) {
	o := m.answered(g, msg.Order)
	if o == nil {
		return
	}
	m.mu.Lock()
	awaited, room := o.waiting > 0, o.room
	m.mu.Unlock()
	m.giveUpSaving(g, o, refuse(pus.FailureRefused, "it goes on: %s; the tenant has %d octets of storage left", msg.Reason, room))
	if !awaited {
		m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf("%v: not suspended, it goes on: %s", g.id, msg.Reason))
	}
}

func (m *Manager) setSaved(o *order) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o.saved = true
}

// lookForSaved asks the file of a guest that is over, and was being saved, what its tender did not
// tell this program.
func (m *Manager) lookForSaved(g *guest) {
	m.mu.Lock()
	o := g.saving
	done := o == nil || o.saved
	m.mu.Unlock()
	if done {
		return
	}
	octets, err := m.written(g.id)
	if err != nil {
		m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf("%v: ended before it was saved: %v", g.id, err))
		return
	}
	if err := m.keep(g.id, o.as, octets); err != nil {
		m.leaveUnclear(g, o)
		m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf(notOnRecord, g.id, err))
		return
	}
	m.setSaved(o)
}

// notOnRecord is what is said of a guest whose snapshot is whole and has no account: the disk is full.
const notOnRecord = "%v: saved, but not on record: %v"

// leaveUnclear leaves the order to save g, which is over, to the next program.
func (m *Manager) leaveUnclear(g *guest, o *order) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o.unclear, m.unclear[g.id] = true, o.as
}

// orderDone forgets the order to save g, which is over, and returns what it is suspended as if the
// order was carried out.
func (m *Manager) orderDone(g *guest) *suspended {
	g.ordering.Lock()
	defer g.ordering.Unlock()
	m.mu.Lock()
	o := g.saving
	if o != nil {
		o.closed = true
	}
	m.mu.Unlock()
	if o == nil || o.unclear {
		return nil
	}
	m.forgetOrder(g.id)
	if !o.saved {
		return nil
	}
	return &o.as
}
