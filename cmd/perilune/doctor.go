package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/doctor"
)

// errMissing ends `doctor` on a machine that cannot do what it is for.
var errMissing = errors.New("something is missing")

func (a *app) doctorCmd() *cobra.Command {
	var install bool
	purposes := slices.Sorted(maps.Keys(doctor.Sets))
	var set string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check what this machine needs to build and fly a simulated craft",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			needs, ok := doctor.Sets[set]
			if !ok {
				return usagef("--for %s: want %s", set, strings.Join(purposes, ", "))
			}
			if install {
				return doctor.Ensure(a.ctx, needs, func(s string) { fmt.Fprintln(a.talk, s) })
			}
			return a.examine(doctor.Check(needs))
		},
	}
	c.Flags().BoolVar(&install, "install", false, "install what is missing, on Debian and Ubuntu")
	c.Flags().StringVar(&set, "for", "flight", "what the machine is `for`: flight, test (make test), interop (make test-interop) or solo5 (make test-solo5)")
	choices(c, "for", purposes...)
	return c
}

type finding struct {
	Name     string `json:"name"`
	OK       bool   `json:"ok"`
	Optional bool   `json:"optional,omitempty"`
	Detail   string `json:"detail"`
	Package  string `json:"package,omitempty"`
}

func (a *app) examine(results []doctor.Result) error {
	var all []finding
	for _, r := range results {
		all = append(all, finding{r.Name, r.OK, r.Optional, r.Detail, r.Package})
	}
	if err := a.print(all, func(w io.Writer) { fmt.Fprint(w, doctor.Format(results)) }); err != nil {
		return err
	}
	missing, packages := doctor.Missing(results)
	if len(missing) == 0 {
		return nil
	}
	if len(packages) > 0 {
		fmt.Fprintln(a.talk, "'perilune doctor --install' with the same options installs what Debian and Ubuntu have.")
	}
	return fmt.Errorf("%w: %d of %d", errMissing, len(missing), len(results))
}
