package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/ids"
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

// stages are what tc send can wait for, in their order.
var stages = []string{client.StageQueued, client.StageRadiated, client.StageAccepted, client.StageVerified, client.StageStarted, client.StageCompleted}

// functions of TC[8,1] that the craft carries out for users.
var functions = []string{"bundle.activate", "mission.start", "mission.stop", "mission.suspend", "mission.resume", "mission.list", "stream.start", "stream.stop", "orbit.set", "craft.restart", "safe.enter", "safe.leave"}

// commandNames offers what tc send knows by name.
func (a *app) commandNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	d := a.database()
	if len(args) == 0 {
		names := slices.Clone(functions)
		for _, c := range d.Commands {
			names = append(names, c.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	var keys []string
	if c := d.Command(args[0]); c != nil {
		for _, arg := range c.Arguments {
			if arg.Value == "" {
				keys = append(keys, arg.Name+"=")
			}
		}
	}
	return keys, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func (a *app) tcSendCmd() *cobra.Command {
	var r client.Request
	var data, text, guest string
	var at timeFlags
	wait := client.StageCompleted
	c := &cobra.Command{
		Use:   "send [FUNCTION [ARGUMENT...] | NAME [KEY=VALUE...]]",
		Short: "Send a telecommand and wait for its reports",
		Long: `Send a telecommand and wait for its reports.

With FUNCTION it is TC[8,1]: bundle.activate, mission.start, mission.stop,
mission.suspend, mission.resume, mission.list, stream.start, stream.stop, orbit.set,
craft.restart, safe.enter, safe.leave. NAME is a telecommand of the mission database:
'perilune craft database' lists them with their KEYs. With --guest it is TC[128,1],
data for one guest. Else --service and --subtype say what it is.`,
		Example: `  perilune tc send mission.list
  perilune tc send parameter.get parameters=uptime,guests
  perilune tc send --service 17 --subtype 1
  perilune tc send --guest acme/beacon --text "period 5"`,
		ValidArgsFunction: a.commandNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fillRequest(a.database(), &r, args, data, text, guest); err != nil {
				return err
			}
			var err error
			if r.Place, err = at.place(cmd); err != nil {
				return err
			}
			if !(client.Command{Stage: wait}).Reached(client.StageQueued) {
				return usagef("--wait %q: want %s", wait, strings.Join(stages, ", "))
			}
			cl, err := a.dial()
			if err != nil {
				return err
			}
			if r.At, err = at.resolve(a, cl); err != nil {
				return err
			}
			id, err := cl.Command(a.ctx, r)
			if err != nil {
				return err
			}
			return a.await(cl, id, wait)
		},
	}
	f := c.Flags()
	f.Uint16Var(&r.APID, "apid", 0, "application process (default: flight software)")
	f.Uint8Var(&r.Service, "service", 0, "PUS service")
	f.Uint8Var(&r.Subtype, "subtype", 0, "PUS message subtype")
	f.StringVar(&data, "hex", "", "message in hexadecimal")
	f.StringVar(&text, "text", "", "message as text")
	f.StringVar(&guest, "guest", "", "`tenant/mission` that gets the message")
	f.Uint8Var(&r.VC, "vc", 0, "uplink virtual channel")
	f.BoolVar(&r.BD, "bd", false, "by the bypass service, without retransmission (VC 2 is for recovery)")
	f.StringVar(&wait, "wait", wait, "`stage` to wait for: "+strings.Join(stages, ", "))
	choices(c, "wait", stages...)
	at.add(c)
	at.addPlace(c)
	f.BoolVar(&r.Large, "large", false, "in parts (service 13), each a telecommand of its own")
	f.Uint16Var(&r.SubSchedule, "subschedule", 0, "sub-schedule that --at, --in or --orbit puts it in")
	f.Uint16Var(&r.Group, "group", 0, "group of the schedule that --at, --in or --orbit puts it in, made by schedule.group_create or position.group_create")
	return c
}

func fillRequest(d *database.Database, r *client.Request, args []string, data, text, guest string) error {
	if data != "" && text != "" {
		return usagef("--hex and --text exclude each other")
	}
	r.Data = []byte(text)
	if data != "" {
		b, err := hex.DecodeString(strings.ReplaceAll(data, " ", ""))
		if err != nil {
			return usagef("--hex: %v", err)
		}
		r.Data = b
	}
	ways := 0
	for _, used := range []bool{len(args) > 0, guest != "", r.Service != 0} {
		if used {
			ways++
		}
	}
	if ways != 1 {
		return usagef("say what to send: a function, --guest, or --service and --subtype")
	}
	switch {
	case len(args) > 0 && d.Command(args[0]) != nil:
		return fillNamed(d, r, args)
	case len(args) > 0:
		if len(r.Data) > 0 {
			return usagef("a function takes arguments, not --hex or --text")
		}
		r.Function, r.Arguments = args[0], args[1:]
	case guest != "":
		g, err := ids.ParseGuest(guest)
		if err != nil {
			return usagef("--guest: %v", err)
		}
		r.Tenant, r.Mission = g.Tenant, g.Mission
	case r.Subtype == 0:
		return usagef("--service wants --subtype")
	}
	return nil
}

// fillNamed makes a telecommand of the mission database.
func fillNamed(d *database.Database, r *client.Request, args []string) error {
	if len(r.Data) > 0 {
		return usagef("%s takes KEY=VALUE, not --hex or --text", args[0])
	}
	values := map[string]string{}
	for _, a := range args[1:] {
		key, value, ok := strings.Cut(a, "=")
		if !ok {
			return usagef("%q: want KEY=VALUE", a)
		}
		values[key] = value
	}
	c := d.Command(args[0])
	data, err := d.Build(c, values)
	if err != nil {
		return usagef("%v", err)
	}
	if c.Tenant != "" {
		r.Name, r.Tenant, r.Mission, r.Data = c.Name, c.Tenant, c.Mission, data
		return nil
	}
	r.Name, r.Service, r.Subtype, r.Data = c.Name, c.Service, c.Subtype, data
	if r.APID == 0 {
		r.APID = c.APID
	}
	return nil
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
