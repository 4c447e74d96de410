package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/cmd/perilune/linktool"
)

func (a *app) linkBertCmd() *cobra.Command {
	l := &linkFlags{noUnits: true}
	var frames int
	c := l.registerNoise(l.register(&cobra.Command{Use: "bert", Short: "Measure error rates of the downlink's code", Args: noArgs}))
	c.Long = `Measure error rates of the downlink's code with test frames that both ends know.

Alone it sends frames to itself through noise (--ebn0 or --ber). With --out it only sends:
bits, or soft symbols, for a modulator or a file. With --in it only receives.
` + linkToolHelp
	f := c.Flags()
	f.IntVar(&frames, "frames", 1000, "`number` of frames to send")
	f.Lookup("up").Hidden = true // refused: error rates are measured on the downlink
	f.Lookup("in").DefValue, l.in = "", ""
	f.Lookup("out").DefValue, l.out = "", ""
	c.RunE = func(*cobra.Command, []string) error {
		if frames < 1 {
			return usagef("--frames %d: want at least 1", frames)
		}
		return toolError(a.bert(l, frames))
	}
	return c
}

func (a *app) bert(l *linkFlags, frames int) error {
	if l.in != "" && l.out != "" {
		return usagef("--in receives and --out sends: one of them")
	}
	if l.in == "" && l.out == "" {
		c, err := l.config()
		if err != nil {
			return err
		}
		b, err := linktool.LoopBERT(c, frames)
		if err != nil {
			return err
		}
		return a.print(b, func(w io.Writer) { table(w, b.Rows()) })
	}
	if l.out != "" {
		sink := *l
		sink.in = "-"
		return a.streams(&sink, func(c linktool.Config, _ *linktool.Source, out io.Writer) error {
			n, err := linktool.SendBERT(c, frames, out)
			if err != nil {
				return err
			}
			return a.say(n, [][]string{{"frames", fmt.Sprint(n.Frames)}, {"bits", fmt.Sprint(n.Bits)}})
		})
	}
	source := *l
	source.out = "-"
	return a.streams(&source, func(c linktool.Config, src *linktool.Source, out io.Writer) error {
		b, err := linktool.ReceiveBERT(c, src)
		if err != nil {
			return err
		}
		if b.Received == 0 {
			return fmt.Errorf("%w in %d bits or symbols", linktool.ErrNothing, b.Code.Bits)
		}
		return a.print(b, func(w io.Writer) { table(w, b.Rows()) })
	})
}
