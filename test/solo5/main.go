// Command solo5 runs the test suite of a built Solo5 tree twice, with its own
// tender and with perilune-tender in its place, and prints both columns:
//
//	go run ./test/solo5 --dir DIR [--tender PROGRAM] [--match REGEXP]
//
// The tree is not written to: the suite runs in a folder of links. As root
// the network tests run too, in a network namespace with the taps that the
// suite's own setup-tests.sh makes.
//
// Exit status: 0, or 1 when perilune-tender fails what the tree's own tender
// passes, or when nothing ran.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"

	"github.com/perilune/perilune/test/guests/cases"
)

func main() {
	dir := flag.String("dir", "", "a Solo5 tree after ./configure.sh and make")
	tender := flag.String("tender", "", "tender to compare; default: perilune-tender, built for it")
	match := flag.String("match", ` hvt$|^noexec`, "tests to run, by name")
	flag.Parse()
	if *dir == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "solo5: name a Solo5 tree that is built: make test-solo5 SOLO5=DIR, or --dir DIR")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, *dir, *tender, *match, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "solo5:", err)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context, dir, tender, match string, out io.Writer) (ok bool, err error) {
	if err := cases.Runnable(); err != nil {
		return false, err
	}
	chosen, err := regexp.Compile(match)
	if err != nil {
		return false, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return false, err
	}
	tmp, err := os.MkdirTemp("", "solo5-suite-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(tmp)
	if tender == "" {
		tender, err = cases.BuildTender(tmp)
	} else if tender, err = exec.LookPath(tender); err == nil {
		tender, err = filepath.Abs(tender)
	}
	if err != nil {
		return false, err
	}
	reference, err := column(ctx, dir, filepath.Join(tmp, "reference"), "", chosen)
	if err != nil {
		return false, err
	}
	ours, err := column(ctx, dir, filepath.Join(tmp, "ours"), tender, chosen)
	if err != nil {
		return false, err
	}
	return report(out, reference, ours), ctx.Err()
}

// column runs the suite in root with tender, or with the tree's own if it is "".
func column(ctx context.Context, dir, root, tender string, chosen *regexp.Regexp) ([]result, error) {
	if err := mirror(dir, root, tender, chosen); err != nil {
		return nil, err
	}
	return suite(ctx, root)
}

// report prints a line for each test and says whether ours is as good.
func report(out io.Writer, reference, ours []result) bool {
	theirs := map[string]result{}
	for _, r := range reference {
		theirs[r.name] = r
	}
	passed, failed, skipped, worse := 0, 0, 0, 0
	fmt.Fprintf(out, "%-36s %-10s %s\n", "test", "solo5-hvt", "perilune-tender")
	for _, r := range ours {
		t := theirs[r.name]
		fmt.Fprintf(out, "%-36s %-10s %s\n", r.name, t.state, r.state)
		switch r.state {
		case pass:
			passed++
		case skip:
			skipped++
		default:
			failed++
		}
		if r.state == fail && t.state == pass {
			worse++
			fmt.Fprint(out, r.said)
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped; %d of the failed pass with solo5-hvt\n", passed, failed, skipped, worse)
	return worse == 0 && passed > 0
}
