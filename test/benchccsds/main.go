// Command benchccsds measures the speed of ccsds by the CPU time of one thread, beside libfec
// in the same run where libfec has the same thing:
//
//	go run ./test/benchccsds [-only regexp] [-short]
//
// One line for each figure, as other benchmarks print them:
//
//	BENCH name value unit goal ok|short
//
// Without a C compiler and Debian's libfec-dev the figures that compare with it are short.
// The exit code is 1 when a figure is short.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
)

// bench is where figures go.
type bench struct {
	out     io.Writer
	match   *regexp.Regexp
	seconds float64 // of CPU time for a figure
	printed int
	ok      bool
}

func main() {
	only := flag.String("only", "", "only figures whose name matches")
	short := flag.Bool("short", false, "a fifth of the time for each figure")
	flag.Parse()
	match, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchccsds:", err)
		os.Exit(2)
	}
	b := &bench{out: os.Stdout, match: match, seconds: 1, ok: true}
	if *short {
		b.seconds = 0.2
	}
	if err := b.all(); err != nil {
		fmt.Fprintln(os.Stderr, "benchccsds:", err)
		os.Exit(2)
	}
	if b.printed == 0 {
		fmt.Fprintf(os.Stderr, "benchccsds: no figure has a name that %q matches\n", *only)
		os.Exit(2)
	}
	if !b.ok {
		os.Exit(1)
	}
}

func (b *bench) all() error {
	for _, part := range []func() error{b.libfec, b.codes, b.packets, b.links} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// atLeast prints a figure that should reach goal; 0 for none.
func (b *bench) atLeast(name string, value float64, unit string, goal float64) {
	b.print(name, value, unit, ">=", goal, goal == 0 || value >= goal)
}

// atMost prints a figure that should not exceed goal.
func (b *bench) atMost(name string, value float64, unit string, goal float64) {
	b.print(name, value, unit, "<=", goal, value <= goal)
}

func (b *bench) print(name string, value float64, unit, sign string, goal float64, ok bool) {
	bound, verdict := sign+strconv.FormatFloat(goal, 'g', -1, 64), "ok"
	if sign == ">=" && goal == 0 {
		bound = "-"
	}
	if !ok {
		verdict, b.ok = "short", false
	}
	b.printed++
	fmt.Fprintf(b.out, "BENCH ccsds/%s %.4g %s %s %s\n", name, value, unit, bound, verdict)
}

// wanted says whether a figure was asked for.
func (b *bench) wanted(name string) bool { return b.match.MatchString(name) }
