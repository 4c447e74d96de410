package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
)

func (a *app) linkCmd() *cobra.Command {
	return group(&cobra.Command{Use: "link", Short: "The radio link and the craft behind it"}, &cobra.Command{
		Use:   "show",
		Short: "Show lock, frames, channels and the craft's health",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			s, err := cl.Status(a.ctx)
			if err != nil {
				return err
			}
			return a.print(s, func(w io.Writer) { showStatus(w, s) })
		},
	}, a.linkEncodeCmd(), a.linkDecodeCmd(), a.linkStatsCmd(), a.linkBertCmd(), a.linkPcapCmd())
}

func showStatus(w io.Writer, s client.Status) {
	l := s.Link
	rows := [][]string{
		{"craft", s.Craft},
		{"radio", s.Radio},
		{"link", l.State},
		{"down", fmt.Sprintf("%d frames good, %d corrected (%d symbols), %d bad, %d lost; %d packets", l.Frames, l.Corrected, l.Symbols, l.Bad, l.Lost, l.Packets)},
		{"up", fmt.Sprintf("%d CLTUs, %d frames again", l.CLTUs, l.Retransmissions)},
	}
	for _, layer := range l.Layers {
		rows = append(rows, []string{layer.Name, layer.Text})
	}
	for _, c := range l.Channels {
		state := fmt.Sprintf("%s, V(R) %d, %d waiting", c.State, c.Report, c.Queued)
		if c.Lockout {
			state += ", lockout"
		}
		rows = append(rows, []string{fmt.Sprintf("up VC %d", c.VC), state})
	}
	for _, k := range s.Keys {
		rows = append(rows, []string{"keys", k.Advice()})
	}
	if h := s.Health; h != nil {
		rows = append(rows, []string{"mode", fmt.Sprintf("%s, up %v, boot %d, %d flight restarts", h.Mode, time.Duration(h.UptimeS)*time.Second, h.Boots, h.FlightRestarts)},
			[]string{"time", h.TimeQuality},
			[]string{"guests", fmt.Sprint(h.Guests)},
			[]string{"schedule", fmt.Sprintf("%s, %d waiting", enabled(h.ScheduleEnabled), h.Pending)})
	}
	table(w, rows)
}

func enabled(on bool) string {
	if on {
		return "enabled"
	}
	return "disabled"
}
