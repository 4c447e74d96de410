package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/ids"
)

// consoleFlags say what to show of a mission's console.
type consoleFlags struct {
	tenant         string
	follow, replay bool
	count          int
}

func (a *app) missionConsoleCmd() *cobra.Command {
	var f consoleFlags
	c := &cobra.Command{
		Use:   "console NAME",
		Short: "Show what a mission has printed",
		Long: `Show what a mission has printed.

The craft keeps the last 64 KiB of each mission's text, also of one that has ended.
It is fetched by telecommands (TC[8,1] console.read), and what the link loses is
asked for again. With --follow it goes on, until interrupted, with what the
mission prints.

With --replay nothing is asked of the craft: it shows what the station has on
record, then what comes in.`,
		Example: `  perilune mission console earth
  perilune mission console borealis/earth --follow`,
		Args:              args(1, 1, "the name of one mission"),
		ValidArgsFunction: a.completeMissions,
		RunE:              func(_ *cobra.Command, args []string) error { return a.missionConsole(args[0], f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.tenant, "tenant", "", "whose mission")
	fl.BoolVarP(&f.follow, "follow", "f", false, "go on with what the mission prints")
	fl.BoolVar(&f.replay, "replay", false, "what the station has on record, and what comes in")
	fl.IntVarP(&f.count, "count", "n", 0, "with --replay: end after this many packets")
	return c
}

func (a *app) missionConsole(name string, f consoleFlags) error {
	switch {
	case f.replay && f.follow:
		return usagef("--replay and --follow exclude each other")
	case f.count != 0 && !f.replay:
		return usagef("-n counts packets of --replay")
	}
	cl, err := a.dial()
	if err != nil {
		return err
	}
	g, err := resolveGuest(a.ctx, cl, name, f.tenant)
	if err != nil {
		return err
	}
	if f.replay {
		return a.replayConsole(g, f.count)
	}
	ctx, cancel := a.ctx, context.CancelFunc(func() {})
	if !f.follow {
		ctx, cancel = a.within()
	}
	defer cancel()
	err = cl.Console(ctx, g.Tenant, g.Mission, f.follow, a.showConsole)
	if f.follow && a.ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("console of %s: %w", g, a.patience(ctx, err))
	}
	return nil
}

// showConsole writes text as it stands, but for what would move the cursor.
func (a *app) showConsole(t client.ConsoleText) error {
	if a.json {
		return a.printJSON(t)
	}
	if t.Dropped > 0 {
		fmt.Fprintf(a.talk, "(%d octets are no longer kept)\n", t.Dropped)
	}
	for line := range strings.Lines(string(t.Text)) {
		text, end := strings.CutSuffix(line, "\n")
		text = printable(strings.TrimSuffix(text, "\r"))
		if end {
			text += "\n"
		}
		if _, err := fmt.Fprint(a.out, text); err != nil {
			return err
		}
	}
	return nil
}

// replayConsole shows what the station has on record.
func (a *app) replayConsole(g ids.Guest, count int) error {
	show := func(e client.Event) error {
		if a.json {
			return a.printJSON(e)
		}
		for line := range strings.Lines(strings.TrimRight(e.Text, "\r\n")) {
			if _, err := fmt.Fprintln(a.out, printable(strings.TrimRight(line, "\r\n"))); err != nil {
				return err
			}
		}
		return nil
	}
	want := func(e client.Event) bool {
		return e.Field("tenant") == g.Tenant && e.Field("mission") == g.Mission && e.Text != ""
	}
	return a.tail(0, count, want, show, client.KindConsole)
}
