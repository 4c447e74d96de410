package main

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/sim"
)

// lasting are the faults that end by themselves.
var lasting = []string{craft.FaultLOS, craft.FaultBurst, craft.FaultBER}

func (a *app) faultCmd() *cobra.Command {
	var f craft.Fault
	var last time.Duration
	c := &cobra.Command{
		Use:   "fault KIND",
		Short: "Make something go wrong in the running simulation",
		Long: `Make something go wrong in the simulation that runs here:

  los          loss of signal both ways, for --for
  burst        half of all bits wrong, for --for
  ber          another bit error ratio, --value, for --for
  reset        push the craft's reset button
  kill-flight  the flight daemon dies; init starts it again`,
		Example:   "  perilune sim fault los --for 10s",
		Args:      args(1, 1, "one of "+strings.Join(craft.Kinds, ", ")),
		ValidArgs: craft.Kinds,
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] == craft.FaultBER && !c.Flags().Changed("value") {
				return usagef("ber wants --value, the bit error ratio")
			}
			if f.Kind = args[0]; slices.Contains(lasting, f.Kind) {
				f.Duration = last.Seconds()
			}
			if err := f.Validate(); err != nil {
				return usagef("%v", err)
			}
			return sim.Inject(a.ctx, filepath.Dir(a.findSocket()), f)
		},
	}
	fl := c.Flags()
	fl.DurationVar(&last, "for", 5*time.Second, "how long it lasts")
	fl.StringVar(&f.Link, "link", "", "only this `direction`, up or down (default: both)")
	fl.Float64Var(&f.Value, "value", 0, "bit error ratio, for ber")
	choices(c, "link", "up", "down")
	return c
}
