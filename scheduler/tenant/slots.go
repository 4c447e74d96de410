package tenant

import (
	"context"
	"os"
)

// Slot is a tender that init has started. Whoever has it closes its files.
type Slot struct {
	ID            uint32
	PID           int
	Name          string // the guest it was asked for
	Control, Data *os.File
}

// Limits are the walls that the kernel puts around a slot.
type Limits struct {
	Memory int64 // octets, guest and tender together
	IO     int64 // octets a second read from the disk, and as many written to it
}

// Slots is init.
type Slots interface {
	// Request asks for slot id with these limits, and waits for it.
	Request(ctx context.Context, id uint32, name string, limits Limits) (*Slot, error)
	// Kill ends the slot at once.
	Kill(id uint32) error
	// Keep holds files over a restart of this program, until Forget.
	Keep(name string, files ...*os.File) error
	Forget(name string) error
}

// exit is how a slot's process ended, as init saw it.
type exit struct{ status, signal uint8 }

// maxSlot is the highest number that init gives to a slot.
const maxSlot = 999

// freeSlot finds the smallest number that is not in use. m.mu is held.
func (m *Manager) freeSlot() (uint32, bool) {
	for id := uint32(1); id <= maxSlot; id++ {
		if _, taken := m.slots[id]; !taken {
			return id, true
		}
	}
	return 0, false
}

// SlotExited says that init has reaped the process of a slot.
func (m *Manager) SlotExited(id uint32, status, signal uint8) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g, ok := m.slots[id]
	switch {
	case ok && g == nil:
		delete(m.slots, id)
	case ok && !g.noSlot:
		g.noSlot = true
		g.exited <- exit{status, signal} // holds one, and a slot exits once
		m.giveBack(g)
	}
}

// giveBack lets the number of g's slot be used again once there is neither a slot nor an
// account of it: else the next guest of that number would lose its own account with g's, or
// be killed in its place. m.mu is held.
func (m *Manager) giveBack(g *guest) {
	if g.noSlot && g.closed && m.slots[g.slot] == g {
		delete(m.slots, g.slot)
	}
}
