// Command coding measures the error rates of ccsds/coding over white noise and holds them
// against published figures:
//
//	go run ./test/coding [-short] [-only regexp] [-least 1e-5]
//	go run ./test/coding -sweep [-only regexp] [-least 1e-4] [-patience 5m] [-step 0.2] > curves.csv
//
// One line for each point, as other benchmarks print them:
//
//	BENCH name value unit goal ok|short
//
// A point is ok when the rate measured, with at least 100 wrong frames, lies within 0.1 dB
// of the reference, along the reference's own slope. Codes for which there is no outside
// reference say so in place of the goal. The exit code is 1 when a point is short. The
// whole takes up to an hour of two processors, -least 1e-4 leaves the longest points out.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
)

func main() {
	ok, err := run(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "coding:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) (ok bool, err error) {
	flags := flag.NewFlagSet("coding", flag.ContinueOnError)
	short := flags.Bool("short", false, "only points that take seconds")
	only := flags.String("only", "", "only points whose name matches")
	least := flags.Float64("least", 5e-5, "no points with a reference rate below this")
	curved := flags.Bool("sweep", false, "measure whole curves and write them as CSV")
	patience := flags.Duration("patience", 5*time.Minute, "of a sweep: for one point, roughly")
	step := flags.Float64("step", 0.2, "of a sweep: dB between points")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	if *step <= 0 {
		return false, fmt.Errorf("-step %g: want more than 0", *step)
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		return false, err
	}
	if *short {
		*least = max(*least, 5e-4)
	}
	if *curved {
		return true, sweep(out, match, plan{*step, *least, *patience})
	}
	ok = true
	for _, c := range curves {
		for i, p := range c.points {
			name := fmt.Sprintf("%s@%.1fdB", c.name, p.db)
			if p.rate != 0 && p.rate < *least && c.unit == "FER" || *short && (p.slow || c.slow) || !match.MatchString(name) {
				continue
			}
			m, err := measure(c.system, p.db, c.enough())
			if err != nil {
				return false, fmt.Errorf("%s: %w", name, err)
			}
			ok = report(out, c, i, name, m) && ok
		}
	}
	return ok, nil
}

// report prints one point and says whether it is good.
func report(out io.Writer, c curve, i int, name string, m result) bool {
	p := c.points[i]
	if p.rate == 0 {
		fmt.Fprintf(out, "BENCH %s %.2e %s no-outside-reference ok\n", field(name), m.rate(), c.unit)
		return true
	}
	off := c.offset(i, m.rate())
	verdict := "ok"
	if off > tolerance || off < -tolerance {
		verdict = "short"
	}
	fmt.Fprintf(out, "BENCH %s %.2e %s %.2e±0.1dB(%+.2fdB,%d/%d,%s) %s\n",
		field(name), m.rate(), c.unit, p.rate, off, m.wrong, m.frames, c.source, verdict)
	return verdict == "ok"
}

// field makes s one word.
func field(s string) string { return "coding/" + strings.ReplaceAll(s, " ", "") }
