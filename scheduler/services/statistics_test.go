package services_test

import (
	"math"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
)

// Statistics are those of the samples, worked out by hand: 1 to 5, then after a reset 6 to 8.
func TestStatistics(t *testing.T) {
	onBoard(t, func(g *ground) {
		g.setTime()
		g.uptime.Store(1)
		g.ok(4, 6, pus.StatisticsDefinitions{Definitions: []pus.StatisticsDefinition{{Parameter: 1, Interval: 1000}}})
		time.Sleep(500 * time.Millisecond) // not when it samples
		for i := range uint32(4) {
			g.uptime.Store(i + 2)
			time.Sleep(time.Second)
		}
		g.ok(4, 1, pus.StatisticsRequest{Reset: true})
		got := g.last(4, 2).(pus.StatisticsReport)
		if len(got.Parameters) != 1 {
			g.t.Fatalf("report %+v", got)
		}
		p := got.Parameters[0]
		if p.Samples != 5 || p.Min != 1 || p.Max != 5 || p.Mean != 3 || math.Abs(p.Deviation-math.Sqrt2) > 1e-12 {
			g.t.Errorf("of 1 to 5: %+v", p)
		}
		if d := p.MaxAt.Sub(p.MinAt); d.Round(time.Millisecond) != 4*time.Second {
			g.t.Errorf("%v from least to most", d)
		}
		g.ok(4, 4, pus.StatisticsPeriod{Interval: 3000})
		before := len(g.find(4, 2))
		time.Sleep(10 * time.Second)
		if n := len(g.find(4, 2)) - before; n != 3 {
			g.t.Errorf("%d reports in 10 s, each 3 s", n)
		}
		if got := g.last(4, 2).(pus.StatisticsReport).Parameters[0]; got.Samples != 3 || got.Deviation != 0 {
			g.t.Errorf("a report begins anew: %+v", got)
		}
		g.ok(4, 5, pus.None{})
		g.ok(4, 8, pus.None{})
		if got := g.last(4, 9).(pus.StatisticsDefinitionReport); got.Interval != 0 || len(got.Definitions) != 1 {
			g.t.Errorf("definitions %+v", got)
		}
		for name, c := range map[string]struct{ got, want pus.Failure }{
			"no parameter": {g.send(4, 6, pus.StatisticsDefinitions{Definitions: []pus.StatisticsDefinition{{Parameter: 999, Interval: 1000}}}), pus.FailureUnknownName},
			"too quick":    {g.send(4, 6, pus.StatisticsDefinitions{Definitions: []pus.StatisticsDefinition{{Parameter: 1, Interval: 1}}}), pus.FailureBadData},
			"not there":    {g.send(4, 7, pus.IDs{IDs: []uint16{2}}), pus.FailureUnknownName},
			"all":          {g.send(4, 7, pus.IDs{}), 0},
		} {
			if c.got != c.want {
				g.t.Errorf("%s: %v", name, c.got)
			}
		}
	})
}
