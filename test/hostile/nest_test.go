package hostile_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/test/nest"
)

// preparedControls is the folder of the tenders that each lack a defence, where there is no
// compiler.
const preparedControls = "without"

var arch = flag.String("nest", "", "run in an emulated machine: amd64 or arm64")

// TestMain runs the tests here, or with -nest all the same ones in a nest.
func TestMain(m *testing.M) {
	flag.Parse()
	if *arch == "" {
		tendertest.Main(m)
	}
	status, err := inNest(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		status = 1
	}
	os.Exit(status)
}

// handedOn are the flags that mean the same in the nest.
var handedOn = []string{"test.v", "test.run", "test.skip", "test.short", "test.count", "test.failfast"}

// inNest runs this package's tests in the nest for as long as go test's -timeout says.
func inNest(ctx context.Context) (status int, err error) {
	work, err := os.MkdirTemp("", "hostile-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	dir, err := filepath.Abs(".")
	if err != nil {
		return 0, err
	}
	limit, err := time.ParseDuration(flag.Lookup("test.timeout").Value.String())
	if err != nil {
		return 0, err
	}
	c := nest.Config{Arch: *arch, Cache: "../../out/cache", Limit: limit, Output: os.Stdout}
	var flags []string
	flag.Visit(func(f *flag.Flag) {
		if slices.Contains(handedOn, f.Name) {
			flags = append(flags, "-"+f.Name+"="+f.Value.String())
		}
	})
	if err := c.AddTests(ctx, work, dir, flags...); err != nil {
		return 0, err
	}
	c.Jobs[0].Seconds = int(limit.Seconds())
	c.Files[path.Join(nest.TestDir(dir), handbook)] = handbook
	if !testing.Short() {
		if err := addControls(&c, work, dir); err != nil {
			return 0, err
		}
	}
	results, err := nest.Run(ctx, c)
	if err != nil {
		return 0, err
	}
	if results[0].Error != "" {
		err = errors.New(results[0].Error)
	}
	return results[0].Status, err
}

// addControls adds the tenders that lack a defence.
func addControls(c *nest.Config, work, dir string) error {
	for defence := range defences {
		place := filepath.Join(work, defence)
		if err := os.Mkdir(place, 0o755); err != nil {
			return err
		}
		overlay, err := changed(place, defence)
		if err != nil {
			return err
		}
		out := filepath.Join(place, "tender")
		if err := tendertest.BuildTenderFor(out, c.Arch, "-ldflags=-s -w", "-overlay", overlay); err != nil {
			return err
		}
		c.Programs[path.Join(nest.TestDir(dir), preparedControls, defence)] = out
	}
	return nil
}
