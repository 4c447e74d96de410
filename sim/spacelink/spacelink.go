package spacelink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/internal/clock"
)

// Names of the two ways.
const (
	Up   = "up"
	Down = "down"
)

// worst is the bit error ratio of a burst: nothing of the signal is left.
const worst = 0.5

// Config describes the space.
type Config struct {
	Craft          io.ReadWriteCloser // the craft's radio
	Ground         string             // unix socket to listen on for the station's radio
	Dir            string             // for the recordings
	BERUp, BERDown float64
	Soft           bool          // the station's radio gives soft symbols, an int8 each
	EbN0Down       *float64      // dB: noise of the downlink's receiver, besides BERDown; nil for none
	Ratio          float64       // information bits for each bit of the downlink, by which Eb/N0 is told
	Delay          time.Duration // one way
	Seed           uint64
	Clock          clock.Clock
}

// Link is the open way between two radios.
type Link struct {
	cfg      Config
	up, down *direction
	listener net.Listener

	mu            sync.Mutex
	fault, hidden bool // reasons for there being no signal
}

// New listens for the station and opens the recordings {up,down}.{sent,received}.raw.
func New(cfg Config) (*Link, error) {
	l := &Link{cfg: cfg}
	var err error
	if l.up, err = l.way(Up, cfg.BERUp, cfg.Seed); err != nil {
		return nil, err
	}
	if l.down, err = l.way(Down, cfg.BERDown, cfg.Seed+1); err != nil {
		return nil, err
	}
	l.down.soft = cfg.Soft
	if cfg.EbN0Down != nil {
		if l.down.awgn, err = channel.NewAWGN(cfg.Seed+1, *cfg.EbN0Down, cfg.Ratio); err != nil {
			return nil, err
		}
	}
	if err := os.Remove(cfg.Ground); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if l.listener, err = net.Listen("unix", cfg.Ground); err != nil {
		return nil, fmt.Errorf("station's radio socket: %w", err)
	}
	return l, nil
}

func (l *Link) way(name string, ber float64, seed uint64) (*direction, error) {
	sent, err := newRecorder(l.cfg.Dir, name+".sent")
	if err != nil {
		return nil, err
	}
	received, err := newRecorder(l.cfg.Dir, name+".received")
	if err != nil {
		return nil, err
	}
	ch, err := channel.New(seed, channel.Config{BER: ber})
	if err != nil {
		return nil, err
	}
	return &direction{name: name, sent: sent, received: received, ch: ch, ber: ber, delay: l.cfg.Delay}, nil
}

// Run joins the radios until ctx ends or one of them does. It waits for the station
// first, so that no bit of the craft is missing from what the station counts.
func (l *Link) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.listener.Close(); l.cfg.Craft.Close() })
	defer stop()
	ground, err := l.listener.Accept()
	if err != nil {
		return errors.Join(ctx.Err(), err)
	}
	defer context.AfterFunc(ctx, func() { ground.Close() })()
	ended := make(chan error, 2)
	go func() { ended <- l.down.carry(ctx, l.cfg.Clock, l.cfg.Craft, ground) }()
	go func() { ended <- l.up.carry(ctx, l.cfg.Clock, ground, l.cfg.Craft) }()
	err = <-ended
	cancel()
	<-ended
	return err
}

// Close ends the recordings.
func (l *Link) Close() error {
	return errors.Join(l.listener.Close(), l.up.sent.f.Close(), l.up.received.f.Close(),
		l.down.sent.f.Close(), l.down.received.f.Close())
}

// each applies f to "up", "down" or, for "", both.
func (l *Link) each(which string, f func(*direction)) {
	if which != Down {
		l.up.change(f)
	}
	if which != Up {
		l.down.change(f)
	}
}

// SetBER gives one way or both another bit error ratio from now on.
func (l *Link) SetBER(which string, ber float64) {
	l.each(which, func(d *direction) { d.ch.SetBER(ber) })
}

// ResetBER goes back to the ratio of the configuration.
func (l *Link) ResetBER(which string) {
	l.each(which, func(d *direction) { d.ch.SetBER(d.ber) })
}

// Burst makes half of all bits wrong until ResetBER.
func (l *Link) Burst(which string) { l.SetBER(which, worst) }

// SetSignal takes the signal away both ways, or gives it back: without it a receiver
// hears noise. It is for faults; contact has a say of its own.
func (l *Link) SetSignal(on bool) { l.silence(&l.fault, !on) }

// SetContact says whether the craft is in view of a station. There is a signal only in
// contact and without a fault.
func (l *Link) SetContact(on bool) { l.silence(&l.hidden, !on) }

func (l *Link) silence(reason *bool, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*reason = on
	signal := !l.fault && !l.hidden
	l.each("", func(d *direction) { d.ch.SetSignal(signal) })
}

// SetClear lifts all disturbance of one way or both while on is true.
func (l *Link) SetClear(which string, on bool) {
	l.each(which, func(d *direction) { d.clear = on })
}

// SetDelay is the one-way light time from now on.
func (l *Link) SetDelay(delay time.Duration) {
	l.each("", func(d *direction) { d.delay = delay })
}

// Offsets are the octets recorded so far: up sent and received, down sent and received.
func (l *Link) Offsets() (upSent, upReceived, downSent, downReceived int64) {
	return l.up.sent.n.Load(), l.up.received.n.Load(), l.down.sent.n.Load(), l.down.received.n.Load()
}
