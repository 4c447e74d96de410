package tender

import (
	"errors"
	"fmt"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/loader"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/ring"
	"golang.org/x/sys/unix"
)

// ringReserve is what a net ring adds above the guest's memory: whole large
// pages, as in the reference.
const ringReserve = hvt.MemoryStep

// ringSpace is that, or 0 if nothing lies above the guest's memory: it gets no
// ring, or its memory is all that fits below the calls' limit. Then the ring
// lies with the extensions.
func (c *Config) ringSpace() uint64 {
	if !c.Ring || len(c.Nets) == 0 || c.Memory+ringReserve > hvt.MaxMemory {
		return 0
	}
	return ringReserve
}

// extensionSpace is how many octets of extension memory the guest needs, 0 for
// none.
func (c *Config) extensionSpace() uint64 {
	size := uint64(0)
	for _, e := range c.Image.Manifest.Entries {
		if e.Type == hvt.BlockRing || e.Type == hvt.NetRing {
			size += hvt.RingSize(e.Count())
		}
	}
	if c.Ring && len(c.Nets) > 0 && c.ringSpace() == 0 {
		size += (ring.Size + hvt.PageSize - 1) &^ (hvt.PageSize - 1)
	}
	if size > 0 || c.Image.Manifest.Extended() {
		size += hvt.RecordSize
	}
	return size
}

// announceRing offers Solo5's net ring to a guest with networks. One that
// knows no ring never looks at it.
func (m *Machine) announceRing(c Config) error {
	if !c.Ring || len(c.Nets) == 0 {
		return nil
	}
	if err := m.ringEvents(); err != nil {
		return err
	}
	var b []byte
	at := m.mem.limit
	if c.ringSpace() > 0 {
		b = m.mem.b[at:]
	} else {
		b, at = m.ext.take(ring.Size)
	}
	r, err := ring.New(b, ringDevice{m})
	if err != nil {
		return err
	}
	if _, err := m.serve(r, 0); err != nil {
		return err
	}
	loader.AnnounceRing(m.mem, at)
	return nil
}

// worker is a ring's host side: Serve runs on a thread of its own until Close.
type worker interface {
	FD() int
	Kick()
	Serve() error
	Close()

	// For a snapshot, see package queue.
	Hold()
	Release()
	Retire()
	State() []byte
	SetState([]byte) error
}

// serve keeps w to be started with the guest as kick number n, and gives the
// address where the guest kicks it.
func (m *Machine) serve(w worker, n int) (kick uint64, err error) {
	kick, err = m.vm.SignalOnKick(n, w.FD())
	if err != nil && !errors.Is(err, kvm.ErrUnsupported) {
		return 0, errors.Join(err, unix.Close(w.FD()))
	}
	for len(m.workers) <= n {
		m.workers = append(m.workers, nil)
	}
	m.workers[n] = w
	return kick, nil
}

// ringEvents makes the eventfds that only a guest with rings needs, once.
func (m *Machine) ringEvents() (err error) {
	m.lock.Lock()
	defer m.lock.Unlock()
	for _, fd := range [...]*int{&m.bell, &m.leave} {
		if *fd >= 0 {
			continue
		}
		if *fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
			*fd = -1
			return fmt.Errorf("eventfd: %w", err)
		}
	}
	return nil
}

// startRings serves the rings until stopRings.
func (m *Machine) startRings() {
	if m.working {
		return
	}
	m.working = true
	for _, w := range m.workers {
		if w == nil {
			continue
		}
		go func() {
			if err := w.Serve(); err != nil {
				e := callError(err)
				m.failed.CompareAndSwap(nil, &e)
				m.Stop()
			}
		}()
	}
}

// lastRequests bounds how long a guest that is over waits for room in a socket
// for what it left in its rings.
const lastRequests = 2 * time.Second

// stopRings does what the guest left in its rings and corrects how it ended:
// what fails in a ring ends the guest.
func (m *Machine) stopRings(e Exit) Exit {
	if len(m.workers) > 0 {
		defer time.AfterFunc(lastRequests, m.Stop).Stop()
	}
	m.lock.Lock()
	workers := m.workers
	m.workers = nil
	m.lock.Unlock()
	for _, w := range workers {
		if w != nil {
			w.Close()
		}
	}
	if f := m.failed.Load(); f != nil && e.Kind == Killed {
		return *f
	}
	return e
}

// kicked takes a kick of a ring that came as an exit: not every KVM signals an
// eventfd without one.
func (m *Machine) kicked(x kvm.Exit) bool {
	n, ok := kvm.Kick(x)
	if !ok || n >= len(m.workers) {
		return false
	}
	m.workers[n].Kick()
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
	if _, err := n.Write(d.m.mem, io, d.m.leave); err != nil {
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
