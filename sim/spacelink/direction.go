package spacelink

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/internal/clock"
)

// chunkSize bounds what travels as one piece, in octets: at 256 kbit/s 16 ms of bits.
const chunkSize = 512

// inFlight bounds the pieces between the radios; then the sender waits.
const inFlight = 256

// direction is one way through space.
type direction struct {
	name           string
	sent, received *recorder

	mu    sync.Mutex
	ch    *channel.Channel
	ber   float64 // when nothing is wrong
	delay time.Duration
	clear bool // no noise at all, for as long as it is set
}

// chunk is a piece of the bit stream on its way.
type chunk struct {
	due  time.Time
	bits []byte
}

// carry moves bits from one radio to the other until ctx ends or one of them fails.
func (d *direction) carry(ctx context.Context, c clock.Clock, from io.Reader, to io.Writer) error {
	way := make(chan chunk, inFlight)
	failed := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { failed <- d.arrive(ctx, c, way, to) }()
	for {
		buf := make([]byte, chunkSize)
		n, err := from.Read(buf)
		if n > 0 {
			out, err := d.disturb(buf[:n])
			if err != nil {
				return err
			}
			select {
			case way <- chunk{c.Now().Add(d.lag()), out}:
			case err := <-failed:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err != nil {
			return fmt.Errorf("%slink from its radio: %w", d.name, err)
		}
	}
}

// arrive hands over what has travelled long enough.
func (d *direction) arrive(ctx context.Context, c clock.Clock, way <-chan chunk, to io.Writer) error {
	for {
		select {
		case p := <-way:
			if err := clock.Sleep(ctx, c, p.due.Sub(c.Now())); err != nil {
				return err
			}
			if err := d.received.add(p.bits); err != nil {
				return err
			}
			if _, err := to.Write(p.bits); err != nil {
				return fmt.Errorf("%slink to its radio: %w", d.name, err)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// disturb records bits, and returns what the way makes of them.
func (d *direction) disturb(bits []byte) ([]byte, error) {
	if err := d.sent.add(bits); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.clear {
		return bits, nil
	}
	out, _ := d.ch.Pass(bits)
	return out, nil
}

func (d *direction) lag() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.delay
}

func (d *direction) change(f func(*direction)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
}
