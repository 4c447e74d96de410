package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/perilune/perilune/internal/client"
)

// Intervals of looking again.
const (
	statusEvery = time.Second
	consolePoll = 100 * time.Millisecond
)

// welcome says where things are and how to go on.
func (s *session) welcome() {
	self := s.opt.Self
	if here, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(here, self); err == nil {
			self = rel
		}
	}
	fmt.Fprintf(s.opt.Talk, `
%[1]s is up. In a second terminal, from this folder:

  export PATH="$PWD/%[2]s:$PATH"   so that the command is perilune
  perilune mission list            what is on board
  perilune tm tail                 telemetry as it comes
  perilune sim fault los --for 5s  make something go wrong

and your own mission, in four commands:

  perilune mission new hello
  perilune mission build hello
  perilune mission upload hello
  perilune mission start hello

The craft's console is %[3]s, the raw bits are %[4]s. Ctrl-C ends the flight.

`, s.craft.Name, filepath.Dir(self), s.path("console.log"), s.path("{up,down}.{sent,received}.raw"))
}

// status shows the craft until ctx ends: on a terminal a picture that renews itself,
// else a line whenever something changed, or one JSON value for each event. An error is
// the station's.
func (s *session) status(ctx context.Context) error {
	if s.opt.JSON {
		return s.stream(ctx)
	}
	f, ok := s.opt.Data.(*os.File)
	live := ok && term.IsTerminal(int(f.Fd()))
	lines, last := 0, ""
	for wait(ctx, statusEvery) {
		st, err := s.api.Status(ctx)
		if err != nil {
			return err
		}
		text := picture(st)
		switch {
		case live:
			if lines > 0 {
				fmt.Fprintf(s.opt.Data, "\033[%dA\033[J", lines)
			}
			fmt.Fprint(s.opt.Data, text)
			lines = strings.Count(text, "\n")
		default:
			if line := summary(st); line != last {
				fmt.Fprintln(s.opt.Data, line)
				last = line
			}
		}
	}
	return nil
}

// stream writes every event as JSON.
func (s *session) stream(ctx context.Context) error {
	events, err := s.api.Events(ctx, 0)
	if err != nil {
		return err
	}
	defer events.Close()
	out := json.NewEncoder(s.opt.Data)
	for {
		e, err := events.Next()
		if err == nil {
			err = out.Encode(e)
		}
		if err != nil {
			return err
		}
	}
}

// picture is several lines about everything.
func picture(st client.Status) string {
	var b strings.Builder
	l := st.Link
	fmt.Fprintf(&b, "craft   %s   %s\n", st.Craft, health(st.Health))
	fmt.Fprintf(&b, "link    %-7s frames %d good, %d corrected, %d bad, %d lost; uplink %d CLTUs, %d again\n",
		l.State, l.Frames, l.Corrected, l.Bad, l.Lost, l.CLTUs, l.Retransmissions)
	for _, t := range active(st.Transfers) {
		fmt.Fprintf(&b, "file    %s\n", t)
	}
	for _, g := range st.Guests {
		fmt.Fprintf(&b, "guest   %s/%s %s%s\n", g.Tenant, g.Mission, g.State, exit(g))
	}
	return b.String()
}

// summary is one line for logs. It leaves out counters that change all the time.
func summary(st client.Status) string {
	parts := []string{st.Craft, "link " + st.Link.State, health(st.Health)}
	parts = append(parts, active(st.Transfers)...)
	for _, g := range st.Guests {
		parts = append(parts, fmt.Sprintf("%s/%s %s%s", g.Tenant, g.Mission, g.State, exit(g)))
	}
	return strings.Join(parts, " | ")
}

func health(h *client.Housekeeping) string {
	if h == nil {
		return "no housekeeping yet"
	}
	return fmt.Sprintf("%s, boot %d, time %s, %d scheduled", h.Mode, h.Boots, h.TimeQuality, h.Pending)
}

func exit(g client.Guest) string {
	if g.State != "exited" {
		return ""
	}
	return fmt.Sprintf(" (%d)", g.Exit)
}

// active describes the transfers under way, to the tenth.
func active(all []client.Transfer) []string {
	var out []string
	for _, t := range all {
		if t.State != client.TransferActive {
			continue
		}
		way := "down"
		if t.Up {
			way = "up"
		}
		percent := uint64(0)
		if t.Size > 0 {
			percent = t.Done * 10 / t.Size * 10
		}
		out = append(out, fmt.Sprintf("%s %s %d %%", t.Name, way, percent))
	}
	return out
}
