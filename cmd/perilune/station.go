package main

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ground"
	"github.com/perilune/perilune/missions/craft"
)

// breaks are what a demonstration may break, by name. What is not of the link is broken
// elsewhere.
var breaks = map[string]func(*link.Faults){
	"rs":   func(f *link.Faults) { f.NoRS = true },
	"fop":  func(f *link.Faults) { f.NoRetransmit = true },
	"sdls": func(f *link.Faults) { f.WrongKey = true },

	"signature": func(*link.Faults) {},
	"guest":     func(*link.Faults) {},
}

func (a *app) stationCmd() *cobra.Command {
	var cfg ground.Config
	var craftFile, broken string
	var verbose bool
	c := &cobra.Command{
		Use:   "station",
		Short: "Run a ground station: radio on one side, the API on the other",
		Long: `Run a ground station until interrupted. It connects to the radio's socket, whose
bytes are the bits of the link, and answers on a socket of its own, by which
all other commands work.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			var err error
			if cfg.Craft, err = craft.Load(craftFile); err != nil {
				return err
			}
			if broken != "" {
				set, ok := breaks[broken]
				if !ok {
					return usagef("--break %q: want rs, fop or sdls", broken)
				}
				set(&cfg.Faults)
			}
			if !strings.HasPrefix(cfg.Radio, "unix:") {
				return usagef("--radio %q: want unix:PATH", cfg.Radio)
			}
			if cfg.Keys, err = a.findKeys(cfg.Keys); err != nil {
				return err
			}
			level := slog.LevelWarn
			if verbose {
				level = slog.LevelDebug
			}
			cfg.Log = slog.New(slog.NewTextHandler(a.talk, &slog.HandlerOptions{Level: level}))
			if cfg.Socket == "" {
				cfg.Socket = filepath.Join(cfg.Dir, "ground.sock")
			}
			cfg.Ready = func() { fmt.Fprintf(a.talk, "station of %s answers at %s\n", cfg.Craft.Name, cfg.Socket) }
			return ground.Run(a.ctx, cfg)
		},
	}
	f := c.Flags()
	f.StringVar(&craftFile, "craft", "craft.toml", "`file` that describes the craft")
	f.StringVar(&cfg.Radio, "radio", "", "the radio's socket, unix:`PATH`")
	f.StringVar(&cfg.Dir, "dir", filepath.Join("out", "station"), "`folder` for archive, files and state")
	f.StringVar(&cfg.Socket, "socket", "", "`path` of the API's socket (default: ground.sock in --dir)")
	f.StringVar(&cfg.Keys, "keys", "", "`folder` of keys (default: PERILUNE_KEYS, or out/sim/keys here or above)")
	f.BoolVar(&cfg.AutoTime, "auto-time", true, "set the craft's clock whenever it reports that it is not set")
	f.StringVar(&broken, "break", "", "break rs, fop or sdls on purpose, for demonstrations")
	f.BoolVarP(&verbose, "verbose", "v", false, "say more")
	return c
}
