package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/database"
)

func (a *app) tmListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List structures, missions' telemetry and events with fields, and what is in them",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			d := a.database()
			var all []listed
			for _, s := range d.Structures {
				for _, name := range s.Parameters {
					p := d.Parameter(name)
					all = append(all, listed{s.SID, s.Name, p.Name, p.ID, string(p.Type), p.Unit, describeField(&p.Field)})
				}
				for i := range s.Rows {
					f := &s.Rows[i]
					all = append(all, listed{s.SID, s.Name, f.Name, 0, string(f.Type), f.Unit, describeField(f)})
				}
			}
			all = append(all, missionsAndEvents(d)...)
			return printList(a, all, []string{"SID", "STRUCTURE", "PARAMETER", "ID", "TYPE", "UNIT", "WHAT"}, func(l listed) []string {
				id := ""
				if l.ID != 0 {
					id = fmt.Sprint(l.ID)
				}
				sid := ""
				if l.SID != 0 {
					sid = fmt.Sprint(l.SID)
				}
				return []string{sid, l.Structure, l.Parameter, id, l.Type, l.Unit, l.What}
			})
		},
	}
}

// missionsAndEvents are what missions report and the fields of events.
func missionsAndEvents(d *database.Database) (all []listed) {
	for _, t := range d.Telemetry {
		for _, name := range t.Parameters {
			p := d.Parameter(name)
			all = append(all, listed{0, t.Tenant + "/" + t.Mission, p.Name, p.ID, string(p.Type), p.Unit, describeField(&p.Field)})
		}
	}
	for _, e := range d.Events {
		for i := range e.Fields {
			f := &e.Fields[i]
			all = append(all, listed{0, fmt.Sprintf("event %d, %s", e.ID, e.Name), f.Name, 0, string(f.Type), f.Unit, describeField(f)})
		}
	}
	return all
}

// listed is a parameter in a structure, or a column of the structure's rows, which has no id.
type listed struct {
	SID       uint16 `json:"sid,omitempty"`
	Structure string `json:"structure"`
	Parameter string `json:"parameter"`
	ID        uint16 `json:"id,omitempty"`
	Type      string `json:"type"`
	Unit      string `json:"unit,omitempty"`
	What      string `json:"what,omitempty"`
}

func describeField(f *database.Field) string {
	labels := strings.Join(f.Labels, ", ")
	if f.Text == "" || labels == "" {
		return f.Text + labels
	}
	return f.Text + ": " + labels
}

func (a *app) tmReplayCmd() *cobra.Command {
	var from, to string
	c := &cobra.Command{
		Use:   "replay",
		Short: "Have the craft send again what it stored: TC[15,9], by virtual channel 3",
		Long: `Have the craft send again what it stored, by virtual channel 3.

What the ground has already it passes over. Times are such as 2026-01-31T12:00:00Z,
or spans before now such as 10m.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			now := time.Now()
			values := map[string]string{}
			for key, text := range map[string]string{"start": from, "end": to} {
				at, err := instant(text, now)
				if err != nil {
					return usagef("%v", err)
				}
				values[key] = at.UTC().Format(time.RFC3339Nano)
			}
			var r client.Request
			args := []string{"store.retrieve"}
			for k, v := range values {
				args = append(args, k+"="+v)
			}
			if err := fillNamed(a.database(), &r, args); err != nil {
				return err
			}
			cl, err := a.dial()
			if err != nil {
				return err
			}
			id, err := cl.Command(a.ctx, r)
			if err != nil {
				return err
			}
			return a.await(cl, id, client.StageCompleted)
		},
	}
	c.Flags().StringVar(&from, "from", "10m", "first `time`")
	c.Flags().StringVar(&to, "to", "0s", "last `time`")
	return c
}

// instant is a time, or a span before now.
func instant(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, fmt.Errorf("%q is neither a time such as 2026-01-31T12:00:00Z nor a span such as 10m", text)
	}
	return at, nil
}
