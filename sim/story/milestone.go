package story

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/perilune/perilune/internal/client"
)

// milestone is one thing that must be seen.
type milestone struct {
	id, title string
	rests     []string // milestones without which this one cannot be
	breaks    []string // values of DEMO_BREAK that hit this one itself
	run       func(ctx context.Context, s *story) (Seen, error)
}

// Seen is where in the recordings a milestone was seen.
type Seen struct {
	Stream string `json:"stream"`           // name of the recording, without .raw
	Octet  uint64 `json:"octet"`            // offset in it
	Octets uint64 `json:"octets,omitempty"` // how many belong to it, where that is known
	Note   string `json:"note"`
}

// seenAt is the place of an event.
func seenAt(e client.Event, format string, args ...any) Seen {
	return Seen{Stream: e.Stream, Octet: e.Bit / 8, Note: fmt.Sprintf(format, args...)}
}

// Outcome of a milestone.
type Outcome string

// Outcomes.
const (
	Reached Outcome = "reached"
	Failed  Outcome = "failed"
	Skipped Outcome = "not tried" // it rests on one that was not reached
)

// Result is one line of the report.
type Result struct {
	ID      string        `json:"id"`
	Title   string        `json:"title"`
	Outcome Outcome       `json:"outcome"`
	After   time.Duration `json:"after_ns"` // since the story began
	Seen    *Seen         `json:"seen,omitempty"`
	Why     string        `json:"why,omitempty"`
	Rests   []string      `json:"rests_on,omitempty"`
}

// expected is the set of milestones that must fail when b is broken: those that it hits
// and all that rest on them.
func expected(all []milestone, b string) []string {
	var out []string
	if b == "" {
		return out
	}
	for _, m := range all {
		hit := slices.Contains(m.breaks, b) || slices.ContainsFunc(m.rests, func(r string) bool {
			return slices.Contains(out, r)
		})
		if hit {
			out = append(out, m.id)
		}
	}
	return out
}

// ErrBreak is wrapped where nothing of that name can be broken.
var ErrBreak = errors.New("want one of")

// Breaks lists the values of DEMO_BREAK.
var Breaks = []string{"rs", "fop", "signature", "guest", "sdls"}
