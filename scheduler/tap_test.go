package scheduler_test

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/wire"
)

// tap stands between flight and a tender, and holds one kind of message up: flight can die while
// it is on its way.
type tap struct {
	holds func(wire.Message) bool // which one; nil: none
	held  chan wire.Message       // one that is held
	pass  chan bool               // whether it goes on its way, or is lost with the flight program that had it

	mu    sync.Mutex
	ended sync.Mutex // whoever has it keeps init from hearing of the end of slots
}

func newTap() *tap { return &tap{held: make(chan wire.Message), pass: make(chan bool)} }

// hold makes the tap hold the next message of a kind.
func (p *tap) hold(which func(wire.Message) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds = which
}

// insert puts the tap into the control socket of a tender, and returns flight's new end.
func (p *tap) insert(tender *os.File) (flight *os.File, err error) {
	ours, flight, err := pairOfFiles()
	if err != nil {
		return nil, err
	}
	up, err := wire.NewConn(ours)
	if err != nil {
		return nil, err
	}
	down, err := wire.NewConn(tender)
	if err != nil {
		return nil, err
	}
	go p.carry(down, up)
	go p.carry(up, down)
	return flight, nil
}

// carry ends, and with it the other way, when one side hangs up.
func (p *tap) carry(from, to *wire.Conn) {
	defer to.Close()
	for {
		m, files, err := from.Receive()
		if err != nil {
			return
		}
		p.mu.Lock()
		hold := p.holds != nil && p.holds(m)
		if hold {
			p.holds = nil
		}
		p.mu.Unlock()
		if hold {
			p.held <- m
		}
		if !hold || <-p.pass {
			_ = to.Send(m, files...) // who does not hear is over
		}
		for _, f := range files {
			f.Close()
		}
	}
}

func isSave(m wire.Message) bool    { _, is := m.(wire.Save); return is }
func isSaved(m wire.Message) bool   { _, is := m.(wire.Saved); return is }
func isUnsaved(m wire.Message) bool { _, is := m.(wire.Unsaved); return is }

// await returns when the message that it is to hold has come.
func (p *tap) await(t *testing.T) {
	t.Helper()
	select {
	case <-p.held:
	case <-time.After(patience):
		t.Fatal("the message has not come")
	}
}

// haltAt ends flight with a message on its way, which is lost: one that comes of a function that
// the ground asks for.
func (c *craftT) haltAt(at func(wire.Message) bool, function string, args ...string) {
	c.t.Helper()
	c.init.tap.hold(at)
	c.ground.function(function, args...)
	c.init.tap.await(c.t)
	c.halt()
	c.ground.forget()
	c.init.tap.pass <- false
}
