package flatsat_test

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/perilune/perilune/ccsds/channel"
)

// air is what is between the two radios: noise both ways, and nothing that waits. What nobody
// hears is lost. It is the craft's radio itself and makes ports for stations.
type air struct {
	mu             sync.Mutex
	up, down       *channel.Channel
	inject         []byte                    // bits that somebody else radiates to the craft
	awgn           *channel.AWGN             // the station's receiver gives soft symbols; nil: bits
	third          func(up bool, raw []byte) // hears both sides, without noise; may be nil
	craft, station side
}

// side is one end of the air.
type side struct {
	ear *ear // nil: nobody listens
	off bool // it neither hears nor is heard
}

// ear takes bits until it is gone.
type ear struct {
	bits chan []byte
	gone chan struct{}
	once sync.Once
}

func (e *ear) close() { e.once.Do(func() { close(e.gone) }) }

// listen gives a side a new ear.
func (a *air) listen(s *side) *ear {
	e := &ear{bits: make(chan []byte), gone: make(chan struct{})}
	a.mu.Lock()
	defer a.mu.Unlock()
	s.ear = e
	return e
}

// carry brings bits to a side, if it listens.
func (a *air) carry(to *side, bits []byte) {
	a.mu.Lock()
	e, off := to.ear, to.off
	a.mu.Unlock()
	if e == nil || off {
		return
	}
	select {
	case e.bits <- bits:
	case <-e.gone:
	}
}

// set changes the noise.
func (a *air) set(fn func(up, down *channel.Channel)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fn(a.up, a.down)
}

func (a *air) Receive(ctx context.Context, fn func([]byte)) error {
	e := a.listen(&a.craft)
	defer e.close()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case raw := <-e.bits:
			var other, bits []byte
			a.set(func(up, _ *channel.Channel) {
				other, a.inject = a.inject, nil
				bits, _ = up.Pass(raw)
			})
			if len(other) > 0 {
				fn(other)
			}
			fn(bits)
		}
	}
}

func (a *air) Write(ctx context.Context, b []byte) (int, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	var bits []byte
	a.set(func(_, down *channel.Channel) {
		if a.craft.off {
			return
		}
		a.hear(false, b)
		if bits, _ = down.Pass(b); a.awgn != nil {
			soft := a.awgn.AppendSoft(nil, bits)
			bits = make([]byte, len(soft))
			for i, v := range soft {
				bits[i] = byte(v)
			}
		}
	})
	if bits != nil {
		a.carry(&a.station, bits)
	}
	return len(b), nil
}

func (a *air) hear(up bool, raw []byte) {
	if a.third != nil {
		a.third(up, raw)
	}
}

// port is a station's radio.
type port struct {
	a    *air
	e    *ear
	rest []byte
}

func (a *air) port() *port { return &port{a: a, e: a.listen(&a.station)} }

func (p *port) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		select {
		case p.rest = <-p.e.bits:
		case <-p.e.gone:
			return 0, io.EOF
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *port) Write(b []byte) (int, error) {
	select {
	case <-p.e.gone:
		return 0, io.ErrClosedPipe
	default:
	}
	p.a.mu.Lock()
	off := p.a.station.off
	if !off {
		p.a.hear(true, b)
	}
	p.a.mu.Unlock()
	if !off {
		p.a.carry(&p.a.craft, bytes.Clone(b))
	}
	return len(b), nil
}

func (p *port) Close() error { p.e.close(); return nil }
