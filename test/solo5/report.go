package main

import (
	"fmt"
	"io"
)

// report prints a line for each test, cell by cell as they become known, and at the end
// what to make of them.
type report struct {
	out io.Writer

	both, ours, theirs, neither, skipped int // tests by who passed them
}

// maxSaid bounds how many lines of a failed test's output are shown: the last ones.
const maxSaid = 12

func (r *report) head() {
	fmt.Fprintf(r.out, "%-34s %-10s %s\n", "test", "solo5-hvt", "perilune-tender")
}

func (r *report) name(name string)    { fmt.Fprintf(r.out, "%-34s ", name) }
func (r *report) reference(is result) { fmt.Fprintf(r.out, "%-10s ", is.state) }

// tender ends a test's line. What a test said that failed with our tender comes below.
func (r *report) tender(reference, is result) {
	fmt.Fprintln(r.out, is.state)
	switch {
	case is.state == skip:
		r.skipped++
	case is.state == pass && reference.state == pass:
		r.both++
	case is.state == pass:
		r.ours++
	case reference.state == pass:
		r.theirs++
	default:
		r.neither++
	}
	if is.state.bad() {
		for _, line := range is.said[max(0, len(is.said)-maxSaid):] {
			fmt.Fprintf(r.out, "    | %s\n", line)
		}
	}
}

// verdict says whether perilune-tender passes all that solo5-hvt does.
func (r *report) verdict() (good bool) {
	fmt.Fprintf(r.out, "%d tests: %d pass with both tenders, %d with perilune-tender alone, %d with solo5-hvt alone, %d with neither; %d skipped\n",
		r.both+r.ours+r.theirs+r.neither+r.skipped, r.both, r.ours, r.theirs, r.neither, r.skipped)
	switch {
	case r.theirs > 0:
		fmt.Fprintln(r.out, "verdict: perilune-tender fails what solo5-hvt passes")
	case r.both+r.ours == 0:
		fmt.Fprintln(r.out, "verdict: none, nothing passed")
	default:
		fmt.Fprintln(r.out, "verdict: perilune-tender passes all that solo5-hvt passes")
		return true
	}
	return false
}
