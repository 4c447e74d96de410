package services

import (
	"cmp"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
)

// chosen says which activities a telecommand is about.
type chosen func(*activity) bool

func everything(*activity) bool { return true }

// handlers are the telecommands that look into a schedule and alter it: their subtypes are
// those of both services.
func (p *schedule) handlers() map[pus.Kind]handler {
	all := map[uint8]handler{
		5:  p.byName(p.deleteActivities),
		6:  p.byFilter(p.deleteActivities),
		7:  func(b any) error { return p.byName(p.shift(b))(b) },
		8:  func(b any) error { return p.byFilter(p.shift(b))(b) },
		9:  p.byName(p.detail),
		11: p.byFilter(p.detail),
		12: p.byName(p.brief),
		14: p.byFilter(p.brief),
		15: func(b any) error { return p.shift(b)(everything) },
		16: func(any) error { return p.detail(everything) },
		17: func(any) error { return p.brief(everything) },
		18: p.reportSubSchedules,
		20: func(b any) error { return p.switchSubSchedules(b.(pus.IDs).IDs, true) },
		21: func(b any) error { return p.switchSubSchedules(b.(pus.IDs).IDs, false) },
		22: p.createGroups,
		23: p.deleteGroups,
		24: func(b any) error { return p.switchGroups(b.(pus.IDs).IDs, true) },
		25: func(b any) error { return p.switchGroups(b.(pus.IDs).IDs, false) },
		26: p.reportGroups,
	}
	out := map[pus.Kind]handler{}
	for subtype, h := range all {
		out[kind(p.service, subtype)] = h
	}
	return out
}

// positionHandlers are those of service 22.
func (s *Services) positionHandlers() map[pus.Kind]handler {
	if s.positions == nil {
		return nil
	}
	out := s.positions.handlers()
	out[kind(pus.ServicePosition, 1)] = func(any) error { return s.positions.enable(true) }
	out[kind(pus.ServicePosition, 2)] = func(any) error { return s.positions.enable(false) }
	out[kind(pus.ServicePosition, 3)] = func(any) error { return s.positions.reset() }
	out[kind(pus.ServicePosition, 4)] = s.insertPositions
	out[kind(pus.ServicePosition, 28)] = s.setOrbitNumber
	return out
}

// requestName is how the ground names an activity.
func requestName(request []byte) (n pus.RequestName) {
	if tc, err := pus.ParseTC(request); err == nil {
		n = pus.RequestName{Source: tc.Source, APID: uint16(tc.APID), Seq: tc.Request.Seq()}
	}
	return n
}

// offset is by how much a telecommand shifts releases.
func offset(body any) release {
	switch b := body.(type) {
	case pus.ActivityShift:
		return release(time.Duration(b.Milliseconds) * time.Millisecond)
	case pus.ActivityShiftFilter:
		return release(time.Duration(b.Milliseconds) * time.Millisecond)
	case pus.ActivityShiftAll:
		return release(time.Duration(b.Milliseconds) * time.Millisecond)
	case pus.PositionShift:
		return by(int64(b.Orbits), int64(b.Angle))
	case pus.PositionShiftFilter:
		return by(int64(b.Orbits), int64(b.Angle))
	case pus.PositionShiftAll:
		return by(int64(b.Orbits), int64(b.Angle))
	}
	return 0
}

// names are those of the requests that a telecommand is about.
func names(body any) []pus.RequestName {
	switch b := body.(type) {
	case pus.RequestNames:
		return b.Requests
	case pus.ActivityShift:
		return b.Requests
	case pus.PositionShift:
		return b.Requests
	}
	return nil
}

// byName carries do out for the activities that a telecommand names, all of which must be there.
func (p *schedule) byName(do func(chosen) error) handler {
	return func(body any) error {
		list := names(body)
		if len(list) == 0 {
			return refusal(pus.FailureBadData, "it names no request")
		}
		there := p.ordered(everything)
		for _, n := range list {
			if !slices.ContainsFunc(there, func(a activity) bool { return requestName(a.Request) == n }) {
				return refusal(pus.FailureUnknownName, "request %d/%d of source %d is not in the schedule", n.APID, n.Seq, n.Source)
			}
		}
		return do(func(a *activity) bool { return slices.Contains(list, requestName(a.Request)) })
	}
}

// byFilter carries do out for the activities that a telecommand describes.
func (p *schedule) byFilter(do func(chosen) error) handler {
	return func(body any) error {
		switch b := body.(type) {
		case pus.ActivityShiftFilter:
			body = b.Filter
		case pus.PositionShiftFilter:
			body = b.Filter
		}
		var in func(release) bool
		var subSchedules, groups []uint16
		switch f := body.(type) {
		case pus.ActivityFilter:
			in, subSchedules, groups = window(f.Window.Type, release(f.Window.From), release(f.Window.To)), f.SubSchedules, f.Groups
		case pus.PositionFilter:
			in, subSchedules, groups = window(f.Window.Type, bound(f.Window.From), bound(f.Window.To)), f.SubSchedules, f.Groups
		}
		return do(func(a *activity) bool {
			return in(a.Release) && (len(subSchedules) == 0 || slices.Contains(subSchedules, a.SubSchedule)) &&
				(len(groups) == 0 || slices.Contains(groups, a.Group))
		})
	}
}

// window chooses releases from one on, to another, both, or all.
func window(t pus.Window, from, to release) func(release) bool {
	return func(r release) bool {
		return (t == pus.WindowAll || t == pus.WindowUpTo || r >= from) && (t == pus.WindowAll || t == pus.WindowFrom || r <= to)
	}
}

func (p *schedule) deleteActivities(which chosen) error {
	return p.change(func(st *planState) error {
		st.Activities = slices.DeleteFunc(st.Activities, func(a activity) bool { return which(&a) })
		return nil
	})
}

// shift moves activities; if one of them would come into the past, none.
func (p *schedule) shift(body any) func(chosen) error {
	delta := offset(body)
	return func(which chosen) error {
		return p.change(func(st *planState) error {
			for i := range st.Activities {
				a := &st.Activities[i]
				if !which(a) {
					continue
				}
				a.Release += delta
				if err := p.check(a.Release); err != nil {
					return err
				}
				_, ever := p.order(a.Release)
				if left, err := p.until(a.Release); !ever || err == nil && left < 0 {
					return refusal(pus.FailureNotNow, "%s would have passed", p.text(*a))
				}
			}
			return nil
		})
	}
}

// ordered are the activities that are chosen, in order of release.
func (p *schedule) ordered(which chosen) (out []activity) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.Activities {
		if which(&a) {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b activity) int {
		first, _ := p.order(a.Release)
		second, _ := p.order(b.Release)
		return cmp.Compare(first, second)
	})
	return out
}

func (p *schedule) detail(which chosen) error {
	return p.s.answer(p.service, 10, p.details(p.ordered(which)))
}

func (p *schedule) brief(which chosen) error {
	return p.s.answer(p.service, 13, p.summary(p.ordered(which)))
}
