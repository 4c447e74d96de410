package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/doctor"
)

// errMissing ends `doctor` on a machine that cannot build or fly.
var errMissing = errors.New("something is missing")

func (a *app) doctorCmd() *cobra.Command {
	var install bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check what this machine needs to build and fly a simulated craft",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			if install {
				return doctor.Ensure(a.ctx, doctor.Needs, func(s string) { fmt.Fprintln(a.talk, s) })
			}
			return a.examine(doctor.Check(doctor.Needs))
		},
	}
	c.Flags().BoolVar(&install, "install", false, "install what is missing, on Debian and Ubuntu")
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
		fmt.Fprintln(a.talk, "'perilune doctor --install' installs what Debian and Ubuntu have.")
	}
	return fmt.Errorf("%w: %d of %d", errMissing, len(missing), len(results))
}
