package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
)

func (a *app) missionStartCmd() *cobra.Command {
	var tenant string
	var at timeFlags
	c := &cobra.Command{
		Use:   "start NAME",
		Short: "Start a mission on the craft, now or at a time",
		Long: `Start a mission on the craft, now or at a time.

With --at or --in the order lies in the craft's own schedule (TC[11,4]) and is
carried out there, in contact or not.`,
		Example: `  perilune mission start earth
  perilune mission start borealis/earth --in 30s`,
		Args:              args(1, 1, "the name of one mission"),
		ValidArgsFunction: a.completeMissions,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.missionFunction("mission.start", args[0], tenant, &at)
		},
	}
	c.Flags().StringVar(&tenant, "tenant", "", "the `tenant` whose mission it is")
	at.add(c)
	return c
}

func (a *app) missionStopCmd() *cobra.Command {
	return a.missionOrderCmd("stop", "Stop a mission that runs, or give up one that is suspended", "")
}

func (a *app) missionSuspendCmd() *cobra.Command {
	return a.missionOrderCmd("suspend", "Save a mission that runs, and end it", `Save a mission that runs, and end it.

The craft writes the guest to the tenant's storage: memory, processors, clocks and
rings. 'mission resume' lets it go on where it was, also after a restart of the
craft; one that starts by itself at each boot resumes by itself. 'mission stop' gives
the snapshot up. A mission that cannot be saved goes on.`)
}

func (a *app) missionResumeCmd() *cobra.Command {
	return a.missionOrderCmd("resume", "Let a suspended mission go on where it was", `Let a suspended mission go on where it was.

Its monotonic clock goes on from where it stood, its wall clock is the craft's. What
does not fit any more is refused, and stays suspended: another version of the mission,
changed block devices, a damaged snapshot.`)
}

// missionOrderCmd is a command about one mission, without a time.
func (a *app) missionOrderCmd(verb, short, long string) *cobra.Command {
	var tenant string
	c := &cobra.Command{
		Use:               verb + " NAME",
		Short:             short,
		Long:              long,
		Args:              args(1, 1, "the name of one mission"),
		ValidArgsFunction: a.completeMissions,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.missionFunction("mission."+verb, args[0], tenant, &timeFlags{})
		},
	}
	c.Flags().StringVar(&tenant, "tenant", "", "the `tenant` whose mission it is")
	return c
}

// missionFunction sends a function of TC[8,1] about one mission and waits for TM[1,7].
func (a *app) missionFunction(function, name, tenant string, at *timeFlags) error {
	cl, err := a.dial()
	if err != nil {
		return err
	}
	g, err := resolveGuest(a.ctx, cl, name, tenant)
	if err != nil {
		return err
	}
	release, err := at.resolve(a, cl)
	if err != nil {
		return err
	}
	id, err := cl.Command(a.ctx, client.Request{Function: function, Arguments: []string{g.Tenant, g.Mission}, At: release})
	if err != nil {
		return err
	}
	ctx, cancel := a.within()
	defer cancel()
	cmd, err := cl.WaitCommand(ctx, id, client.StageCompleted)
	if err != nil {
		return fmt.Errorf("%s %s: %w", function, g, a.patience(ctx, err))
	}
	return a.print(cmd, func(w io.Writer) {
		switch verb := strings.TrimPrefix(function, "mission."); {
		case !release.IsZero():
			fmt.Fprintf(w, "%s is due to %s at %s\n", g, verb, release.UTC().Format(time.RFC3339))
		default:
			fmt.Fprintf(w, "%s %s\n", g, done[verb])
		}
	})
}

// done says what came of an order.
var done = map[string]string{"start": "started", "stop": "stopped", "suspend": "suspended", "resume": "resumed"}

func (a *app) missionListCmd() *cobra.Command {
	var fresh bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the missions on the craft",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			if fresh {
				ctx, cancel := a.within()
				defer cancel()
				if _, err := cl.Do(ctx, client.Request{Function: "mission.list"}); err != nil {
					return a.patience(ctx, err)
				}
			}
			guests, err := cl.Missions(a.ctx)
			if err != nil {
				return err
			}
			return printList(a, guests, []string{"MISSION", "STATE", "EXIT", "MEMORY", "DIGEST", "REPORTED"}, func(g client.Guest) []string {
				exit := ""
				if g.State == "exited" {
					exit = fmt.Sprint(g.Exit)
				}
				memory := ""
				if g.MemoryMiB > 0 {
					memory = fmt.Sprintf("%d MiB", g.MemoryMiB)
				}
				return []string{printable(g.Tenant + "/" + g.Mission), g.State, exit, memory, g.Digest, g.At.Local().Format("15:04:05")}
			})
		},
	}
	c.Flags().BoolVar(&fresh, "fresh", false, "ask the craft first instead of showing its last report")
	return c
}
