package cfdp

import (
	"fmt"
	"time"
)

// Tick lets timers run out.
func (e *Entity) Tick(now time.Time) {
	defer e.flush()
	e.clock.advance(now)
	if e.clock.frozen {
		return
	}
	for _, t := range append([]transaction(nil), e.order...) {
		if !t.state().Suspended {
			t.tick()
		}
	}
}

// NextTimer is when Tick should be called next; zero when no timer runs.
func (e *Entity) NextTimer() time.Time {
	if e.clock.frozen {
		return time.Time{}
	}
	var first timer
	for _, t := range e.order {
		if !t.state().Suspended {
			first = earliest(first, t.timer())
		}
	}
	if !first.on {
		return time.Time{}
	}
	return e.clock.last.Add(min(e.clock.step, max(0, first.at-e.clock.elapsed)))
}

// Freeze stops all timers and all sending, at the loss of signal, or lets them
// run again; then what may have been lost with the signal is repeated at once.
func (e *Entity) Freeze(on bool) {
	defer e.flush()
	was := e.clock.frozen
	e.clock.freeze(on)
	for _, t := range e.order {
		switch {
		case on && !was:
			t.save()
		case was && !on:
			t.thaw()
		}
	}
}

// Cancel ends a transaction and tells the other side.
func (e *Entity) Cancel(id TransactionID) error {
	return e.with(id, transaction.cancel)
}

// Suspend stops sending data of a transaction, or asking for it. What arrives
// is still taken. A receiver of class 1 has nothing to suspend (§4.11.2.5.2).
func (e *Entity) Suspend(id TransactionID) error {
	if r, ok := e.all[id].(*receiver); ok && r.head.Mode == Unacknowledged {
		return fmt.Errorf("transaction %v: %w", id, ErrUnacknowledged)
	}
	return e.with(id, func(t transaction) { e.suspend(t, true) })
}

// Resume lets a suspended transaction go on.
func (e *Entity) Resume(id TransactionID) error {
	return e.with(id, func(t transaction) { e.suspend(t, false) })
}

func (e *Entity) suspend(t transaction, on bool) {
	i := t.state()
	r, receives := t.(*receiver)
	if i.Suspended == on || on && receives && r.head.Mode == Unacknowledged {
		return
	}
	if i.Suspended = on; on {
		t.pause()
	} else {
		t.goOn()
	}
	t.save()
}

// Prompt makes the sender of a class 2 transaction ask its receiver for what it
// lacks, or with keepAlive for how far it has got.
func (e *Entity) Prompt(id TransactionID, keepAlive bool) error {
	s, ok := e.all[id].(*sender)
	if !ok || s.head.Mode != Acknowledged {
		return fmt.Errorf("prompt %v: %w", id, ErrUnknown)
	}
	s.prompts[bitOf(keepAlive)] = true
	return nil
}

// AskMissing makes the receiver of a class 2 transaction ask for all that it
// lacks so far, as an asynchronous NAK (727.0-B-5 §4.6.4.3).
func (e *Entity) AskMissing(id TransactionID) error {
	r, ok := e.all[id].(*receiver)
	if !ok || r.head.Mode != Acknowledged {
		return fmt.Errorf("ask for what %v lacks: %w", id, ErrUnknown)
	}
	r.ask.everything()
	return nil
}

func (e *Entity) with(id TransactionID, do func(transaction)) error {
	defer e.flush()
	t, ok := e.all[id]
	if !ok {
		return fmt.Errorf("transaction %v: %w", id, ErrUnknown)
	}
	do(t)
	err := e.saveErr
	e.saveErr = nil
	return err
}

// Transactions tells of all transactions that are not over, oldest first.
func (e *Entity) Transactions() []Info {
	all := make([]Info, 0, len(e.order))
	for _, t := range e.order {
		all = append(all, *t.state())
	}
	return all
}
