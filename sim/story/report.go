package story

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Report is the whole story, as in report.json.
type Report struct {
	Began      time.Time         `json:"began"`
	Took       time.Duration     `json:"took_ns"`
	Break      string            `json:"break,omitempty"`
	Expected   []string          `json:"expected_to_fail,omitempty"`
	AsExpected bool              `json:"as_expected"` // exactly the expected ones failed
	Reached    int               `json:"reached"`
	Results    []Result          `json:"milestones"`
	Recordings map[string]uint64 `json:"recordings"` // name → octets
}

// Success says that every milestone was reached.
func (r *Report) Success() bool { return r.Reached == len(r.Results) }

func (r *Report) reached(id string) bool {
	return slices.ContainsFunc(r.Results, func(x Result) bool { return x.ID == id && x.Outcome == Reached })
}

// missed lists what was not reached, in order.
func (r *Report) missed() []string {
	var out []string
	for _, x := range r.Results {
		if x.Outcome != Reached {
			out = append(out, x.ID)
		}
	}
	return out
}

func (r *Report) finish(s *story) {
	r.Took = time.Since(s.began)
	missed := r.missed()
	r.Reached = len(r.Results) - len(missed)
	r.AsExpected = slices.Equal(missed, r.Expected)
	us, ur, ds, dr := s.Space().Offsets()
	r.Recordings = map[string]uint64{
		"up.sent": uint64(us), "up.received": uint64(ur), "down.sent": uint64(ds), "down.received": uint64(dr),
	}
}

// Write puts the report into dir as report.json.
func (r *Report) Write(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "report.json"), append(data, '\n'), 0o644)
}

// Summary is the last lines for people.
func (r *Report) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d milestones in %s", r.Reached, len(r.Results), r.Took.Round(time.Second))
	for _, name := range []string{"up.sent", "up.received", "down.sent", "down.received"} {
		fmt.Fprintf(&b, "; %s.raw %d octets", name, r.Recordings[name])
	}
	if r.Break == "" {
		return b.String()
	}
	verdict := "exactly these were not reached"
	if !r.AsExpected {
		verdict = "but not reached were: " + strings.Join(r.missed(), " ")
	}
	fmt.Fprintf(&b, "\nDEMO_BREAK=%s must break: %s; %s", r.Break, strings.Join(r.Expected, " "), verdict)
	return b.String()
}

const format = "%-3s %8s  %-16s %-46s %s"

func header() string {
	return fmt.Sprintf(format, "", "after", "milestone", "what", "where and how")
}

func (x Result) line() string {
	mark, where := "✓", ""
	switch {
	case x.Outcome == Failed:
		mark, where = "✗", x.Why
	case x.Outcome == Skipped:
		mark, where = "-", x.Why
	case x.Seen.Stream == "":
		where = x.Seen.Note
	default:
		where = fmt.Sprintf("%s.raw @ %d", x.Seen.Stream, x.Seen.Octet)
		if x.Seen.Octets > 0 {
			where += fmt.Sprintf(" +%d", x.Seen.Octets)
		}
		where += ": " + x.Seen.Note
	}
	return fmt.Sprintf(format, mark, fmt.Sprintf("%.1f s", x.After.Seconds()), x.ID, x.Title, where)
}
