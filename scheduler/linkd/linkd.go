// Package linkd runs the craft's end of the space link: it feeds the bits of the radio
// to link.Space, and gives the radio one frame after the other at the profile's rate.
//
// link.Space is not safe for concurrent use; everything here goes through one lock, which is
// free while something is made durable: a slow disk holds up the uplink, which must not act on what is
// not durable, and no frame of the downlink. Packets that come up are handed over outside of it, in order, and the hand-over may
// block: that holds up the uplink, which is better than losing what FARM has accepted.
package linkd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/internal/clock"
)

// Radio takes and gives bits.
type Radio interface {
	Receive(ctx context.Context, fn func(bits []byte)) error
	// Write returns within a second or so, with an error if not all was taken.
	Write(ctx context.Context, bits []byte) (int, error)
}

// Sink is where telemetry goes: the queues of the link, one a virtual channel.
type Sink interface {
	Room(vc ccsds.VCID) int
	Send(vc ccsds.VCID, packet []byte) error
}

// Config says what a Link connects.
type Config struct {
	Profile link.Profile
	Saver   link.Saver
	Radio   Radio
	Clock   clock.Clock
	Master  *[32]byte // master key, under which new keys travel; nil: keys are not managed
	Keys    Records   // of managed keys and associations; with Master
	Log     Log       // security log; nil keeps it in memory

	Fill    func(Sink)                                                    // puts telemetry into the queues before each frame
	Packet  func(ctx context.Context, vc ccsds.VCID, packet []byte) error // takes a packet that came up
	Refused func(layer, reason string, n int)                             // n things that came up were refused
	Locked  func(bool)                                                    // uplink was acquired or lost
}

// Link is a running link. It is safe for concurrent use.
type Link struct {
	cfg   Config
	beats atomic.Uint64

	// Who takes more than one of these takes them in this order.
	file   sync.Mutex // held while the security log is written
	logged uint64     // what SecurityLog().Changes() was when the log was saved; guarded by file
	up     sync.Mutex // held by who changes the uplink's end, also while that is made durable
	mu     sync.Mutex
	space  *link.Space
	heard  []heard
}

// heard is what link.Space reported while the lock was held.
type heard struct {
	vc            ccsds.VCID
	packet        []byte
	layer, reason string
	n             int
	lock, locked  bool
}

// New makes a link; Run runs it.
func New(cfg Config) (*Link, error) {
	if cfg.Log == nil {
		cfg.Log = LogFile("")
	}
	l := &Link{cfg: cfg}
	space, err := link.NewSpace(cfg.Profile, aside{newFirst(cfg), &l.mu}, link.SpaceEvents{
		Packet: func(vc ccsds.VCID, packet []byte) {
			l.heard = append(l.heard, heard{vc: vc, packet: packet})
		},
		Refused: func(layer, reason string, n int) {
			l.heard = append(l.heard, heard{layer: layer, reason: reason, n: n})
		},
		UpLock: func(locked bool) { l.heard = append(l.heard, heard{lock: true, locked: locked}) },
	})
	if err != nil {
		return nil, fmt.Errorf("space link: %w", err)
	}
	l.space = space
	if err := l.loadLog(); err != nil {
		cfg.Refused("records", err.Error(), 1)
	}
	if cfg.Master != nil && len(cfg.Profile.SPI) > 0 {
		// Without the record the keys of the image must do: a craft that takes no commands
		// any more is worse than one that takes a key from before.
		if err := l.manage(); err != nil && !errors.Is(err, link.ErrUnmanaged) {
			cfg.Refused("keys", err.Error(), 1)
		}
	}
	return l, nil
}

// Run runs the link until ctx ends or the link cannot go on.
func (l *Link) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.receive(ctx) })
	g.Go(func() error { return l.transmit(ctx) })
	g.Go(func() error { return l.keepLog(ctx) })
	return g.Wait()
}

// maxFailures is how many times in a row the records may fail. The ground sends again
// what was not taken; but a craft that can write nothing for long is better started
// anew, in safe mode.
const maxFailures = 20

func (l *Link) receive(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	failures := 0
	err := l.cfg.Radio.Receive(ctx, func(bits []byte) {
		l.up.Lock()
		l.mu.Lock()
		err := l.space.Receive(bits)
		heard := l.heard
		l.heard = nil
		l.mu.Unlock()
		l.up.Unlock()
		if err == nil {
			failures = 0
		} else if failures++; failures >= maxFailures {
			cancel(fmt.Errorf("uplink: %w", err))
		} else {
			l.cfg.Refused("records", err.Error(), 1)
		}
		if err := l.report(ctx, heard); err != nil {
			cancel(fmt.Errorf("uplink: %w", err))
		}
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// report passes on what link.Space said, now that the lock is free.
func (l *Link) report(ctx context.Context, all []heard) error {
	for _, h := range all {
		switch {
		case h.lock:
			l.cfg.Locked(h.locked)
		case h.packet != nil:
			if err := l.cfg.Packet(ctx, h.vc, h.packet); err != nil {
				return err
			}
		default:
			l.cfg.Refused(h.layer, h.reason, h.n)
		}
	}
	return nil
}

// transmit sends a frame each time the rate says so. When the port or the processor
// is slower than the rate, frames go late; they are never sent in a burst afterwards.
func (l *Link) transmit(ctx context.Context) error {
	var cadu []byte
	next := l.cfg.Clock.Now()
	for {
		l.cfg.Fill(l)
		l.mu.Lock()
		cadu = l.space.NextCADU(cadu[:0])
		l.mu.Unlock()
		for rest := cadu; len(rest) > 0; {
			n, err := l.cfg.Radio.Write(ctx, rest)
			l.beats.Add(1)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if rest = rest[n:]; err == nil && n == 0 {
				return errors.New("downlink: the radio takes nothing and gives no reason")
			}
		}
		took := time.Duration(float64(len(cadu)*8) / float64(l.cfg.Profile.DownRate) * float64(time.Second))
		now := l.cfg.Clock.Now()
		if next = next.Add(took); next.Before(now) {
			next = now
		}
		if err := l.wait(ctx, next.Sub(now)); err != nil {
			return err
		}
	}
}

// wait lets d pass, in steps, so that a slow link has a pulse too. Even a late
// transmitter yields: on one slow processor somebody else must run.
func (l *Link) wait(ctx context.Context, d time.Duration) error {
	for d = max(d, time.Millisecond); d > 0; d -= time.Second {
		if err := clock.Sleep(ctx, l.cfg.Clock, min(d, time.Second)); err != nil {
			return err
		}
		l.beats.Add(1)
	}
	return nil
}

// Room is how many packets the queue of vc still takes.
func (l *Link) Room(vc ccsds.VCID) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.space.Room(vc)
}

// Send queues a packet on vc.
func (l *Link) Send(vc ccsds.VCID, packet []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.space.Send(vc, packet)
}

// Uplink returns once nothing of the uplink is under way: it says that the uplink is not stuck.
func (l *Link) Uplink() {
	l.up.Lock()
	defer l.up.Unlock()
}

// Stats are the counters of the link's layers.
func (l *Link) Stats() link.SpaceStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.space.Stats()
}

// Beats grows as long as the transmitter lives, at least once a second or so even when
// the port takes nothing.
func (l *Link) Beats() uint64 { return l.beats.Load() }
