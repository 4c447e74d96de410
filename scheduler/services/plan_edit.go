package services

import (
	"cmp"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// chosen says which activities a telecommand is about.
type chosen func(*activity) bool

func everything(*activity) bool { return true }

// planHandlers are those of service 11 that look into the schedule and alter it.
func (s *Services) planHandlers() map[pus.Kind]handler {
	return map[pus.Kind]handler{
		kind(11, 5):  s.byName(s.deleteActivities),
		kind(11, 6):  s.byFilter(s.deleteActivities),
		kind(11, 7):  func(b any) error { v := b.(pus.ActivityShift); return s.shift(v.Milliseconds, v.Requests) },
		kind(11, 8):  s.shiftFiltered,
		kind(11, 9):  s.byName(s.detail),
		kind(11, 11): s.byFilter(s.detail),
		kind(11, 12): s.byName(s.summary),
		kind(11, 14): s.byFilter(s.summary),
		kind(11, 15): func(b any) error { return s.shiftChosen(b.(pus.ActivityShiftAll).Milliseconds, everything) },
		kind(11, 16): func(any) error { return s.detail(everything) },
		kind(11, 17): func(any) error { return s.summary(everything) },
		kind(11, 18): s.reportSubSchedules,
		kind(11, 20): func(b any) error { return s.switchSubSchedules(b.(pus.IDs).IDs, true) },
		kind(11, 21): func(b any) error { return s.switchSubSchedules(b.(pus.IDs).IDs, false) },
		kind(11, 22): s.createGroups,
		kind(11, 23): s.deleteGroups,
		kind(11, 24): func(b any) error { return s.switchGroups(b.(pus.IDs).IDs, true) },
		kind(11, 25): func(b any) error { return s.switchGroups(b.(pus.IDs).IDs, false) },
		kind(11, 26): s.reportGroups,
	}
}

func byRelease(a, b activity) int { return cmp.Compare(a.Release, b.Release) }

// requestName is how the ground names an activity.
func requestName(request []byte) (n pus.RequestName) {
	if tc, err := pus.ParseTC(request); err == nil {
		n = pus.RequestName{Source: tc.Source, APID: uint16(tc.APID), Seq: tc.Request.Seq()}
	}
	return n
}

// named chooses activities by the names of their requests, all of which must be there.
func (s *Services) named(names []pus.RequestName) (chosen, error) {
	if len(names) == 0 {
		return nil, refusal(pus.FailureBadData, "it names no request")
	}
	s.plan.mu.Lock()
	defer s.plan.mu.Unlock()
	for _, n := range names {
		if !slices.ContainsFunc(s.plan.Activities, func(a activity) bool { return requestName(a.Request) == n }) {
			return nil, refusal(pus.FailureUnknownName, "request %d/%d of source %d is not in the schedule", n.APID, n.Seq, n.Source)
		}
	}
	return func(a *activity) bool { return slices.Contains(names, requestName(a.Request)) }, nil
}

// byName carries do out for the activities that a telecommand names.
func (s *Services) byName(do func(chosen) error) handler {
	return func(body any) error {
		which, err := s.named(body.(pus.RequestNames).Requests)
		if err != nil {
			return err
		}
		return do(which)
	}
}

// filtered chooses activities by their time, sub-schedule and group.
func filtered(f pus.ActivityFilter) chosen {
	w := f.Window
	return func(a *activity) bool {
		from := w.Type == pus.WindowAll || w.Type == pus.WindowUpTo || a.Release >= w.From
		to := w.Type == pus.WindowAll || w.Type == pus.WindowFrom || a.Release <= w.To
		return from && to &&
			(len(f.SubSchedules) == 0 || slices.Contains(f.SubSchedules, a.SubSchedule)) &&
			(len(f.Groups) == 0 || slices.Contains(f.Groups, a.Group))
	}
}

// byFilter carries do out for the activities that a telecommand describes.
func (s *Services) byFilter(do func(chosen) error) handler {
	return func(body any) error { return do(filtered(body.(pus.ActivityFilter))) }
}

func (s *Services) deleteActivities(which chosen) error {
	return s.plan.change(func(p *planState) error {
		p.Activities = slices.DeleteFunc(p.Activities, func(a activity) bool { return which(&a) })
		return nil
	})
}

func (s *Services) shift(ms int32, names []pus.RequestName) error {
	which, err := s.named(names)
	if err != nil {
		return err
	}
	return s.shiftChosen(ms, which)
}

// shiftFiltered is TC[11,8].
func (s *Services) shiftFiltered(body any) error {
	b := body.(pus.ActivityShiftFilter)
	return s.shiftChosen(b.Milliseconds, filtered(b.Filter))
}

// shiftChosen moves activities; if one of them would come into the past, none.
func (s *Services) shiftChosen(ms int32, which chosen) error {
	now, quality := s.cfg.Time.Now()
	return s.plan.change(func(p *planState) error {
		for i := range p.Activities {
			a := &p.Activities[i]
			if !which(a) {
				continue
			}
			a.Release += timecode.Instant(time.Duration(ms) * time.Millisecond)
			if a.Release < 0 || quality.Valid() && a.Release < now {
				return refusal(pus.FailureNotNow, "%v would have passed", *a)
			}
		}
		slices.SortStableFunc(p.Activities, byRelease)
		return nil
	})
}

// chosenActivities are in order of release.
func (s *Services) chosenActivities(which chosen) (out []activity) {
	s.plan.mu.Lock()
	defer s.plan.mu.Unlock()
	for _, a := range s.plan.Activities {
		if which(&a) {
			out = append(out, a)
		}
	}
	return out
}

func (s *Services) detail(which chosen) error {
	var out pus.ActivityDetails
	for _, a := range s.chosenActivities(which) {
		out.Activities = append(out.Activities, a.detail())
	}
	return s.answer(pus.ServiceSchedule, 10, out)
}

func (a *activity) detail() pus.ActivityDetail {
	return pus.ActivityDetail{SubSchedule: a.SubSchedule, Group: a.Group, Release: a.Release, Request: a.Request}
}

func (s *Services) summary(which chosen) error {
	var out pus.ActivitySummary
	for _, a := range s.chosenActivities(which) {
		out.Activities = append(out.Activities, pus.ActivityName{SubSchedule: a.SubSchedule, Group: a.Group, Release: a.Release, Request: requestName(a.Request)})
	}
	return s.answer(pus.ServiceSchedule, 13, out)
}
