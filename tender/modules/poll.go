package modules

import (
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// ErrStopped is returned by whatever waits when the stop descriptor becomes
// readable.
var ErrStopped = errors.New("stopped")

// Ring is a ring as POLL sees it: whether it has answers for the guest, and
// whether it must ring the bell for each (Sleep) or not (Wake).
type Ring interface {
	Ready() bool
	Sleep()
	Wake()
}

// Poller serves POLL for the network devices and the rings of one guest.
type Poller struct {
	fds     []unix.PollFd // [0] is stop, [1] the rings' bell
	handles []uint
	nets    []*Net
	rings   []Ring
	ringOf  []uint // handles of rings
}

const netsAt = 2 // in fds

// NewPoller waits on stop and on the devices added later.
func NewPoller(stop int) *Poller {
	return &Poller{fds: []unix.PollFd{{Fd: int32(stop), Events: unix.POLLIN}, {Fd: -1, Events: unix.POLLIN}}}
}

// AddRing lets POLL report r as handle; bell is one eventfd for all rings.
func (p *Poller) AddRing(handle uint, r Ring, bell int) {
	p.fds[1].Fd = int32(bell)
	p.rings, p.ringOf = append(p.rings, r), append(p.ringOf, handle)
}

// Add lets POLL report d as handle.
func (p *Poller) Add(handle uint, d *Net) {
	p.fds = append(p.fds, unix.PollFd{Fd: int32(d.fd), Events: unix.POLLIN})
	p.handles = append(p.handles, handle)
	p.nets = append(p.nets, d)
}

// Wait waits up to timeout nanoseconds for a device to become readable. Bit h
// of ready is the device with handle h; n counts them.
func (p *Poller) Wait(timeout uint64) (ready uint64, n int, err error) {
	wait := time.Duration(min(timeout, math.MaxInt64))
	start := time.Now()
	for _, r := range p.rings {
		r.Sleep()
		defer r.Wake()
	}
	for {
		if ready, n = p.answers(); n > 0 {
			wait = 0
		}
		for i, d := range p.nets {
			p.fds[i+netsAt].Fd = int32(d.fd)
			if d.closed.Load() {
				p.fds[i+netsAt].Fd = -1 // ppoll skips it; POLLHUP would make it spin
			}
		}
		left := max(wait-time.Since(start), 0)
		ts := unix.NsecToTimespec(int64(left))
		_, err := unix.Ppoll(p.fds, &ts, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, 0, fmt.Errorf("poll: %w", err)
		case p.fds[0].Revents != 0:
			return 0, 0, ErrStopped
		}
		if p.fds[1].Revents != 0 {
			var b [8]byte
			_, _ = unix.Read(int(p.fds[1].Fd), b[:])
			// An older POLL's bell, or an answer that another one has read: look again.
			if r, _ := p.answers(); r == 0 && left > 0 && !p.readable() {
				continue
			}
			ready, n = p.answers()
		}
		for i, f := range p.fds[netsAt:] {
			if f.Revents != 0 {
				ready |= 1 << p.handles[i]
				n++
			}
		}
		return ready, n, nil
	}
}

// answers are the rings that have some.
func (p *Poller) answers() (ready uint64, n int) {
	for i, r := range p.rings {
		if r.Ready() {
			ready |= 1 << p.ringOf[i]
			n++
		}
	}
	return ready, n
}

// readable says whether the last ppoll found a device.
func (p *Poller) readable() bool {
	for _, f := range p.fds[netsAt:] {
		if f.Revents != 0 {
			return true
		}
	}
	return false
}

// waitWritable waits until fd takes a datagram again.
func waitWritable(fd, stop int) error {
	fds := []unix.PollFd{{Fd: int32(stop), Events: unix.POLLIN}, {Fd: int32(fd), Events: unix.POLLOUT}}
	for {
		_, err := unix.Ppoll(fds, nil, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return fmt.Errorf("poll: %w", err)
		case fds[0].Revents != 0:
			return ErrStopped
		default:
			return nil
		}
	}
}
