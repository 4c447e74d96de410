package main

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions/database"
)

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

// sendFlags are those of tc send.
type sendFlags struct {
	request          client.Request
	hex, text, guest string
	wait             string // stage
	at               timeFlags
}

func (a *app) tcSendCmd() *cobra.Command {
	s := &sendFlags{wait: client.StageCompleted}
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
		RunE:              func(c *cobra.Command, args []string) error { return a.send(c, s, args) },
	}
	s.add(c)
	return c
}

func (s *sendFlags) add(c *cobra.Command) {
	f, r := c.Flags(), &s.request
	f.Uint16Var(&r.APID, "apid", 0, "application process (default: flight software)")
	f.Uint8Var(&r.Service, "service", 0, "PUS service")
	f.Uint8Var(&r.Subtype, "subtype", 0, "PUS message subtype")
	f.StringVar(&s.hex, "hex", "", "message in hexadecimal")
	f.StringVar(&s.text, "text", "", "message as text")
	f.StringVar(&s.guest, "guest", "", "`tenant/mission` that gets the message")
	f.Uint8Var(&r.VC, "vc", 0, "uplink virtual channel")
	f.BoolVar(&r.BD, "bd", false, "by the bypass service, without retransmission (VC 2 is for recovery)")
	f.StringVar(&s.wait, "wait", s.wait, "`stage` to wait for: "+strings.Join(stages, ", "))
	choices(c, "wait", stages...)
	s.at.add(c)
	s.at.addPlace(c)
	f.BoolVar(&r.Large, "large", false, "in parts (service 13), each a telecommand of its own")
	f.Uint16Var(&r.SubSchedule, "subschedule", 0, "sub-schedule that --at, --in or --orbit puts it in")
	f.Uint16Var(&r.Group, "group", 0, "group of the schedule that --at, --in or --orbit puts it in, made by schedule.group_create or position.group_create")
}

func (a *app) send(c *cobra.Command, s *sendFlags, args []string) error {
	r := s.request
	if err := fillRequest(a.database(), &r, args, s.hex, s.text, s.guest); err != nil {
		return err
	}
	var err error
	if r.Place, err = s.at.place(c); err != nil {
		return err
	}
	if !(client.Command{Stage: s.wait}).Reached(client.StageQueued) {
		return usagef("--wait %q: want %s", s.wait, strings.Join(stages, ", "))
	}
	cl, err := a.dial()
	if err != nil {
		return err
	}
	if r.At, err = s.at.resolve(a, cl); err != nil {
		return err
	}
	id, err := cl.Command(a.ctx, r)
	if err != nil {
		return err
	}
	return a.await(cl, id, s.wait)
}

// fillRequest says in r what args or the flags ask for.
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
