package tender

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/loader"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/ring"
)

// ringReserve is what a net ring adds above the guest's memory: whole large
// pages, as in the reference.
const ringReserve = hvt.MemoryStep

// ringSpace is that, or 0 if the guest gets no ring: it has no network, or
// the ring would lie above all that the guest's tables can map.
func (c *Config) ringSpace() uint64 {
	if !c.Ring || len(c.Nets) == 0 || c.Memory+ringReserve > hvt.MaxMemory {
		return 0
	}
	return ringReserve
}

// announceRing offers the ring to the guest, if it has a place and KVM can
// signal an eventfd. A guest that knows no ring never looks at it.
func (m *Machine) announceRing() error {
	at := m.mem.limit
	if at == uint64(len(m.mem.b)) {
		return nil
	}
	r, err := ring.New(m.mem.b[at:], ringDevice{m})
	if err != nil {
		return err
	}
	if err := m.vm.SignalOnKick(r.FD()); err != nil && !errors.Is(err, kvm.ErrUnsupported) {
		return err
	}
	m.ring = r
	loader.AnnounceRing(m.mem, at)
	return nil
}

// startRing serves the ring until stopRing.
func (m *Machine) startRing() {
	if m.ring == nil || m.ringRuns {
		return
	}
	m.ringRuns = true
	go func() {
		if err := m.ring.Serve(); err != nil {
			e := callError(err)
			m.failed.Store(&e)
			m.Stop()
		}
	}()
}

// stopRing sends what the guest left in the ring and corrects how it ended:
// what fails in the ring ends the guest.
func (m *Machine) stopRing(e Exit) Exit {
	if m.ring == nil || !m.ringRuns {
		return e
	}
	m.ring.Close()
	m.ring = nil
	if f := m.failed.Load(); f != nil && e.Kind == Killed {
		return *f
	}
	return e
}

// kicked takes a kick that came as an exit: not every KVM signals an eventfd.
func (m *Machine) kicked(x kvm.Exit) bool {
	if m.ring == nil || !kvm.IsKick(x) {
		return false
	}
	m.ring.Kick()
	return true
}

// ringDevice lets the ring reach the guest's networks.
type ringDevice struct{ m *Machine }

func (d ringDevice) net(handle uint64) *modules.Net {
	if handle >= hvt.MaxEntries {
		return nil
	}
	return d.m.nets[handle]
}

// Transmit sends one frame. One for no network is lost, as on a wire.
func (d ringDevice) Transmit(io hvt.NetIO) error {
	n := d.net(io.Handle)
	if n == nil {
		return nil
	}
	if _, err := n.Write(d.m.mem, io, d.m.stop); err != nil {
		return fmt.Errorf("net ring: %w", err)
	}
	return nil
}

// Receive reads one frame.
func (d ringDevice) Receive(io hvt.NetIO) (int, hvt.Result, error) {
	n := d.net(io.Handle)
	if n == nil {
		return 0, hvt.ResultInvalid, nil
	}
	return n.Read(d.m.mem, io)
}
