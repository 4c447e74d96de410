// Command solo5 runs the test suite of a built Solo5 tree test by test, with the tree's own
// tender and with perilune-tender in its place, and prints both columns as they come:
//
//	go run ./test/solo5 --dir DIR [--tender PROGRAM] [--run REGEXP] [--nest amd64|arm64]
//
// The tree is not written to: the suite runs in folders of links. As root the network tests
// run too, in a network namespace with the taps that the suite's own setup-tests.sh makes.
// A test has the time that the suite gives it; "timed out" is a failure at the end of it.
//
// With --nest all of it happens in an emulated machine (package nest), for which the tree
// must have been built; --slower is then how many times the suite's time a test has.
//
// Exit status: 0, or 1 when perilune-tender fails what the tree's own tender passes, when
// nothing passed, or at a signal, at which nothing is left running or lying about.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/test/guests/cases"
)

// options are the command line's.
type options struct {
	dir    string
	tender string
	run    string
	nest   string
	cache  string
	slower int
}

// nestSlower is what an emulated machine is given.
const nestSlower = 10

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "", "a Solo5 tree after ./configure.sh and make")
	flag.StringVar(&o.tender, "tender", "", "tender to compare; default: perilune-tender, built for it")
	flag.StringVar(&o.run, "run", "", "only tests with names that match this regular expression")
	flag.StringVar(&o.nest, "nest", "", "run in an emulated machine: amd64 or arm64")
	flag.StringVar(&o.cache, "cache", "out/cache", "folder of downloads, for --nest")
	flag.IntVar(&o.slower, "slower", 0, "times the suite's own limits that a test may take; default: 1, in a nest 10")
	flag.Parse()
	if o.dir == "" || flag.NArg() > 0 || o.slower < 0 {
		fmt.Fprintln(os.Stderr, "solo5: name a Solo5 tree that is built: make test-solo5 SOLO5=DIR, or --dir DIR")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	ok, err := o.compare(ctx, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "solo5:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// compare makes a folder for everything that is removed in the end.
func (o options) compare(ctx context.Context, out io.Writer) (ok bool, err error) {
	only, err := regexp.Compile(o.run)
	if err != nil {
		return false, fmt.Errorf("--run: %w", err)
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return false, err
	}
	slower := cmp.Or(o.slower, 1)
	if o.nest != "" {
		slower = cmp.Or(o.slower, nestSlower)
	}
	s, err := open(o.dir, only, slower)
	if err != nil {
		return false, err
	}
	tmp, err := os.MkdirTemp("", "solo5-suite-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(tmp)
	if o.nest != "" {
		return s.inNest(ctx, o, tmp, slower, out)
	}
	if err := cases.Runnable(); err != nil {
		return false, err
	}
	if o.tender == "" {
		o.tender, err = cases.BuildTender(tmp)
	} else if o.tender, err = exec.LookPath(o.tender); err == nil {
		o.tender, err = filepath.Abs(o.tender)
	}
	if err != nil {
		return false, err
	}
	return s.compare(ctx, tmp, o.tender, out)
}

// compare runs each test with both tenders.
func (s *suite) compare(ctx context.Context, tmp, tender string, out io.Writer) (ok bool, err error) {
	reference, err := s.column(filepath.Join(tmp, "reference"), "")
	if err != nil {
		return false, err
	}
	ours, err := s.column(filepath.Join(tmp, "ours"), tender)
	if err != nil {
		return false, err
	}
	r := report{out: out}
	fmt.Fprintf(out, "%d tests, %v for each guest\n", len(s.names), s.limit)
	r.head()
	for i, name := range s.names {
		r.name(name)
		if err := r.row(ctx, name, reference, ours); err != nil {
			fmt.Fprintln(out)
			if errors.Is(err, context.Canceled) {
				err = fmt.Errorf("interrupted after %d of %d tests", i, len(s.names))
			}
			return false, err
		}
	}
	return r.verdict(), nil
}

func (r *report) row(ctx context.Context, name string, reference, ours *column) error {
	theirs, err := reference.run(ctx, name)
	if err != nil {
		return err
	}
	r.reference(theirs)
	is, err := ours.run(ctx, name)
	if err == nil {
		r.tender(theirs, is)
	}
	return err
}
