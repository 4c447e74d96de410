package services

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// Bounds of service 4.
const (
	maxStatistics   = 64
	minStatisticsMS = 100
	minReportMS     = 1000
)

// statistics is which parameters are evaluated (ECSS-E-ST-70-41C §6.4).
type statistics struct {
	Interval    uint32 // between reports in ms; 0: none by themselves
	Definitions []pus.StatisticsDefinition
}

// tally is what has been seen since the last reset. Values are raw.
type tally struct {
	mu    sync.Mutex
	start timecode.Instant
	of    map[uint16]*figures
}

// figures are of one parameter; the sum of squares is about the mean, by Welford's method,
// so that large values with small differences lose nothing.
type figures struct {
	n             uint32
	min, max      float64
	minAt, maxAt  timecode.Instant
	mean, squares float64
	due           time.Time
	interval      uint32
}

func (f *figures) add(x float64, at timecode.Instant) {
	if f.n == math.MaxUint32 {
		return // 13 years at the shortest interval
	}
	if f.n == 0 || x < f.min {
		f.min, f.minAt = x, at
	}
	if f.n == 0 || x > f.max {
		f.max, f.maxAt = x, at
	}
	f.n++
	d := x - f.mean
	f.mean += d / float64(f.n)
	f.squares += d * (x - f.mean)
}

// statisticsHandlers are those of service 4.
func (s *Services) statisticsHandlers() map[pus.Kind]handler {
	interval := func(ms uint32) error {
		return s.statistics.change(func(c *statistics) error { c.Interval = ms; return nil })
	}
	return map[pus.Kind]handler{
		kind(4, 1): func(b any) error { return s.reportStatistics(b.(pus.StatisticsRequest).Reset) },
		kind(4, 3): func(any) error { s.resetStatistics(); return nil },
		kind(4, 4): func(b any) error {
			ms := b.(pus.StatisticsPeriod).Interval
			if ms < minReportMS {
				return refusal(pus.FailureBadData, "an interval of %d ms, want at least %d", ms, minReportMS)
			}
			return interval(ms)
		},
		kind(4, 5): func(any) error { return interval(0) },
		kind(4, 6): s.addStatistics,
		kind(4, 7): s.deleteStatistics,
		kind(4, 8): func(any) error {
			c := s.statistics.get()
			return s.answer(pus.ServiceStatistics, 9, pus.StatisticsDefinitionReport{Interval: c.Interval, Definitions: c.Definitions})
		},
	}
}

// addStatistics is TC[4,6]: all or none.
func (s *Services) addStatistics(body any) error {
	return s.statistics.change(func(c *statistics) error {
		for _, d := range body.(pus.StatisticsDefinitions).Definitions {
			p := s.parameter(d.Parameter)
			switch {
			case p == nil:
				return refusal(pus.FailureUnknownName, "no parameter %d", d.Parameter)
			case d.Interval < minStatisticsMS:
				return refusal(pus.FailureBadData, "%s each %d ms, want at least %d", p.Name, d.Interval, minStatisticsMS)
			}
			c.Definitions = slices.DeleteFunc(c.Definitions, func(o pus.StatisticsDefinition) bool { return o.Parameter == d.Parameter })
			c.Definitions = append(c.Definitions, d)
		}
		if len(c.Definitions) > maxStatistics {
			return refusal(pus.FailureFull, "%d definitions, at most %d", len(c.Definitions), maxStatistics)
		}
		return nil
	})
}

// deleteStatistics is TC[4,7]: all or none; no numbers are all.
func (s *Services) deleteStatistics(body any) error {
	return s.statistics.change(func(c *statistics) error {
		ids := body.(pus.IDs).IDs
		for _, id := range ids {
			if !slices.ContainsFunc(c.Definitions, func(d pus.StatisticsDefinition) bool { return d.Parameter == id }) {
				return refusal(pus.FailureUnknownName, "parameter %d is not evaluated", id)
			}
		}
		c.Definitions = slices.DeleteFunc(c.Definitions, func(d pus.StatisticsDefinition) bool {
			return len(ids) == 0 || slices.Contains(ids, d.Parameter)
		})
		return nil
	})
}

func (s *Services) resetStatistics() {
	at, _ := s.cfg.Time.Now()
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	s.tally.start, s.tally.of = at, map[uint16]*figures{}
}

// reportStatistics sends TM[4,2], and perhaps begins anew. Parameters without a sample are
// left out.
func (s *Services) reportStatistics(reset bool) error {
	at, _ := s.cfg.Time.Now()
	s.tally.mu.Lock()
	out := pus.StatisticsReport{Start: s.tally.start, End: at}
	for id, f := range s.tally.of {
		if f.n == 0 {
			continue
		}
		out.Parameters = append(out.Parameters, pus.Statistics{
			Parameter: id, Samples: f.n, Max: f.max, MaxAt: f.maxAt, Min: f.min, MinAt: f.minAt,
			Mean: f.mean, Deviation: math.Sqrt(f.squares / float64(f.n)),
		})
	}
	s.tally.mu.Unlock()
	slices.SortFunc(out.Parameters, func(a, b pus.Statistics) int { return int(a.Parameter) - int(b.Parameter) })
	if err := s.answer(pus.ServiceStatistics, 2, out); err != nil {
		return err
	}
	if reset {
		s.resetStatistics()
	}
	return nil
}

// runStatistics samples, and reports each interval; after a periodic report it begins anew
// (§6.4.4).
func (s *Services) runStatistics(ctx context.Context) {
	s.resetStatistics()
	var report time.Time
	var interval uint32
	for {
		now, c := s.cfg.Clock.Now(), s.statistics.get()
		if c.Interval != interval {
			interval, report = c.Interval, now.Add(time.Duration(c.Interval)*time.Millisecond)
		}
		wait := s.takeStatistics(&c, now)
		if interval > 0 {
			if !now.Before(report) {
				if err := s.reportStatistics(true); err != nil {
					s.cfg.Log.Error("statistics", "err", err)
				}
				report = now.Add(time.Duration(interval) * time.Millisecond)
			}
			wait = min(wait, report.Sub(now))
		}
		if !s.rest(ctx, wait, len(c.Definitions) > 0 || interval > 0, s.statistics.wake) {
			return
		}
	}
}

// takeStatistics samples what is due and says how long it is until the next.
func (s *Services) takeStatistics(c *statistics, now time.Time) time.Duration {
	wait := time.Hour
	if len(c.Definitions) == 0 {
		return wait
	}
	values := s.values()
	at, _ := s.cfg.Time.Now()
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	of := map[uint16]*figures{}
	for _, d := range c.Definitions {
		f := s.tally.of[d.Parameter]
		if f == nil || f.interval != d.Interval {
			f = &figures{due: now, interval: d.Interval}
		}
		of[d.Parameter] = f
		if p := s.parameter(d.Parameter); p != nil && !now.Before(f.due) {
			f.add(float64(values[p.Name]), at)
			f.due = now.Add(time.Duration(d.Interval) * time.Millisecond)
		}
		wait = min(wait, f.due.Sub(now))
	}
	s.tally.of = of
	return wait
}
