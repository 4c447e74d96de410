package tenant

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/tender/wire"
)

// suspendWithin bounds how long a tender may write, at the pace that its limit of the
// disk allows.
const suspendWithin = 2 * time.Minute

// suspended is the account of a mission that was saved and does not run, or, before that,
// of what it is to be saved as (order.go). A file without an account is nobody's.
type suspended struct {
	Digest, Version string // of the bundle that ran
	MemoryMiB       int
	Octets          uint64 // of the snapshot
	GoesOn          bool   `json:",omitempty"` // by itself, once the craft has restarted
	Order           uint64 `json:",omitempty"` // by which it is saved (wire.Save); the next program repeats it
}

// snapshotFile is the snapshot of a mission that is suspended; its part is what a slot
// that runs may write.
func (m *Manager) snapshotFile(id ids.Guest) string {
	return filepath.Join(m.cfg.Snapshots, id.Tenant, id.Mission)
}

func (m *Manager) snapshotPart(id ids.Guest) string { return m.snapshotFile(id) + partSuffix }

// partSuffix is in no mission's name.
const partSuffix = "~"

// snapshots opens what g's slot gets beside its devices: the snapshot to go on from, if
// it resumes, and an empty file for the next one.
func (m *Manager) snapshots(g *guest, claim *wire.Claim) (files []*os.File, err error) {
	if claim.Restore = g.resumed; claim.Restore {
		f, err := os.Open(m.snapshotFile(g.id))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	part := m.snapshotPart(g.id)
	if err := os.MkdirAll(filepath.Dir(part), 0o700); err != nil {
		return files, err
	}
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return files, err
	}
	claim.Save = true
	return append(files, f), nil
}

// Suspend saves the guest id to the tenant's storage, ends it, and returns when the
// snapshot will outlive a power cut. A guest that cannot be saved goes on.
func (m *Manager) Suspend(ctx context.Context, id ids.Guest) error { return m.suspend(ctx, id, false) }

func (m *Manager) suspend(ctx context.Context, id ids.Guest, goesOn bool) error {
	g, o, again, err := m.beginSaving(id, goesOn)
	if err != nil {
		return err
	}
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		o.waiting--
	}()
	if again {
		m.repeatOrder(ctx, g, o)
		return m.awaitSaved(ctx, g, o)
	}
	if err = m.intend(g, o); err == nil {
		err = m.orderSave(g, o)
	}
	if err != nil {
		err = fmt.Errorf("suspend %v: %w", id, err)
		m.giveUpSaving(g, o, err)
		return err
	}
	return m.awaitSaved(ctx, g, o)
}

// repeatOrder tells g's tender once more, when whoever gave the order has it on record. That it
// cannot be told is no matter: it may have carried the order out and be gone.
func (m *Manager) repeatOrder(ctx context.Context, g *guest, o *order) {
	select {
	case <-o.recorded:
		if err := m.orderSave(g, o); err != nil {
			m.cfg.Log.Warn("order to save a guest, again", "guest", g.id, "err", err)
		}
	case <-o.over:
	case <-g.done:
	case <-ctx.Done():
	}
}

// beginSaving finds the guest id, which runs; again says that it is being saved already. Its
// tender takes a second order of that number for the first.
func (m *Manager) beginSaving(id ids.Guest, goesOn bool) (g *guest, o *order, again bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g = m.guests[id]; g == nil || g.state != pus.GuestRunning || g.ctl == nil {
		return nil, nil, false, refuse(pus.FailureUnknownName, "%v does not run", id)
	}
	if again = g.saving != nil; !again {
		g.saving = newOrder(suspended{Digest: g.digest, Version: g.bundle, MemoryMiB: g.memory, GoesOn: goesOn, Order: rand.Uint64()})
	}
	g.saving.waiting++
	return g, g.saving, again, nil
}

// orderSave tells g's tender to save it, in what is left of its tenant's storage.
func (m *Manager) orderSave(g *guest, o *order) error {
	room, err := m.room(g)
	if err != nil {
		return err
	}
	m.mu.Lock()
	o.room = room
	ctl := g.ctl
	m.mu.Unlock()
	if ctl == nil {
		return refuse(pus.FailureUnknownName, "it does not run")
	}
	_ = ctl.SetWriteDeadline(time.Now().Add(time.Second))
	return ctl.Send(wire.Save{Order: o.as.Order, Max: room})
}

func (m *Manager) awaitSaved(ctx context.Context, g *guest, o *order) error {
	select {
	case <-o.over:
		return o.why
	case <-g.done:
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(suspendWithin):
		return refuse(pus.FailureInternal, "its tender does not answer; an event will say what came of it")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if g.state != pus.GuestSuspended {
		return refuse(pus.FailureRefused, "%v ended before it was saved", g.id)
	}
	return nil
}

// room is how many octets of g's tenant's storage its snapshot may have.
func (m *Manager) room(g *guest) (uint64, error) {
	if err := m.measure(g.id.Tenant); err != nil {
		return 0, err
	}
	part, err := os.Stat(m.snapshotPart(g.id)) // it is written over
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(max(0, int64(g.tenant.StorageMiB)<<20-m.used[g.id.Tenant]+max(part.Size(), leastOctets))), nil
}

// Resume lets the suspended mission id go on where it was. Its snapshot is used up once
// it runs; until then it stays suspended.
func (m *Manager) Resume(ctx context.Context, id ids.Guest) error { return m.start(ctx, id, true) }

// Resumable says whether the mission id is suspended and its snapshot is of the version
// that is active.
func (m *Manager) Resumable(id ids.Guest) bool {
	in := m.cfg.Mission(id)
	m.mu.Lock()
	defer m.mu.Unlock()
	s, is := m.suspended[id]
	return is && in != nil && s.Digest == in.Digest
}

// Suspended says whether the mission id waits to be resumed.
func (m *Manager) Suspended(id ids.Guest) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.suspended[id]
	return ok
}

// discard gives up the snapshot of id, if there is one.
func (m *Manager) discard(id ids.Guest) error {
	m.mu.Lock()
	delete(m.suspended, id)
	m.mu.Unlock()
	if err := m.cfg.Records.Delete(bucketSuspended, id.String()); err != nil {
		return err
	}
	return remove(m.snapshotFile(id))
}

// remove removes a file; one that is not there is no error.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// stopSuspended ends a mission that does not run but is suspended; false if it is not.
func (m *Manager) stopSuspended(id ids.Guest) (bool, error) {
	if !m.Suspended(id) {
		return false, nil
	}
	if err := m.discard(id); err != nil {
		return true, err
	}
	m.mu.Lock()
	if g := m.guests[id]; g != nil && !g.active() {
		g.state = pus.GuestStopped
	}
	m.mu.Unlock()
	m.cfg.Event(pus.EventInfo, pus.EventGuestExited, fmt.Sprintf("%v: status 0, its snapshot was given up", id))
	m.cfg.Changed()
	return true, nil
}

// sweep removes files of snapshots that nobody will use: of guests that a power cut ended.
// Without guests, in safe mode, the account may be missing; then everything stays.
func (m *Manager) sweep() error {
	files, err := filepath.Glob(filepath.Join(m.cfg.Snapshots, "*", "*"))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed != "" {
		return err
	}
	for _, f := range files {
		mission, part := strings.CutSuffix(filepath.Base(f), partSuffix)
		id := ids.Guest{Tenant: filepath.Base(filepath.Dir(f)), Mission: mission}
		_, is := m.suspended[id]
		_, unclear := m.unclear[id]
		if !unclear && (part && m.guests[id] == nil || !part && !is) {
			err = errors.Join(err, os.Remove(f))
		}
	}
	return err
}
