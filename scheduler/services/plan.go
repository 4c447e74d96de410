package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/durable"
)

const keyPlan = "plan"

const (
	maxActivities = 256
	// maxLate is how late an activity may still be released: what waited for the time
	// to be set may be hours old, and then nobody means it any more.
	maxLate = 60 * time.Second
)

// plan is the time-based schedule (ECSS-E-ST-70-41C §6.11). It is enabled unless it
// was disabled; whatever it says, nothing is released before the time is valid.
type plan struct {
	records Records
	wake    chan struct{}

	mu sync.Mutex
	planState
}

type planState struct {
	Disabled   bool
	Activities []activity          // in order of release
	Off        []uint16            // sub-schedules that are disabled
	Groups     []pus.ScheduleState // that were made
}

type activity struct {
	SubSchedule uint16
	Group       uint16 // 0: none
	Release     timecode.Instant
	Request     []byte // a telecommand packet
}

// errGone says that an activity was taken from the schedule meanwhile.
var errGone = errors.New("no longer in the schedule")

// loadPlan reads the schedule. It always returns one.
func loadPlan(r Records) (*plan, error) {
	p := &plan{records: r, wake: make(chan struct{}, 1)}
	err := r.Get(bucketServices, keyPlan, &p.planState)
	if err != nil && !errors.Is(err, durable.ErrNotFound) {
		p.planState = planState{}
		return p, fmt.Errorf("schedule: %w", err)
	}
	return p, nil
}

func (p *plan) status() (pending int, enabled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.Activities), !p.Disabled
}

// change makes what fn does to the schedule durable before it counts.
func (p *plan) change(fn func(*planState) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.planState
	next.Activities, next.Off, next.Groups = slices.Clone(p.Activities), slices.Clone(p.Off), slices.Clone(p.Groups)
	if err := fn(&next); err != nil {
		return err
	}
	if err := p.records.Put(bucketServices, keyPlan, next); err != nil {
		return err
	}
	p.planState = next
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return nil
}

// schedule is service 11.
func (s *Services) schedule(tc *pus.Telecommand) error {
	switch tc.Subtype {
	case pus.ScheduleEnable:
		return s.plan.change(func(p *planState) error { p.Disabled = false; return nil })
	case pus.ScheduleDisable:
		return s.plan.change(func(p *planState) error { p.Disabled = true; return nil })
	case pus.ScheduleReset:
		// §6.11.4.4: a reset disables and empties; here it leaves the schedule enabled,
		// as it is from the start.
		return s.plan.change(func(p *planState) error { *p = planState{}; return nil })
	}
	return s.insert(tc)
}

// insert is TC[11,4]: all of its activities or none.
func (s *Services) insert(tc *pus.Telecommand) error {
	in, err := s.cfg.Database.Form.DecodeInsertion(tc.Payload)
	if err != nil {
		return err
	}
	var list []activity
	for _, a := range in.Activities {
		list = append(list, activity{in.SubSchedule, a.Group, a.Release, slices.Clone(a.Request)})
	}
	now, quality := s.cfg.Time.Now()
	for i, a := range list {
		request, err := s.parse(a.Request)
		if err != nil {
			_, text := explain(err)
			return tc.Refuse(pus.FailureBadData, "activity %d: %s", i, text)
		}
		if request.Service == pus.ServiceSchedule {
			return tc.Refuse(pus.FailureIllegalType, "activity %d: the schedule does not schedule itself", i)
		}
		if quality.Valid() && a.Release < now {
			return tc.Refuse(pus.FailureNotNow, "activity %d: its time %v has passed", i, a.Release)
		}
	}
	err = s.plan.change(func(p *planState) error {
		if len(p.Activities)+len(list) > maxActivities {
			return tc.Refuse(pus.FailureFull, "%d activities wait, at most %d", len(p.Activities), maxActivities)
		}
		for _, a := range list {
			if err := p.checkGroup(a.Group); err != nil {
				return err
			}
		}
		p.Activities = append(p.Activities, list...)
		slices.SortStableFunc(p.Activities, byRelease)
		return nil
	})
	if err != nil {
		return err
	}
	for _, a := range list {
		s.activity("inserted", a, "")
		s.Event(pus.EventInfo, pus.EventPlanInserted, a.String(), a.fields()...)
	}
	if !quality.Valid() {
		s.waitsForTime()
	}
	return nil
}

// fields are those of the schedule's events.
func (a activity) fields() []any {
	n := requestName(a.Request)
	return []any{n.Source, n.APID, n.Seq, a.Release}
}

func (a activity) String() string {
	id, _ := pus.RequestIDOf(a.Request)
	if tc, err := pus.ParseTC(a.Request); err == nil {
		return fmt.Sprintf("TC[%d,%d] %v at %v", tc.Service, tc.Subtype, id, a.Release)
	}
	return fmt.Sprintf("%v at %v", id, a.Release)
}

func (s *Services) activity(phase string, a activity, reason string) {
	id, _ := pus.RequestIDOf(a.Request)
	s.cfg.Publish(bus.PlanActivity{Phase: phase, Request: uint32(id), Due: a.Release.Time(), Reason: reason, Time: s.cfg.Clock.Now()})
}

// waitsForTime tells the ground why nothing of the schedule happens.
func (s *Services) waitsForTime() {
	if n, _ := s.plan.status(); n > 0 {
		s.Event(pus.EventLow, pus.EventPlanWaitsForTime, fmt.Sprintf("%d activities wait until the time is set", n))
	}
}

// runPlan releases activities when they are due.
func (s *Services) runPlan(ctx context.Context) {
	if _, quality := s.cfg.Time.Now(); !quality.Valid() {
		s.waitsForTime()
	}
	for {
		set := s.cfg.Time.Changed()
		due, wait, ok := s.plan.next(s.cfg.Time.Now())
		if due != nil {
			s.release(*due)
			continue
		}
		var timer <-chan time.Time
		if ok {
			timer = s.cfg.Clock.After(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-set:
		case <-s.plan.wake:
		case <-timer:
		}
	}
}

// next is the first activity that is not held back if it is due, else how long to wait for it; ok is false
// if there is nothing to wait for.
func (p *plan) next(now timecode.Instant, quality timecode.Quality) (due *activity, wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.Activities, p.released)
	if p.Disabled || !quality.Valid() || i < 0 {
		return nil, 0, false
	}
	first := p.Activities[i]
	if wait = first.Release.Sub(now); wait > 0 {
		// Time may be corrected while we wait, so look again now and then.
		return nil, min(wait, time.Minute), true
	}
	return &first, 0, true
}

// release takes an activity from the schedule, durably, and then carries it out: a
// crash in between loses it, and never does it twice.
func (s *Services) release(a activity) {
	err := s.plan.change(func(p *planState) error {
		i := slices.IndexFunc(p.Activities, func(b activity) bool {
			return b.Release == a.Release && bytes.Equal(b.Request, a.Request) && p.released(b)
		})
		if i < 0 {
			return errGone
		}
		p.Activities = slices.Delete(p.Activities, i, i+1)
		return nil
	})
	if errors.Is(err, errGone) {
		return
	}
	if err != nil {
		// Without a record that it was done it must not be done. Wait for the disk.
		s.cfg.Log.Error("schedule", "err", err)
		<-s.cfg.Clock.After(time.Second)
		return
	}
	now, _ := s.cfg.Time.Now()
	tc, err := s.parse(a.Request)
	if err != nil { // it was good when it was inserted, perhaps by another image
		s.refuse(err)
		return
	}
	if late := now.Sub(a.Release); late > maxLate {
		reason := fmt.Sprintf("%v late, at most %v", late.Round(time.Second), maxLate)
		s.activity("missed", a, reason)
		s.Event(pus.EventMedium, pus.EventPlanMissed, a.String()+": "+reason, a.fields()...)
		s.fail(&tc, pus.StartFailure, tc.Refuse(pus.FailureNotNow, "released %s", reason))
		return
	}
	s.activity("started", a, "")
	s.Event(pus.EventInfo, pus.EventPlanReleased, a.String(), a.fields()...)
	s.verify(&tc, pus.AcceptanceSuccess)
	s.execute(tc)
}
