// Command guests runs every hvt guest of a folder on perilune-tender and holds
// it against expectations:
//
//	go run ./test/guests --dir DIR [--tender PROGRAM] [--nest amd64|arm64]
//
// For each NAME.hvt there may be NAME.toml (package cases says what is in
// it); without one the guest must exit with status 0. With the program of
// another tender, say solo5-hvt, the same expectations are tried on that one.
// With --nest they run in an emulated machine (package nest), which knows both
// architectures and all instructions. A line for each case, and at the end
//
//	N passed, N failed, N skipped
//
// Exit status: 0, or 1 when a case failed or none ran.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/perilune/perilune/test/guests/cases"
	"github.com/perilune/perilune/test/nest"
)

func main() {
	dir := flag.String("dir", "", "folder with .hvt files")
	tender := flag.String("tender", "", "tender to use; default: perilune-tender, built for it")
	arch := flag.String("nest", "", "run in an emulated machine: amd64 or arm64")
	cache := flag.String("cache", "out/cache", "folder of downloads, for --nest")
	flag.Parse()
	switch {
	case *dir == "" || flag.NArg() > 0:
		fmt.Fprintln(os.Stderr, "guests: name the folder of .hvt files: make test-guests GUESTS=DIR, or --dir DIR")
		os.Exit(2)
	case *arch != "" && *arch != "amd64" && *arch != "arm64":
		fmt.Fprintf(os.Stderr, "guests: nest %q: want amd64 or arm64\n", *arch)
		os.Exit(2)
	}
	var ok bool
	var err error
	if *arch == "" {
		ok, err = run(*dir, *tender, os.Stdout)
	} else {
		ok, err = inNest(context.Background(), *dir, *tender, *arch, *cache, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "guests:", err)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(dir, tender string, out io.Writer) (ok bool, err error) {
	guests, err := filepath.Glob(filepath.Join(dir, "*.hvt"))
	if err == nil && len(guests) == 0 {
		err = fmt.Errorf("no .hvt file in %s", dir)
	}
	if err != nil {
		return false, err
	}
	if tender == "" {
		tmp, err := os.MkdirTemp("", "guests-")
		if err != nil {
			return false, err
		}
		defer os.RemoveAll(tmp)
		if tender, err = cases.BuildTender(tmp); err != nil {
			return false, err
		}
	} else if tender, err = exec.LookPath(tender); err != nil {
		return false, err
	}
	t := tally{out: out}
	for _, g := range guests {
		t.guest(tender, g)
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
	return t.failed == 0 && t.passed > 0, nil
}

// inNest runs this very program on the folder in an emulated machine.
func inNest(ctx context.Context, dir, tender, arch, cache string, out io.Writer) (ok bool, err error) {
	work, err := os.MkdirTemp("", "guests-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work)
	c := nest.Config{Arch: arch, Cache: cache, Output: out, Limit: time.Hour}
	if err := c.AddGuests(ctx, work, dir, tender); err != nil {
		return false, err
	}
	results, err := nest.Run(ctx, c)
	if err != nil {
		return false, err
	}
	if results[0].Error != "" {
		err = errors.New(results[0].Error)
	}
	return results[0].Status == 0, err
}

type tally struct {
	out                     io.Writer
	passed, failed, skipped int
}

func (t *tally) guest(tender, kernel string) {
	name := strings.TrimSuffix(kernel, ".hvt")
	f := cases.Default()
	if _, err := os.Stat(name + ".toml"); err == nil {
		if f, err = cases.Load(name + ".toml"); err != nil {
			t.failed++
			fmt.Fprintf(t.out, "FAIL %s: %v\n", filepath.Base(name), err)
			return
		}
	}
	for _, c := range f.Case {
		err := cases.Runnable()
		if err == nil {
			err = cases.Run(context.Background(), tender, kernel, c)
		}
		label := filepath.Base(name) + ": " + c.Name
		var skip *cases.SkipError
		switch {
		case err == nil:
			t.passed++
			fmt.Fprintln(t.out, "ok  ", label)
		case errors.As(err, &skip):
			t.skipped++
			fmt.Fprintf(t.out, "SKIP %s: %v\n", label, err)
		default:
			t.failed++
			fmt.Fprintf(t.out, "FAIL %s: %s\n", label, strings.ReplaceAll(err.Error(), "\n", "\n     "))
		}
	}
}
