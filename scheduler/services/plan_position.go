package services

import (
	"fmt"
	"math"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/plan/orbit"
)

// Orbit says where the craft is. Numbers of orbits are those that the ground gave them.
type Orbit interface {
	// At is orbit and angle at t, When the inverse. Order rises along the orbit, whatever
	// the numbers; its error says that nobody comes there.
	At(t time.Time) (orbit.Turns, error)
	When(orbit.Turns) (time.Time, error)
	Order(orbit.Turns) (orbit.Turns, error)
	// Set takes the two lines of an element set. It must be good at now, unless that is zero.
	Set(lines [2]string, now time.Time) error
	// Renumber gives the orbit after the one at now the number first.
	Renumber(now time.Time, first int64) error
	Epoch() (time.Time, bool)
	Changed() <-chan struct{}
}

// byPosition is the course of service 22: releases are orbit.Turns.
type byPosition struct{ s *Services }

// far is a wait whose end nobody knows or needs.
const far = time.Duration(math.MaxInt64 / 2)

// where is what time it is, and where the craft is.
func (s *Services) where() (now time.Time, place orbit.Turns, err error) {
	at, quality := s.cfg.Time.Now()
	if !quality.Valid() {
		return time.Time{}, 0, errNoTime
	}
	now = at.Time()
	place, err = s.cfg.Orbit.At(now)
	return now, place, err
}

// until is by the elements; of a place that is orbits ahead, or was beyond what they reach, only
// the direction matters.
func (c byPosition) until(r release) (time.Duration, error) {
	now, place, err := c.s.where()
	if err != nil {
		return 0, err
	}
	here, _ := c.order(release(place))
	if there, ever := c.order(r); ever && there-here > 2*int64(orbit.Turn) {
		return far, nil // more than an orbit, whatever the day's angle
	}
	when, err := c.s.cfg.Orbit.When(orbit.Turns(r))
	if err != nil {
		return -far, nil
	}
	return when.Sub(now), nil
}

func (c byPosition) order(r release) (int64, bool) {
	at, err := c.s.cfg.Orbit.Order(orbit.Turns(r))
	return int64(at), err == nil
}

func (c byPosition) moved() <-chan struct{} { return c.s.cfg.Orbit.Changed() }

// maxOrbit is the highest number that an orbit can have on board.
const maxOrbit = math.MaxInt32

func (c byPosition) check(r release) error {
	if n := orbit.Turns(r).Orbit(); n < 0 || n > maxOrbit {
		return refusal(pus.FailureBadData, "orbit %d, want 0 to %d", n, maxOrbit)
	}
	return nil
}

func (c byPosition) instant(r release) time.Time {
	when, err := c.s.cfg.Orbit.When(orbit.Turns(r))
	if err != nil {
		return time.Time{}
	}
	return when
}

func (c byPosition) words(r release) string { return orbit.Turns(r).String() }

func (c byPosition) fields(r release) []any {
	p := position(r)
	return []any{p.Orbit, p.Angle}
}

func (c byPosition) events() planEvents {
	return planEvents{pus.EventPositionInserted, pus.EventPositionReleased, pus.EventPositionWaits, pus.EventPositionMissed}
}

// position is a release as messages have it, place the inverse; both count a turn in 2^-32.
func position(r release) pus.Position { return pus.Position{Orbit: uint32(r >> 32), Angle: uint32(r)} }

func place(p pus.Position) release { return by(int64(p.Orbit), int64(p.Angle)) }

// bound is a place that bounds a window: beyond all that can be in the schedule, all are alike.
func bound(p pus.Position) release {
	if p.Orbit > maxOrbit {
		return math.MaxInt64
	}
	return place(p)
}

func by(orbits, angle int64) release { return release(orbits<<32 + angle) }

func (c byPosition) details(list []activity) any {
	var out pus.PositionDetails
	for _, a := range list {
		out.Activities = append(out.Activities, pus.PositionDetail{
			SubSchedule: a.SubSchedule, Group: a.Group, Release: position(a.Release), Request: a.Request,
		})
	}
	return out
}

func (c byPosition) summary(list []activity) any {
	var out pus.PositionSummary
	for _, a := range list {
		out.Activities = append(out.Activities, pus.PositionName{
			SubSchedule: a.SubSchedule, Group: a.Group, Release: position(a.Release), Request: requestName(a.Request),
		})
	}
	return out
}

// insertPositions is TC[22,4].
func (s *Services) insertPositions(body any) error {
	in := body.(pus.PositionInsert)
	if len(in.Activities) == 0 {
		return refusal(pus.FailureBadData, "no activities")
	}
	var list []activity
	for _, a := range in.Activities {
		list = append(list, activity{in.SubSchedule, a.Group, place(a.Release), a.Request})
	}
	return s.positions.insert(list)
}

// setOrbitNumber is TC[22,28]: it counts from the next orbit on (§6.22.6.4).
func (s *Services) setOrbitNumber(body any) error {
	first := body.(pus.OrbitNumber).Orbit
	if first > maxOrbit {
		return refusal(pus.FailureBadData, "orbit %d, want 0 to %d", first, maxOrbit)
	}
	now, at, err := s.where()
	if err == nil {
		err = s.cfg.Orbit.Renumber(now, int64(first))
	}
	if err != nil {
		return refusal(pus.FailureNotNow, "%v", err)
	}
	s.Event(pus.EventInfo, pus.EventOrbitSet, fmt.Sprintf("the orbit after %d is %d", at.Orbit(), first))
	return nil
}

// setOrbit is the function orbit.set.
func (s *Services) setOrbit(lines [2]string) error {
	if s.cfg.Orbit == nil {
		return refusal(pus.FailureRefused, "this craft keeps no orbit")
	}
	now, _, err := s.where()
	if err := s.cfg.Orbit.Set(lines, now); err != nil {
		return refusal(pus.FailureBadData, "%v", err)
	}
	epoch, _ := s.cfg.Orbit.Epoch()
	text := "elements of " + epoch.UTC().Format(time.RFC3339)
	if _, at, err2 := s.where(); err2 == nil {
		text += fmt.Sprintf(", now %v", at)
	} else if err != nil {
		text += fmt.Sprintf("; %v", err)
	}
	s.Event(pus.EventInfo, pus.EventOrbitSet, text)
	return nil
}
