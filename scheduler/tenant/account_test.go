package tenant

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/missions/store"
	"github.com/perilune/perilune/scheduler/safe"
)

// slowRecords holds a Delete back until it is let go on.
type slowRecords struct {
	*safe.Records
	deleting, goOn chan struct{}
}

func (r slowRecords) Delete(bucket, key string) error {
	if bucket == bucketSlots {
		r.deleting <- struct{}{}
		<-r.goOn
	}
	return r.Records.Delete(bucket, key)
}

// noSlots is an init that makes no slots.
type noSlots struct{ killed []uint32 }

func (*noSlots) Request(context.Context, uint32, string, Limits) (*Slot, error) {
	return nil, errors.New("none")
}
func (n *noSlots) Kill(id uint32) error         { n.killed = append(n.killed, id); return nil }
func (*noSlots) Keep(string, ...*os.File) error { return nil }
func (*noSlots) Forget(string) error            { return nil }
func quiet(uint8, pus.EventID, string)          {}
func newTestManager(r Records, slots Slots) *Manager {
	return New(Config{Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler), Records: r, Slots: slots,
		Event: quiet, Publish: func(bus.Event) {}, Changed: func() {}})
}

// The number of a slot is in use as long as its account is not closed: the account of the
// next guest of that number would go with it.
func TestNumberUntilForgotten(t *testing.T) {
	r := slowRecords{safe.NewRecords(), make(chan struct{}), make(chan struct{})}
	m := newTestManager(r, &noSlots{})
	free := func() uint32 {
		m.mu.Lock()
		defer m.mu.Unlock()
		n, _ := m.freeSlot()
		return n
	}
	g := &guest{id: ids.Guest{Tenant: "acme", Mission: "a"}, slot: 1, exited: make(chan exit, 1), done: make(chan struct{})}
	m.guests[g.id], m.slots[1] = g, g
	m.SlotExited(1, 0, 0)
	m.SlotExited(1, 0, 0) // said twice by mistake, it neither blocks nor counts
	over := make(chan struct{})
	go func() { defer close(over); m.forget(g) }()
	<-r.deleting
	if n := free(); n == 1 {
		t.Error("number 1 is given out while its account is being closed")
	}
	close(r.goOn)
	<-over
	if n := free(); n != 1 {
		t.Errorf("number %d is the first free one, want 1 again", n)
	}
}

// A guest for which no slot was asked costs no number, and nobody else's slot.
func TestNumberOfNoSlot(t *testing.T) {
	slots := &noSlots{}
	m := newTestManager(safe.NewRecords(), slots)
	id := ids.Guest{Tenant: "acme", Mission: "a"}
	m.cfg.Tenants = map[string]Tenant{"acme": {MemoryMiB: 16, Guests: 1, VCPUs: 1}}
	in := &store.Installed{Tenant: id.Tenant, Name: id.Mission, Mission: &missions.Mission{}, Kernel: "/nowhere/kernel"}
	in.Grant.Quota = grant.Quota{MemoryMiB: 16, Guests: 1}
	m.cfg.Mission = func(ids.Guest) *store.Installed { return in }
	for range 3 {
		if err := m.Start(t.Context(), id); err == nil {
			t.Fatal("it started")
		}
	}
	if len(m.slots) != 0 || len(slots.killed) != 0 {
		t.Errorf("%d numbers are in use, %d slots killed", len(m.slots), len(slots.killed))
	}
}
