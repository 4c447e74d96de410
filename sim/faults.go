package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/craft"
)

// faults carries out [[sim.fault]], each At seconds after the first lock.
func (s *session) faults(ctx context.Context) {
	if len(s.craft.Sim.Faults) == 0 {
		return
	}
	_, err := s.api.Wait(ctx, 0, func(e client.Event) bool { return e.Kind == client.KindState && e.Text == "lock" }, client.KindState)
	if err != nil {
		return
	}
	began := time.Now()
	list := slices.Clone(s.craft.Sim.Faults)
	slices.SortStableFunc(list, func(a, b craft.Fault) int { return int(1000 * (a.At - b.At)) })
	for _, f := range list {
		if !wait(ctx, time.Until(began.Add(seconds(f.At)))) {
			return
		}
		fmt.Fprintf(s.opt.Talk, "fault: %s\n", describe(f))
		go s.report(f, func() error { return s.fault(ctx, f) })
	}
}

func (s *session) fault(ctx context.Context, f craft.Fault) error {
	switch f.Kind {
	case craft.FaultLOS:
		s.space.SetSignal(false)
		wait(ctx, seconds(f.Duration))
		s.space.SetSignal(true)
	case craft.FaultBurst:
		s.space.Burst(f.Link)
		wait(ctx, seconds(f.Duration))
		s.space.ResetBER(f.Link)
	case craft.FaultBER:
		s.space.SetBER(f.Link, f.Value)
		wait(ctx, seconds(f.Duration))
		s.space.ResetBER(f.Link)
	case craft.FaultReset:
		return s.machine.Reset(ctx)
	case craft.FaultKillFlight:
		return s.machine.Order(ctx, "kill-flight")
	}
	return nil
}

func describe(f craft.Fault) string {
	text := f.Kind
	if f.Link != "" {
		text += " " + f.Link
	}
	if f.Duration > 0 {
		text += fmt.Sprintf(" for %g s", f.Duration)
	}
	return text
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// wait sleeps d and says whether ctx still runs.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(max(d, 0)):
		return true
	case <-ctx.Done():
		return false
	}
}
