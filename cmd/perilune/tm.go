package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
)

func (a *app) tmCmd() *cobra.Command {
	return group(&cobra.Command{Use: "tm", Short: "Telemetry"}, a.tmTailCmd(), a.tmListCmd(), a.tmReplayCmd())
}

func (a *app) tmTailCmd() *cobra.Command {
	var all, replay bool
	var kinds []string
	var apid uint16
	var count int
	c := &cobra.Command{
		Use:   "tail",
		Short: "Show telemetry packets as they come in",
		Long: `Show telemetry packets as they come in, until interrupted.

With --json each line is an event with its data and the offset of its bits in
the stream that was received.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case all && len(kinds) > 0:
				return usagef("--all and --kind exclude each other")
			case !all && len(kinds) == 0:
				kinds = []string{client.KindTM, client.KindEvent, client.KindConsole}
			}
			for _, k := range kinds {
				if !client.KnownKind(k) {
					return usagef("--kind %q: there are %s", k, strings.Join(client.Kinds, ", "))
				}
			}
			since := uint64(client.Now)
			if replay {
				since = 0
			}
			line := tmLine(a.out)
			if a.json {
				line = func(e client.Event) error { return a.printJSON(e) }
			} else {
				fmt.Fprintf(a.out, "%-12s  %-3s %-5s %-8s %5s  %s\n", "TIME", "VC", "APID", "TYPE", "SIZE", "WHAT")
			}
			return a.tail(since, count, func(e client.Event) bool { return apid == 0 || e.APID == apid }, line, kinds...)
		},
	}
	f := c.Flags()
	f.BoolVar(&all, "all", false, "also events of the link, telecommands and files")
	f.StringSliceVar(&kinds, "kind", nil, "only events of this `kind`, such as event, console, file.finished; link. is all of link")
	choices(c, "kind", client.Kinds...)
	f.BoolVar(&replay, "replay", false, "begin with all that the station has on record")
	f.Uint16Var(&apid, "apid", 0, "only this application process")
	f.IntVarP(&count, "count", "n", 0, "end after this many")
	return c
}

// tail follows events until interrupted or count of them were shown.
func (a *app) tail(since uint64, count int, want func(client.Event) bool, show func(client.Event) error, kinds ...string) error {
	cl, err := a.dial()
	if err != nil {
		return err
	}
	s, err := cl.Events(a.ctx, since, kinds...)
	if err != nil {
		return err
	}
	defer s.Close()
	for n := 0; count == 0 || n < count; {
		e, err := s.Next()
		switch {
		case a.ctx.Err() != nil || errors.Is(err, context.Canceled):
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%w any more: it ended", client.ErrUnreachable)
		case err != nil:
			return err
		}
		if !want(e) {
			continue
		}
		if err := show(e); err != nil {
			return err
		}
		n++
	}
	return nil
}

// tmLine writes one event a line, in columns.
func tmLine(w io.Writer) func(client.Event) error {
	return func(e client.Event) error {
		kind := e.Kind
		if e.Service != 0 {
			way := "TM"
			if strings.HasPrefix(e.Kind, "tc.") && e.Kind != client.KindVerified {
				way = "TC"
			}
			kind = fmt.Sprintf("%s[%d,%d]", way, e.Service, e.Subtype)
		}
		apid, size := "", ""
		if e.APID != 0 {
			apid = fmt.Sprint(e.APID)
		}
		if n := e.Number("length"); n > 0 {
			size = fmt.Sprint(n)
		}
		text := strings.TrimRight(e.Text, "\r\n")
		if text == "" && len(e.Data) > 0 {
			text = preview(e.Data)
		}
		_, err := fmt.Fprintf(w, "%-12s  %-3d %-5s %-8s %5s  %s\n", e.Time.Local().Format("15:04:05.000"), e.VC, apid, kind, size, printable(text))
		return err
	}
}

// preview shows data as text where it is text, else its first octets in hex.
func preview(data []byte) string {
	const most = 24
	text := strings.TrimRight(string(data), "\r\n\x00")
	if text != "" && printable(text) == text {
		return text
	}
	if len(data) > most {
		return hex.EncodeToString(data[:most]) + "…"
	}
	return hex.EncodeToString(data)
}

// printable replaces what would move the cursor: text from a craft is not trusted.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7F && r < 0xA0 || r == '\u2028' || r == '\u2029' {
			return '\uFFFD'
		}
		return r
	}, s)
}
