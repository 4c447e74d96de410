package cfdp

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Widths of identifiers in the PDUs of our own transactions, in octets.
const (
	entityLength   = 2
	sequenceLength = 4
)

// maxWaiting bounds what the entity itself is to send when there is room for it.
const maxWaiting = 64

// transaction is one side of a transfer: *sender or *receiver.
type transaction interface {
	id() TransactionID
	control() []byte // a directive that waits, or nil
	data() []byte    // file data that waits, or nil
	tick()           // not while it is suspended
	timer() timer    // the next that runs out
	thaw()           // the signal is back: repeat what may have been lost
	cancel()
	pause()          // stop all timers: it is suspended
	goOn()           // it is no more
	priority() uint8 // of its data
	state() *Info
	save()
}

// Entity runs the transactions of one CFDP entity.
type Entity struct {
	cfg          Config
	ev           Events
	clock        clock
	all          map[TransactionID]transaction
	order        []transaction
	turn         [2]int // whose turn it is, for control and for data
	sending      int
	early        int // octets of file data held for want of metadata
	closed       closedSet
	replies      [][]byte
	waiting      []Put // that have no transaction yet
	nextSequence uint64
	events       []func()
	saveErr      error
}

// New makes an entity, with the transactions that its Saver holds.
func New(cfg Config, ev Events) (*Entity, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	t := cfg.Timers
	e := &Entity{
		cfg: cfg, ev: ev,
		clock:  newClock(min(t.Ack, t.NAK, t.Check, t.Inactivity)),
		all:    map[TransactionID]transaction{},
		closed: newClosedSet(),
	}
	if err := e.load(); err != nil {
		return nil, fmt.Errorf("load CFDP transactions: %w", err)
	}
	return e, nil
}

// Put begins to send a file.
func (e *Entity) Put(now time.Time, p Put) (TransactionID, error) {
	defer e.flush()
	e.clock.advance(now)
	s, err := e.newSender(now, p)
	if err == nil {
		err = e.start(s)
	}
	if err != nil {
		return TransactionID{}, fmt.Errorf("put %s: %w", p.Source, err)
	}
	return s.info.ID, nil
}

// begin is Put for what the entity itself sends. Where there are too many transactions it
// waits for the end of one: who asked for it does not ask again.
func (e *Entity) begin(now time.Time, p Put) error {
	s, err := e.newSender(now, p)
	if errors.Is(err, ErrFull) && len(e.waiting) < maxWaiting {
		e.waiting = append(e.waiting, p)
		return nil
	}
	if err == nil {
		err = e.start(s)
	}
	if err != nil {
		return fmt.Errorf("answer entity %d: %w", p.Dest, err)
	}
	return nil
}

// start writes a new transaction down before anything of it is sent.
func (e *Entity) start(s *sender) error {
	err := e.saveSequence()
	if err == nil {
		err = s.store()
	}
	if err != nil {
		return errors.Join(err, s.file.Close())
	}
	e.add(s)
	e.sending++
	e.started(s.info)
	return nil
}

// Next gives the next PDU to send, if there is one: directives first, since
// others wait for them, and then file data, a PDU in turn of each transaction of
// the highest priority that has any.
// While frozen there is none.
func (e *Entity) Next(now time.Time) (pdu []byte, ok bool) {
	defer e.flush()
	e.clock.advance(now)
	if e.clock.frozen {
		return nil, false
	}
	if len(e.replies) > 0 {
		pdu, e.replies = e.replies[0], e.replies[1:]
		return pdu, true
	}
	pdu = e.round(&e.turn[0], transaction.control)
	for level := math.MaxUint8; pdu == nil && level >= 0; {
		next := -1
		pdu = e.round(&e.turn[1], func(t transaction) []byte {
			p := int(t.priority())
			if p == level {
				return t.data()
			}
			if p < level {
				next = max(next, p)
			}
			return nil
		})
		level = next
	}
	return pdu, pdu != nil
}

// round asks each transaction once, beginning after the one that was served
// last. Asking may end a transaction.
func (e *Entity) round(turn *int, ask func(transaction) []byte) []byte {
	at := *turn
	for left := len(e.order); left > 0 && len(e.order) > 0; left-- {
		k, n := at%len(e.order), len(e.order)
		at = k + 1
		pdu := ask(e.order[k])
		if len(e.order) < n {
			at = k
		}
		if pdu != nil {
			*turn = at
			return pdu
		}
	}
	return nil
}

func (e *Entity) add(t transaction) {
	e.all[t.id()] = t
	e.order = append(e.order, t)
}

// remove forgets a transaction but for the little that late PDUs need.
func (e *Entity) remove(t transaction, was closedTransaction) {
	id := t.id()
	if e.all[id] != t {
		return
	}
	delete(e.all, id)
	_, sent := t.(*sender)
	if sent {
		e.sending--
	}
	for k, o := range e.order {
		if o != t {
			continue
		}
		e.order = append(e.order[:k], e.order[k+1:]...)
		for i := range e.turn {
			if k < e.turn[i] {
				e.turn[i]--
			}
		}
		break
	}
	e.closed.add(id, was)
	e.saveClosed(id)
	if sent && len(e.waiting) > 0 {
		p := e.waiting[0]
		e.waiting = e.waiting[1:]
		e.serve(p)
	}
}
