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

// Poller serves POLL for the network devices of one guest.
type Poller struct {
	fds     []unix.PollFd // [0] is stop
	handles []uint
	nets    []*Net
}

// NewPoller waits on stop and on the devices added later.
func NewPoller(stop int) *Poller {
	return &Poller{fds: []unix.PollFd{{Fd: int32(stop), Events: unix.POLLIN}}}
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
	for {
		for i, d := range p.nets {
			p.fds[i+1].Fd = int32(d.fd)
			if d.closed {
				p.fds[i+1].Fd = -1 // ppoll skips it; POLLHUP would make it spin
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
		for i, f := range p.fds[1:] {
			if f.Revents != 0 {
				ready |= 1 << p.handles[i]
				n++
			}
		}
		return ready, n, nil
	}
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
