package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/perilune/perilune/internal/client"
)

// Limit ends a story that makes no progress: it is for one milestone. A whole story has
// none, for how long it takes is the machine's affair.
const Limit = 10 * time.Minute

// errStalled is why a story ends that makes no progress.
var errStalled = fmt.Errorf("no progress in %v", Limit)

// Options of a run.
type Options struct {
	Break string    // one of Breaks, or ""
	Out   io.Writer // the table, line by line as it grows
}

// story is a run under way.
type story struct {
	World
	opt   Options
	api   *client.Client
	began time.Time
	notes notes
}

// notes is what one milestone leaves for a later one. Numbers of events are the
// station's.
type notes struct {
	upload     uint64 // the last event before the upload began
	activation string // of the imager
	start      uint64 // the last event before the start was ordered
	release    time.Time
	product    client.File
	downlink   Seen   // of the product
	abort      uint64 // the last beacon packet before the abort
	floor      uint64 // anti-replay counter before the reset
	reset      uint64 // the boot event after the reset
}

// Check reports what Run would refuse, for those who have an image to build and boot first.
func (o Options) Check() error {
	if o.Break != "" && !slices.Contains(Breaks, o.Break) {
		return fmt.Errorf("DEMO_BREAK=%s: %w %s", o.Break, ErrBreak, strings.Join(Breaks, ", "))
	}
	return nil
}

// Run flies the story in w and returns its report. The error says that the story could
// not be told at all; a milestone that is not reached is in the report.
func Run(ctx context.Context, w World, opt Options) (*Report, error) {
	if err := opt.Check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(Limit, func() { cancel(errStalled) })
	defer stalled.Stop()
	s := &story{World: w, opt: opt, api: w.Client(), began: time.Now()}
	all := milestones()
	r := &Report{Break: opt.Break, Expected: expected(all, opt.Break), Began: s.began}
	fmt.Fprintln(opt.Out, header())
	for _, m := range all {
		stalled.Reset(Limit)
		res := s.try(ctx, m, r)
		r.Results = append(r.Results, res)
		fmt.Fprintln(opt.Out, res.line())
	}
	r.finish(s)
	return r, ctxError(ctx)
}

// ctxError is the reason when the user stopped the story; that it stalled is a matter for
// the report.
func ctxError(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, errStalled) {
		return cause
	}
	return nil
}

// try runs one milestone, unless one it rests on was not reached.
func (s *story) try(ctx context.Context, m milestone, r *Report) Result {
	res := Result{ID: m.id, Title: m.title, Rests: m.rests}
	for _, id := range m.rests {
		if !r.reached(id) {
			res.Outcome, res.Why = Skipped, "rests on "+id
			res.After = time.Since(s.began)
			return res
		}
	}
	seen, err := m.run(ctx, s)
	res.After = time.Since(s.began)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		res.Outcome, res.Why = Failed, err.Error()
		return res
	}
	res.Outcome, res.Seen = Reached, &seen
	return res
}
