package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/database"
)

func (a *app) tcCmd() *cobra.Command {
	return group(&cobra.Command{Use: "tc", Short: "Telecommands"}, a.tcPingCmd(), a.tcSendCmd(), a.tcTimeCmd(), a.tcOrbitCmd(), a.tcListCmd())
}

func (a *app) tcPingCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "ping",
		Short: "Ask whether the craft is alive: TC[17,1], answered by TM[17,2]",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			ctx, cancel := a.within()
			defer cancel()
			p, err := cl.Ping(ctx)
			if err != nil {
				return a.patience(ctx, err)
			}
			return a.print(p, func(w io.Writer) {
				fmt.Fprintf(w, "TM[17,2] after %v\n", p.Trip.Round(time.Millisecond))
			})
		},
	}
}

func (a *app) tcTimeCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "time",
		Short: "Set the craft's clock from the station's: TC[9,128]",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			id, err := cl.SetTime(a.ctx)
			if err != nil {
				return err
			}
			return a.await(cl, id, client.StageCompleted)
		},
	}
}

// await waits for a telecommand to reach stage and prints how far it came.
func (a *app) await(cl *client.Client, id uint64, stage string) error {
	ctx, cancel := a.within()
	defer cancel()
	cmd, err := cl.WaitCommand(ctx, id, stage)
	if err != nil {
		if cmd.ID != 0 && ctx.Err() != nil {
			return fmt.Errorf("%s: %w, it is %s", cmd.Text, a.patience(ctx, err), cmd.Stage)
		}
		if cmd.ID != 0 {
			return fmt.Errorf("%s: %w", cmd.Text, err)
		}
		return a.patience(ctx, err)
	}
	return a.print(cmd, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", cmd.Text, cmd.Stage) })
}

func (a *app) tcListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List telecommands and how far they came",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			all, err := cl.Commands(a.ctx)
			if err != nil {
				return err
			}
			return printList(a, all, []string{"ID", "TIME", "TYPE", "STAGE", "RADIATED", "WHAT"}, func(c client.Command) []string {
				what := c.Text
				if c.Reason != "" {
					what += ": " + c.Reason
				}
				return []string{fmt.Sprint(c.ID), c.Queued.Local().Format("15:04:05"), fmt.Sprintf("TC[%d,%d]", c.Service, c.Subtype),
					c.Stage, fmt.Sprint(c.Radiated), printable(what)}
			})
		},
	}
}

// database is that of the craft whose station answers; without one, the built-in.
func (a *app) database() *database.Database {
	cl, err := a.dial()
	if err != nil {
		return database.Default()
	}
	data, err := cl.Database(a.ctx)
	d := &database.Database{}
	if err != nil || json.Unmarshal(data, d) != nil || len(d.Commands) == 0 {
		return database.Default()
	}
	return d
}
