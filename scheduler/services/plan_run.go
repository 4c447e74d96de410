package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/clock"
)

// run releases activities when they are due.
func (p *schedule) run(ctx context.Context) {
	known := true
	for {
		set, moved := p.s.cfg.Time.Changed(), p.moved()
		due, wait, err := p.next()
		if due != nil {
			p.release(ctx, *due)
			continue
		}
		if known && err != nil {
			p.waits(err)
		}
		known = err == nil
		var timer <-chan time.Time
		if wait > 0 {
			timer = p.s.cfg.Clock.After(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-set:
		case <-moved:
		case <-p.wake:
		case <-timer:
		}
	}
}

// next is the first activity that is not held back if it is due, else how long to wait for it, 0 if there is
// nothing to wait for. An error says why nothing can be due.
func (p *schedule) next() (due *activity, wait time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.first()
	if p.Disabled || first == nil {
		return nil, 0, nil
	}
	left, err := p.until(first.Release)
	if err != nil {
		return nil, 0, err
	}
	if _, ever := p.order(first.Release); ever && left > 0 {
		// Time may be corrected while we wait, so look again now and then.
		return nil, min(left, time.Minute), nil
	}
	a := *first
	return &a, 0, nil
}

// first is the activity that is released first of those that nothing holds back; what never comes is before
// all others. The caller holds the lock.
func (p *schedule) first() (first *activity) {
	var least int64
	for i := range p.Activities {
		a := &p.Activities[i]
		at, ever := p.order(a.Release)
		if !p.released(*a) {
			continue
		}
		if !ever {
			return a
		}
		if first == nil || at < least {
			first, least = a, at
		}
	}
	return first
}

// release takes an activity from the schedule, durably, and then carries it out: a
// crash in between loses it, and never does it twice.
func (p *schedule) release(ctx context.Context, a activity) {
	err := p.change(func(st *planState) error {
		i := slices.IndexFunc(st.Activities, func(b activity) bool {
			return b.Release == a.Release && bytes.Equal(b.Request, a.Request) && st.released(b)
		})
		if i < 0 {
			return errGone
		}
		st.Activities = slices.Delete(st.Activities, i, i+1)
		return nil
	})
	if errors.Is(err, errGone) {
		return
	}
	s := p.s
	if err != nil {
		// Without a record that it was done it must not be done. Wait for the disk.
		s.cfg.Log.Error("schedule", "err", err)
		_ = clock.Sleep(ctx, s.cfg.Clock, time.Second)
		return
	}
	tc, err := s.parse(a.Request)
	if err != nil { // it was good when it was inserted, perhaps by another image
		s.refuse(err)
		return
	}
	if reason := p.tooLate(a.Release); reason != "" {
		p.tell("missed", a, reason)
		s.Event(pus.EventMedium, p.events().missed, p.text(a)+": "+reason, p.named(a)...)
		s.fail(&tc, pus.StartFailure, tc.Refuse(pus.FailureNotNow, "released %s", reason))
		return
	}
	p.tell("started", a, "")
	s.Event(pus.EventInfo, p.events().released, p.text(a), p.named(a)...)
	s.verify(&tc, pus.AcceptanceSuccess)
	s.execute(tc)
}

// tooLate says why what is due is not released, or nothing.
func (p *schedule) tooLate(r release) string {
	if _, ever := p.order(r); !ever {
		return "never: orbits have other numbers now"
	}
	left, err := p.until(r)
	switch {
	case err != nil:
	case left == -far:
		return "long ago"
	case -left > maxLate:
		return fmt.Sprintf("%v late, at most %v", (-left).Round(time.Second), maxLate)
	}
	return ""
}
