package services

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/durable"
)

const (
	maxActivities = 256
	// maxLate is how late an activity may still be released: what waited for the time
	// to be set may be hours old, and then nobody means it any more.
	maxLate = 60 * time.Second
)

// schedule is telecommands that wait on board: for a time (service 11, ECSS-E-ST-70-41C
// §6.11) or for a place on the orbit (service 22, §6.22). It is enabled unless it was
// disabled; whatever it says, nothing is released before the time is valid.
type schedule struct {
	s *Services
	course
	service uint8
	record  string
	wake    chan struct{}

	mu sync.Mutex
	planState
}

// release is what an activity waits for, coded by the schedule's course.
type release int64

// course is what releases lie along: time, or the orbit.
type course interface {
	// until is how long it is to a release, below zero if it has passed. An error says why
	// nobody can tell.
	until(release) (time.Duration, error)
	// order rises along the course; ever is false for what never comes, or no more.
	order(release) (at int64, ever bool)
	// moved is closed when all this may have changed, besides by the setting of the time.
	moved() <-chan struct{}
	// check refuses what is no release.
	check(release) error
	// instant is that of a release, zero if nobody knows it.
	instant(release) time.Time
	words(release) string
	fields(release) []any
	events() planEvents

	// details and summary are the reports of activities.
	details([]activity) any
	summary([]activity) any
}

// planEvents are the events of a schedule.
type planEvents struct{ inserted, released, waits, missed pus.EventID }

type planState struct {
	Disabled   bool
	Activities []activity
	Off        []uint16            // sub-schedules that are disabled
	Groups     []pus.ScheduleState // that were made
}

type activity struct {
	SubSchedule uint16
	Group       uint16 // 0: none
	Release     release
	Request     []byte // a telecommand packet
}

// errGone says that an activity was taken from the schedule meanwhile.
var errGone = errors.New("no longer in the schedule")

// loadSchedule reads a schedule. It always returns one.
func (s *Services) loadSchedule(service uint8, record string, c course) (*schedule, error) {
	p := &schedule{s: s, course: c, service: service, record: record, wake: make(chan struct{}, 1)}
	err := s.cfg.Records.Get(bucketServices, record, &p.planState)
	if err != nil && !errors.Is(err, durable.ErrNotFound) {
		p.planState = planState{}
		return p, fmt.Errorf("schedule: %w", err)
	}
	return p, nil
}

func (p *schedule) status() (pending int, enabled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.Activities), !p.Disabled
}

// change makes what fn does to the schedule durable before it counts.
func (p *schedule) change(fn func(*planState) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.planState
	next.Activities, next.Off, next.Groups = slices.Clone(p.Activities), slices.Clone(p.Off), slices.Clone(p.Groups)
	if err := fn(&next); err != nil {
		return err
	}
	if err := p.s.cfg.Records.Put(bucketServices, p.record, next); err != nil {
		return err
	}
	p.planState = next
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return nil
}

func (p *schedule) enable(on bool) error {
	return p.change(func(st *planState) error { st.Disabled = !on; return nil })
}

// reset empties the schedule. §6.11.4.4 and §6.22.6.5: a reset disables and empties; here
// it leaves the schedule enabled, as it is from the start.
func (p *schedule) reset() error {
	return p.change(func(st *planState) error { *st = planState{}; return nil })
}

// insert takes all activities of a telecommand or none.
func (p *schedule) insert(list []activity) error {
	for i, a := range list {
		if err := p.admit(a); err != nil {
			code, text := explain(err)
			return refusal(code, "activity %d: %s", i, text)
		}
		if left, err := p.until(a.Release); err == nil && left < 0 {
			return refusal(pus.FailureNotNow, "activity %d: %s has passed", i, p.words(a.Release))
		}
	}
	err := p.change(func(st *planState) error {
		if len(st.Activities)+len(list) > maxActivities {
			return refusal(pus.FailureFull, "%d activities wait, at most %d", len(st.Activities), maxActivities)
		}
		for _, a := range list {
			if err := st.checkGroup(a.Group); err != nil {
				return err
			}
		}
		st.Activities = append(st.Activities, list...)
		return nil
	})
	if err != nil {
		return err
	}
	for _, a := range list {
		p.tell("inserted", a, "")
		p.s.Event(pus.EventInfo, p.events().inserted, p.text(a), p.named(a)...)
	}
	return nil
}

// admit says what is wrong with an activity.
func (p *schedule) admit(a activity) error {
	request, err := p.s.parse(a.Request)
	if err != nil {
		_, text := explain(err)
		return refusal(pus.FailureBadData, "%s", text)
	}
	if request.Service == pus.ServiceSchedule || request.Service == pus.ServicePosition {
		return refusal(pus.FailureIllegalType, "schedules are not scheduled")
	}
	if err := p.check(a.Release); err != nil {
		return err
	}
	if _, ever := p.order(a.Release); !ever {
		return refusal(pus.FailureNotNow, "%s never comes", p.words(a.Release))
	}
	return nil
}

// named are the fields of the schedule's events.
func (p *schedule) named(a activity) []any {
	n := requestName(a.Request)
	return append([]any{n.Source, n.APID, n.Seq}, p.fields(a.Release)...)
}

// text is an activity in words.
func (p *schedule) text(a activity) string {
	id, _ := pus.RequestIDOf(a.Request)
	if tc, err := pus.ParseTC(a.Request); err == nil {
		return fmt.Sprintf("TC[%d,%d] %v at %s", tc.Service, tc.Subtype, id, p.words(a.Release))
	}
	return fmt.Sprintf("%v at %s", id, p.words(a.Release))
}

// tell puts what became of an activity on the bus.
func (p *schedule) tell(phase string, a activity, reason string) {
	id, _ := pus.RequestIDOf(a.Request)
	p.s.cfg.Publish(bus.PlanActivity{Phase: phase, Request: uint32(id), Due: p.instant(a.Release), Reason: reason, Time: p.s.cfg.Clock.Now()})
}

// waits tells the ground why nothing of the schedule happens.
func (p *schedule) waits(why error) {
	if n, _ := p.status(); n > 0 {
		p.s.Event(pus.EventLow, p.events().waits, fmt.Sprintf("%d activities wait: %v", n, why))
	}
}
