package services

import (
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// planHandlers are those of service 11 that look into the schedule and alter it.
func (s *Services) planHandlers() map[pus.Kind]handler {
	return map[pus.Kind]handler{
		kind(11, 5):  s.deleteActivities,
		kind(11, 7):  func(b any) error { v := b.(pus.ActivityShift); return s.shift(v.Milliseconds, v.Requests) },
		kind(11, 9):  func(b any) error { return s.detail(b.(pus.RequestNames).Requests) },
		kind(11, 12): func(b any) error { return s.summary(b.(pus.RequestNames).Requests) },
		kind(11, 15): func(b any) error { return s.shift(b.(pus.ActivityShiftAll).Milliseconds, nil) },
		kind(11, 16): func(any) error { return s.detail(nil) },
		kind(11, 17): func(any) error { return s.summary(nil) },
	}
}

// requestName is how the ground names an activity.
func requestName(a activity) (n pus.RequestName) {
	if tc, err := pus.ParseTC(a.Request); err == nil {
		n = pus.RequestName{Source: tc.Source, APID: uint16(tc.APID), Seq: tc.Request.Seq()}
	}
	return n
}

// named says whether an activity is one of those; no names are all.
func named(a activity, names []pus.RequestName) bool {
	return names == nil || slices.Contains(names, requestName(a))
}

// allThere refuses names that are not in the schedule.
func allThere(p *planState, names []pus.RequestName) error {
	for _, n := range names {
		if !slices.ContainsFunc(p.Activities, func(a activity) bool { return requestName(a) == n }) {
			return refusal(pus.FailureUnknownName, "request %d/%d of source %d is not in the schedule", n.APID, n.Seq, n.Source)
		}
	}
	return nil
}

func (s *Services) deleteActivities(body any) error {
	names := body.(pus.RequestNames).Requests
	if len(names) == 0 {
		return refusal(pus.FailureBadData, "it names no request")
	}
	return s.plan.change(func(p *planState) error {
		if err := allThere(p, names); err != nil {
			return err
		}
		p.Activities = slices.DeleteFunc(p.Activities, func(a activity) bool { return named(a, names) })
		return nil
	})
}

// shift moves activities; if one of them would come into the past, none.
func (s *Services) shift(ms int32, names []pus.RequestName) error {
	now, quality := s.cfg.Time.Now()
	return s.plan.change(func(p *planState) error {
		if err := allThere(p, names); err != nil {
			return err
		}
		for i := range p.Activities {
			a := &p.Activities[i]
			if !named(*a, names) {
				continue
			}
			a.Release += timecode.Instant(time.Duration(ms) * time.Millisecond)
			if a.Release < 0 || quality.Valid() && a.Release < now {
				return refusal(pus.FailureNotNow, "%v would have passed", *a)
			}
		}
		slices.SortStableFunc(p.Activities, func(a, b activity) int { return int(min(1, max(-1, a.Release-b.Release))) })
		return nil
	})
}

// chosenActivities are those named, in order of release.
func (s *Services) chosenActivities(names []pus.RequestName) (out []activity, err error) {
	s.plan.mu.Lock()
	defer s.plan.mu.Unlock()
	if err := allThere(&s.plan.planState, names); err != nil {
		return nil, err
	}
	for _, a := range s.plan.Activities {
		if named(a, names) {
			out = append(out, a)
		}
	}
	return out, nil
}

func (s *Services) detail(names []pus.RequestName) error {
	list, err := s.chosenActivities(names)
	if err != nil {
		return err
	}
	var out pus.ActivityDetails
	for _, a := range list {
		out.Activities = append(out.Activities, pus.ActivityDetail{Release: a.Release, Request: a.Request})
	}
	return s.answer(pus.ServiceSchedule, 10, out)
}

func (s *Services) summary(names []pus.RequestName) error {
	list, err := s.chosenActivities(names)
	if err != nil {
		return err
	}
	var out pus.ActivitySummary
	for _, a := range list {
		out.Activities = append(out.Activities, pus.ActivityName{Release: a.Release, Request: requestName(a)})
	}
	return s.answer(pus.ServiceSchedule, 13, out)
}
