package tender

import (
	"errors"
	"sync"

	"github.com/perilune/perilune/tender/kvm"
	"golang.org/x/sys/unix"
)

// ErrOver is returned when the guest is over.
var ErrOver = errors.New("the guest does not run any more")

// rests is how the vCPUs come to rest between two instructions of the guest,
// all at once, and go on. Machine.lock guards it.
type rests struct {
	begin   chan struct{} // closed when they must come to rest or the guest must end
	closed  bool          // it is
	resting int
	changed sync.Cond
}

func (m *Machine) prepareRests() {
	m.rests.begin = make(chan struct{})
	m.rests.changed.L = &m.lock
}

// interruption is closed when a hypercall must not wait any longer.
func (m *Machine) interruption() <-chan struct{} {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.rests.begin
}

// Stop ends the guest, now or as soon as it starts, and what it left in its
// rings for a peer that does not read.
func (m *Machine) Stop() {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.quit()
	if m.leave >= 0 {
		signal(m.leave)
	}
}

// quit ends every vCPU. The caller holds the lock.
func (m *Machine) quit() {
	if m.stopped {
		return
	}
	m.stopped = true
	m.interrupt()
	m.rests.changed.Broadcast()
}

// interrupt ends every wait in a hypercall and every stay in the guest. The
// eventfd wakes POLL, the channel a parked vCPU, the kick a guest that runs.
func (m *Machine) interrupt() {
	signal(m.stop)
	if !m.rests.closed {
		m.rests.closed = true
		close(m.rests.begin)
	}
	for _, p := range m.processors {
		p.v.Kick()
	}
}

// signal makes an eventfd readable.
func signal(fd int) { _, _ = unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// pause returns once every vCPU rests; resume must follow. It waits for Run to
// begin.
func (m *Machine) pause() error {
	m.lock.Lock()
	defer m.lock.Unlock()
	for !m.boot().begun && !m.over() {
		m.rests.changed.Wait()
	}
	if m.over() {
		return ErrOver
	}
	m.pausing.Store(true) // first: who is interrupted asks why
	m.interrupt()
	for !m.over() && m.rests.resting < m.begun() {
		m.rests.changed.Wait()
	}
	if m.over() {
		return ErrOver
	}
	return nil
}

func (m *Machine) over() bool { return m.stopped || m.culprit != nil }

func (m *Machine) begun() (n int) {
	for _, p := range m.processors {
		if p.begun {
			n++
		}
	}
	return n
}

// resume lets the vCPUs go on.
func (m *Machine) resume() {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.stopped {
		return
	}
	m.pausing.Store(false)
	m.goOn()
	m.rests.changed.Broadcast()
}

// goOn takes an interrupt back. The caller holds the lock.
func (m *Machine) goOn() {
	var b [8]byte
	_, _ = unix.Read(m.stop, b[:])
	m.rests.begin, m.rests.closed = make(chan struct{}), false
	for _, p := range m.processors {
		p.v.Continue()
	}
}

// rest keeps the vCPU still until the machine resumes; it says whether the
// guest goes on then. The instruction of a hypercall is completed first, so
// that the registers are those behind it.
func (p *processor) rest() (goesOn bool, err error) {
	if _, err := p.v.Finish(); err != nil && !errors.Is(err, kvm.ErrKicked) {
		return false, err
	}
	m := p.m
	m.lock.Lock()
	m.rests.resting++
	m.rests.changed.Broadcast()
	for m.pausing.Load() && !m.over() {
		m.rests.changed.Wait()
	}
	m.rests.resting--
	defer m.lock.Unlock()
	return !m.over(), nil
}
