package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
)

func (a *app) craftRestartCmd() *cobra.Command {
	var anew bool
	c := &cobra.Command{
		Use:   "restart",
		Short: "Restart the craft; what runs is saved and goes on afterwards",
		Long: `Restart the craft: TC[8,1] craft.restart.

Before it restarts, the craft saves each mission that runs to its tenant's storage, and
lets it go on where it was after the boot. A mission whose mission.toml says
'restart = "anew"' is stopped, and so is one that cannot be saved: an event says why.
With --anew nothing is saved.

The command returns when the craft is about to restart; 'perilune tm tail' shows its boot.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			how := "resume"
			if anew {
				how = "anew"
			}
			ctx, cancel := a.within()
			defer cancel()
			cmd, err := cl.Do(ctx, client.Request{Function: "craft.restart", Arguments: []string{how}})
			if err != nil {
				return fmt.Errorf("restart: %w", a.patience(ctx, err))
			}
			return a.print(cmd, func(w io.Writer) { fmt.Fprintln(w, "the craft restarts") })
		},
	}
	c.Flags().BoolVar(&anew, "anew", false, "save nothing: all missions begin anew")
	return c
}
