package spacelink

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding"
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
	awgn  *channel.AWGN
	soft  bool // the radio at the end gives soft symbols
}

// chunk is a piece of the bit stream on its way.
type chunk struct {
	due  time.Time
	bits []byte
	out  []byte // what the radio at the end gives: the bits, or soft symbols
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
			p, err := d.disturb(buf[:n])
			if err != nil {
				return err
			}
			p.due = c.Now().Add(d.lag())
			select {
			case way <- p:
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
			if _, err := to.Write(p.out); err != nil {
				return fmt.Errorf("%slink to its radio: %w", d.name, err)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sure is the size of a soft symbol without noise, or of a bit that is told as one.
const sure = 31

// disturb records bits, and returns what the way makes of them: first the channel's errors,
// bursts and silence, then the receiver's noise.
func (d *direction) disturb(bits []byte) (chunk, error) {
	if err := d.sent.add(bits); err != nil {
		return chunk{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.clear {
		bits, _ = d.ch.Pass(bits)
	}
	if d.awgn == nil && !d.soft {
		return chunk{bits: bits, out: bits}, nil
	}
	var symbols []int8
	if d.awgn == nil || d.clear {
		symbols = coding.AppendSoft(make([]int8, 0, 8*len(bits)), bits, sure)
	} else {
		symbols = d.awgn.AppendSoft(make([]int8, 0, 8*len(bits)), bits)
		bits = coding.AppendHard(make([]byte, 0, len(bits)), symbols)
	}
	if !d.soft {
		return chunk{bits: bits, out: bits}, nil
	}
	out := make([]byte, len(symbols))
	for i, v := range symbols {
		out[i] = byte(v)
	}
	return chunk{bits: bits, out: out}, nil
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
