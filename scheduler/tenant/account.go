package tenant

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/tender/wire"
)

const bucketSlots = "slots"

// entry is the account of one slot: which guest is in it, and whether it has begun.
type entry struct {
	Tenant, Mission string
	Digest, Version string
	MemoryMiB       int
	Running         bool
	Wire            uint32         // version of the tender's protocol
	Anew            bool           `json:",omitempty"`
	Grace           int            `json:",omitempty"` // seconds
	Channels        map[string]int `json:",omitempty"` // which end it has of each
}

func slotKey(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

func cutDigest(digest string) (algorithm, digits string, ok bool) {
	algorithm, digits, ok = strings.Cut(digest, ":")
	return algorithm, digits[:min(12, len(digits))], ok
}

// record writes the account of g's slot.
func (m *Manager) record(g *guest, running bool) error {
	return m.cfg.Records.Put(bucketSlots, slotKey(g.slot), entry{Tenant: g.id.Tenant, Mission: g.id.Mission,
		Digest: g.digest, Version: g.bundle, MemoryMiB: g.memory, Running: running, Wire: wire.Version, Anew: g.anew, Grace: g.grace, Channels: g.channels})
}

// Adopt takes over the slots that outlived an earlier flight program, and forgets what
// the account says of others. A slot that is in no good state is killed.
func (m *Manager) Adopt(kept []*Slot) error {
	account := map[uint32]entry{}
	err := m.cfg.Records.Each(bucketSlots, func(key string, read func(any) error) error {
		id, err := strconv.ParseUint(key, 10, 32)
		var e entry
		if err == nil {
			err = read(&e)
		}
		if err != nil {
			m.cfg.Log.Error("account of a slot is damaged", "slot", key, "err", err)
			return nil
		}
		account[uint32(id)] = e
		return nil
	})
	err = errors.Join(err, m.recallSuspended())
	alive := map[uint32]bool{}
	for _, s := range kept {
		alive[s.ID] = true
		if errAdopt := m.adopt(s, account[s.ID]); errAdopt != nil {
			err = errors.Join(err, errAdopt)
			m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, errAdopt.Error())
			m.drop(s)
		}
	}
	for id := range account {
		if !alive[id] {
			err = errors.Join(err, m.cfg.Records.Delete(bucketSlots, slotKey(id)))
		}
	}
	m.settle()
	return errors.Join(err, m.sweep())
}

func (m *Manager) adopt(s *Slot, e entry) error {
	id := ids.Guest{Tenant: e.Tenant, Mission: e.Mission}
	t, known := m.cfg.Tenants[e.Tenant]
	switch {
	case e.Tenant == "" || s.Name != id.String():
		return fmt.Errorf("slot %d: it says %q, the account says %q", s.ID, s.Name, id)
	case !e.Running:
		return fmt.Errorf("slot %d: %v had not begun", s.ID, id)
	case !known:
		return fmt.Errorf("slot %d: no tenant %q", s.ID, e.Tenant)
	case e.Wire != wire.Version:
		return fmt.Errorf("slot %d: %v: its tender speaks version %d of the protocol, this flight program %d", s.ID, id, e.Wire, wire.Version)
	}
	g := newGuest(id, t, s.ID, e)
	g.state, g.adopted = pus.GuestRunning, true
	m.mu.Lock()
	if m.closed != "" || m.guests[id] != nil {
		m.mu.Unlock()
		return fmt.Errorf("slot %d: %v may not run", s.ID, id)
	}
	m.guests[id], m.slots[s.ID] = g, g
	m.mu.Unlock()
	if err := m.attach(g, s); err != nil {
		m.mu.Lock()
		delete(m.guests, id)
		m.mu.Unlock()
		return fmt.Errorf("slot %d: %w", s.ID, err)
	}
	if err := m.recallOrder(g); err != nil {
		m.cfg.Log.Error("snapshot of a guest that runs", "guest", id, "err", err)
	}
	m.cfg.Log.Info("guest goes on", "guest", id, "slot", s.ID, "pid", s.PID)
	m.set(g, pus.GuestRunning, 0, "adopted")
	m.carryOn(g)
	m.serve(g)
	return nil
}

// drop kills a slot that nobody can use.
func (m *Manager) drop(s *Slot) {
	m.mu.Lock()
	m.slots[s.ID] = nil // taken until init has reaped it
	m.mu.Unlock()
	_ = s.Control.Close() // may have been taken over already
	_ = s.Data.Close()
	if err := m.cfg.Slots.Kill(s.ID); err != nil {
		m.cfg.Log.Error("kill slot", "slot", s.ID, "err", err)
	}
	if err := m.cfg.Records.Delete(bucketSlots, slotKey(s.ID)); err != nil {
		m.cfg.Log.Error("account of a slot", "slot", s.ID, "err", err)
	}
}

// forget closes g's sockets and ends the account of its slot.
func (m *Manager) forget(g *guest) {
	m.leave(g)
	m.mu.Lock()
	ctl, data := g.ctl, g.data
	g.ctl, g.data = nil, nil
	m.mu.Unlock()
	if ctl != nil {
		_ = ctl.Close()
		_ = data.Close()
	}
	_ = os.Remove(m.snapshotPart(g.id)) // it may have become the snapshot
	if err := m.cfg.Records.Delete(bucketSlots, slotKey(g.slot)); err != nil {
		m.cfg.Log.Error("account of a slot", "slot", g.slot, "err", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	g.closed = true
	m.giveBack(g)
}

// abandon gives up a guest that did not get to run.
func (m *Manager) abandon(g *guest) {
	m.forget(g)
	m.mu.Lock()
	noSlot := g.noSlot
	m.mu.Unlock()
	if noSlot {
		return
	}
	if err := m.cfg.Slots.Kill(g.slot); err != nil {
		m.cfg.Log.Error("kill slot", "slot", g.slot, "err", err)
	}
}
