package services

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/missions/database"
)

// Bounds of service 12.
const (
	maxMonitors   = 64
	minIntervalMS = 500
)

// Checking status of TM[12,11] and TM[12,12] (tables 8-7 and 8-8); 2 would be invalid.
const (
	statusGood      uint8 = 0 // within limits, or as expected
	statusUnchecked uint8 = 1
	statusLow       uint8 = 3 // below the low limit, or not as expected
	statusHigh      uint8 = 4 // above the high limit
)

// monitors are the definitions of parameter monitoring (ECSS-E-ST-70-41C §6.12).
type monitors struct {
	On   bool
	List []monitor
}

// monitor is a definition and whether it is on.
type monitor struct {
	Definition pus.MonitoringDefinition
	Enabled    bool
}

// watched is what checking has found for one definition.
type watched struct {
	of     pus.MonitoringDefinition
	due    time.Time
	status uint8 // what was reported
	seen   uint8 // what was seen last
	times  uint16
	last   pus.Transition
}

// monitoringHandlers are those of service 12.
func (s *Services) monitoringHandlers() map[pus.Kind]handler {
	change := func(fn func(*monitors) error) error { return s.monitors.change(fn) }
	return map[pus.Kind]handler{
		kind(12, 1): func(body any) error {
			return s.eachMonitor(body, func(m *monitor) { m.Enabled = true })
		},
		kind(12, 2): func(body any) error {
			return s.eachMonitor(body, func(m *monitor) { m.Enabled = false })
		},
		kind(12, 4):  func(any) error { return change(func(m *monitors) error { m.List = nil; return nil }) },
		kind(12, 5):  s.addMonitors,
		kind(12, 6):  func(body any) error { return s.eachMonitor(body, nil) },
		kind(12, 8):  s.reportMonitors,
		kind(12, 10): s.reportOutside,
		kind(12, 13): s.reportMonitorStates,
		kind(12, 15): func(any) error { return change(func(m *monitors) error { m.On = true; return nil }) },
		kind(12, 16): func(any) error { return change(func(m *monitors) error { m.On = false; return nil }) },
	}
}

// addMonitors is TC[12,5]: new ones are disabled; all or none.
func (s *Services) addMonitors(body any) error {
	list := body.(pus.MonitoringDefinitions).Definitions
	return s.monitors.change(func(m *monitors) error {
		for _, d := range list {
			if err := s.checkMonitor(&d); err != nil {
				return err
			}
			if slices.ContainsFunc(m.List, func(o monitor) bool { return o.Definition.ID == d.ID }) {
				return refusal(pus.FailureRefused, "definition %d is there already", d.ID)
			}
			m.List = append(m.List, monitor{Definition: d})
		}
		if len(m.List) > maxMonitors {
			return refusal(pus.FailureFull, "%d definitions, at most %d", len(m.List), maxMonitors)
		}
		return nil
	})
}

func (s *Services) checkMonitor(d *pus.MonitoringDefinition) error {
	p := s.parameter(d.Parameter)
	switch {
	case p == nil:
		return refusal(pus.FailureUnknownName, "no parameter %d", d.Parameter)
	case d.Criteria.Check != pus.CheckExpected && d.Criteria.Check != pus.CheckLimits:
		return refusal(pus.FailureIllegalType, "check %d is not made on board", d.Criteria.Check)
	case d.Validity.Parameter != 0:
		return refusal(pus.FailureIllegalType, "conditions of validity are not looked at on board")
	case d.Interval < minIntervalMS || d.Repetition == 0:
		return refusal(pus.FailureBadData, "definition %d: interval %d ms, repetition %d; want at least %d and 1", d.ID, d.Interval, d.Repetition, minIntervalMS)
	}
	for _, e := range []uint16{d.Criteria.Unexpected, d.Criteria.LowEvent, d.Criteria.HighEvent} {
		if e != 0 && !s.known(e) {
			return refusal(pus.FailureBadData, "definition %d: no event %d", d.ID, e)
		}
	}
	low, _ := number(p, d.Criteria.Low)
	high, _ := number(p, d.Criteria.High)
	if d.Criteria.Check == pus.CheckLimits && low > high {
		return refusal(pus.FailureBadData, "definition %d: the low limit is above the high one", d.ID)
	}
	return nil
}

// eachMonitor changes definitions by number, or without fn deletes them; all or none.
func (s *Services) eachMonitor(body any, fn func(*monitor)) error {
	return s.monitors.change(func(m *monitors) error {
		for _, id := range body.(pus.IDs).IDs {
			i := slices.IndexFunc(m.List, func(o monitor) bool { return o.Definition.ID == id })
			switch {
			case i < 0:
				return refusal(pus.FailureUnknownName, "no definition %d", id)
			case fn != nil:
				fn(&m.List[i])
			case m.List[i].Enabled:
				return refusal(pus.FailureRefused, "definition %d is enabled: disable it first", id)
			default:
				m.List = slices.Delete(m.List, i, i+1)
			}
		}
		return nil
	})
}

func (s *Services) reportMonitors(body any) error {
	var out pus.MonitoringDefinitionReport
	ids := body.(pus.IDs).IDs
	for _, m := range s.monitors.get().List {
		if len(ids) == 0 || slices.Contains(ids, m.Definition.ID) {
			d := m.Definition
			out.Definitions = append(out.Definitions, pus.MonitoringDefinitionState{
				ID: d.ID, Parameter: d.Parameter, Validity: d.Validity, Interval: d.Interval, Enabled: m.Enabled, Repetition: d.Repetition, Criteria: d.Criteria,
			})
		}
	}
	return s.answer(pus.ServiceMonitoring, 9, out)
}

func (s *Services) reportMonitorStates(any) error {
	var out pus.MonitoringStatus
	for _, m := range s.monitors.get().List {
		out.Definitions = append(out.Definitions, pus.MonitoringState{ID: m.Definition.ID, Enabled: m.Enabled})
	}
	return s.answer(pus.ServiceMonitoring, 14, out)
}

// reportOutside is TC[12,10].
func (s *Services) reportOutside(any) error {
	var out pus.Transitions
	s.watchMu.Lock()
	for _, w := range s.watch {
		if w.status >= statusLow {
			out.Transitions = append(out.Transitions, w.last)
		}
	}
	s.watchMu.Unlock()
	slices.SortFunc(out.Transitions, func(a, b pus.Transition) int { return int(a.ID) - int(b.ID) })
	return s.answer(pus.ServiceMonitoring, 11, out)
}

// runMonitoring checks what is due.
func (s *Services) runMonitoring(ctx context.Context) {
	for {
		wait, any := s.checkMonitors(s.cfg.Clock.Now())
		if !s.rest(ctx, wait, any, s.monitors.wake) {
			return
		}
	}
}

// checkMonitors checks what is due and says how long it is until the next.
func (s *Services) checkMonitors(now time.Time) (wait time.Duration, any bool) {
	m := s.monitors.get()
	var values map[string]uint64
	old := s.watch
	watch := map[uint16]*watched{}
	wait = time.Hour
	for i := range m.List {
		d := &m.List[i].Definition
		if !m.On || !m.List[i].Enabled {
			continue
		}
		w := old[d.ID]
		if w == nil || !reflect.DeepEqual(w.of, *d) { // another one may have its number
			w = &watched{of: *d, due: now, status: statusUnchecked, seen: statusUnchecked}
		}
		watch[d.ID] = w
		if !now.Before(w.due) {
			if values == nil {
				values = s.values()
			}
			s.check(d, w, values)
			w.due = now.Add(time.Duration(d.Interval) * time.Millisecond)
		}
		wait, any = min(wait, w.due.Sub(now)), true
	}
	s.watchMu.Lock()
	s.watch = watch
	s.watchMu.Unlock()
	return wait, any
}

// check looks at one parameter, and reports when its status has changed for good.
func (s *Services) check(d *pus.MonitoringDefinition, w *watched, values map[string]uint64) {
	p := s.parameter(d.Parameter)
	if p == nil {
		return // of another image
	}
	x := values[p.Name]
	status, crossed, event := judge(p, &d.Criteria, x)
	if status != w.seen {
		w.seen, w.times = status, 0
	}
	if w.times < d.Repetition {
		w.times++
	}
	if w.times < d.Repetition || status == w.status {
		return
	}
	at, _ := s.cfg.Time.Now()
	t := pus.Transition{ID: d.ID, Parameter: d.Parameter, Check: d.Criteria.Check, Value: p.Append(nil, x), Crossed: crossed, Before: w.status, Now: status, At: at}
	s.watchMu.Lock()
	w.status, w.last = status, t
	s.watchMu.Unlock()
	if t.Before == statusUnchecked && status == statusGood {
		return // all is well from the start
	}
	if err := s.answer(pus.ServiceMonitoring, 12, pus.Transitions{Transitions: []pus.Transition{t}}); err != nil {
		s.cfg.Log.Error("monitoring", "err", err)
	}
	if status != statusGood && event != 0 {
		s.Event(pus.EventMedium, pus.EventID(event), fmt.Sprintf("definition %d: %s is %d", d.ID, p.Name, x), s.limitFields(pus.EventID(event), d, x)...)
	}
}

// limitFields are those of the event that says a limit was crossed; an event of another
// number has its own, which a limit cannot know.
func (s *Services) limitFields(id pus.EventID, d *pus.MonitoringDefinition, x uint64) []any {
	if id != pus.EventLimitCrossed {
		return nil
	}
	return []any{d.ID, d.Parameter, x}
}

// judge is the status of value x, the figure that made it so, and the event that this raises.
func judge(p *database.Parameter, c *pus.Criteria, x uint64) (status uint8, crossed pus.Value, event uint16) {
	value := func(v pus.Value) uint64 {
		n, _ := number(p, v)
		return n
	}
	switch {
	case c.Check == pus.CheckExpected && x&value(c.Mask) != value(c.Expected):
		return statusLow, c.Expected, c.Unexpected
	case c.Check == pus.CheckExpected:
		return statusGood, c.Expected, 0
	case x < value(c.Low):
		return statusLow, c.Low, c.LowEvent
	case x > value(c.High):
		return statusHigh, c.High, c.HighEvent
	}
	return statusGood, c.Low, 0
}
