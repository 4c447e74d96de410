package services

import (
	"errors"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

var errNoTime = errors.New("the time is not set")

// byTime is the course of service 11: releases are instants.
type byTime struct{ s *Services }

func (c byTime) until(r release) (time.Duration, error) {
	now, quality := c.s.cfg.Time.Now()
	if !quality.Valid() {
		return 0, errNoTime
	}
	return timecode.Instant(r).Sub(now), nil
}

func (c byTime) order(r release) (int64, bool) { return int64(r), true }

func (c byTime) moved() <-chan struct{} { return nil }

func (c byTime) check(r release) error {
	if r < 0 {
		return refusal(pus.FailureBadData, "%v is before the epoch", timecode.Instant(r))
	}
	return nil
}

func (c byTime) instant(r release) time.Time { return timecode.Instant(r).Time() }
func (c byTime) words(r release) string      { return timecode.Instant(r).String() }
func (c byTime) fields(r release) []any      { return []any{timecode.Instant(r)} }

func (c byTime) events() planEvents {
	return planEvents{pus.EventPlanInserted, pus.EventPlanReleased, pus.EventPlanWaitsForTime, pus.EventPlanMissed}
}

func (c byTime) details(list []activity) any {
	var out pus.ActivityDetails
	for _, a := range list {
		out.Activities = append(out.Activities, pus.ActivityDetail{
			SubSchedule: a.SubSchedule, Group: a.Group, Release: timecode.Instant(a.Release), Request: a.Request,
		})
	}
	return out
}

func (c byTime) summary(list []activity) any {
	var out pus.ActivitySummary
	for _, a := range list {
		out.Activities = append(out.Activities, pus.ActivityName{
			SubSchedule: a.SubSchedule, Group: a.Group, Release: timecode.Instant(a.Release), Request: requestName(a.Request),
		})
	}
	return out
}

// schedule is TC[11,1] to TC[11,4].
func (s *Services) schedule(tc *pus.Telecommand) error {
	switch tc.Subtype {
	case pus.ScheduleEnable:
		return s.plan.enable(true)
	case pus.ScheduleDisable:
		return s.plan.enable(false)
	case pus.ScheduleReset:
		return s.plan.reset()
	}
	in, err := s.cfg.Database.Form.DecodeInsertion(tc.Payload)
	if err != nil {
		return err
	}
	var list []activity
	for _, a := range in.Activities {
		list = append(list, activity{in.SubSchedule, a.Group, release(a.Release), slices.Clone(a.Request)})
	}
	return s.plan.insert(list)
}
