package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/wireshark"
	"github.com/perilune/perilune/cmd/perilune/linktool"
	"github.com/perilune/perilune/missions/craft"
)

// linkFlags are what the tools of the link have in common.
type linkFlags struct {
	craft, keys    string
	in, out        string
	units          string
	up, soft       bool
	vc             uint8
	unit           int
	insert         string // file for the insert zones
	inserted       *os.File
	noise          linktool.Noise
	silence        time.Duration
	noUnits, quiet bool
	makes          bool           // bits from units, not the other way
	cmd            *cobra.Command // whose flags these are
}

const linkToolHelp = `
The link is that of --craft, or the default one: TM frames with Reed-Solomon down, TC frames
with BCH up. --in and --out are files, "-" for the standard streams, or udp:HOST:PORT.
Soft symbols (--soft) are one int8 each, positive for 0, in eighths of the log-likelihood
ratio; they are the default where --craft has a downlink with soft = true.`

func (l *linkFlags) register(c *cobra.Command) *cobra.Command {
	f := c.Flags()
	l.cmd = c
	c.Long = c.Short + ".\n" + linkToolHelp
	f.StringVar(&l.craft, "craft", "", "take the link of this craft.toml `file`")
	f.StringVar(&l.keys, "keys", "", "`folder` with the link's keys, for a downlink that is protected")
	f.StringVarP(&l.in, "in", "i", "-", "`file`, - or udp:HOST:PORT to read")
	f.StringVarP(&l.out, "out", "o", "-", "`file`, - or udp:HOST:PORT to write")
	f.BoolVar(&l.up, "up", false, "the uplink instead of the downlink")
	f.BoolVar(&l.soft, "soft", false, "soft symbols instead of bits")
	f.DurationVar(&l.silence, "silence", 0, "end a UDP input after this `duration` without a datagram (default: never)")
	if !l.noUnits {
		kinds := []string{string(linktool.Packets), string(linktool.Frames), string(linktool.Data)}
		if !l.makes {
			kinds = append(kinds, string(linktool.InsertZones), string(linktool.ControlWords))
		}
		f.StringVar(&l.units, "units", "packets", "`kind` of what goes in or comes out beside bits (default data where --vc has another service): "+strings.Join(kinds, ", "))
		choices(c, "units", kinds...)
	}
	return c
}

func (l *linkFlags) registerNoise(c *cobra.Command) *cobra.Command {
	f := c.Flags()
	l.noise = linktool.Quiet() // NaN, which is no default to show
	f.Float64Var(&l.noise.EbN0, "ebn0", l.noise.EbN0, "add white noise at this Eb/N0 in `dB`")
	f.Lookup("ebn0").DefValue = "0"
	f.Float64Var(&l.noise.BER, "ber", 0, "turn bits over with this `probability`")
	f.Uint64Var(&l.noise.Seed, "seed", 1, "`number` that the noise begins with")
	return c
}

// config reads the craft, and looks whether the rest fits its link.
func (l *linkFlags) config() (linktool.Config, error) {
	c := craft.Default()
	if l.craft != "" {
		var err error
		if c, err = craft.Load(l.craft); err != nil {
			return linktool.Config{}, err
		}
	}
	p, err := l.profile(c)
	if err != nil {
		return linktool.Config{}, err
	}
	if l.noUnits {
		l.units = string(linktool.Frames)
	}
	if l.silence < 0 {
		return linktool.Config{}, usagef("--silence %v: want 0 (never) or more", l.silence)
	}
	if !l.cmd.Flags().Changed("soft") {
		l.soft = c.Link.Soft && !l.up
	}
	cfg := linktool.Config{Profile: p, Up: l.up, Units: linktool.Units(l.units), VC: ccsds.VCID(l.vc), UnitLength: l.unit, Soft: l.soft, Noise: l.noise}
	cfg.Only = l.cmd.Flags().Changed("vc")
	if cfg.Only && !l.up && !l.cmd.Flags().Changed("units") && p.Service(cfg.VC) != link.ServicePackets {
		cfg.Units = linktool.Data
	}
	if l.noUnits && (p.Down == link.FramingPackets && !l.up || p.Up == link.FramingPackets && l.up) {
		cfg.Units = linktool.Packets
	}
	if l.inserted != nil {
		cfg.Insert = l.inserted
	}
	if l.makes {
		return cfg, cfg.ValidateInput()
	}
	return cfg, cfg.Validate()
}

// profile is the craft's link. Frames of the uplink and of a downlink in clear need no keys:
// then any will do.
func (l *linkFlags) profile(c *craft.Craft) (link.Profile, error) {
	keys := map[uint16][craft.KeySize]byte{}
	for _, spi := range c.SPIs() {
		keys[spi] = [craft.KeySize]byte{1}
	}
	if l.keys != "" {
		var err error
		if keys, err = c.LoadKeys(l.keys); err != nil {
			return link.Profile{}, err
		}
	}
	p, err := c.Profile(keys)
	if err == nil && l.keys == "" && len(p.DownSPI) > 0 && !l.up {
		return p, usagef("the downlink of %s is protected: name its keys with --keys", l.craft)
	}
	return p, err
}

// streams opens input and output, and calls do with them.
func (a *app) streams(l *linkFlags, do func(linktool.Config, *linktool.Source, io.Writer) error) error {
	if l.insert != "" {
		f, err := os.Open(l.insert)
		if err != nil {
			return err
		}
		defer f.Close()
		l.inserted = f
	}
	c, err := l.config()
	if err != nil {
		return toolError(err)
	}
	if sameFile(l.in, l.out) {
		return usagef("--in and --out are both %s: what is read would be overwritten", l.in)
	}
	src, err := linktool.OpenSource(a.ctx, l.in, a.in, l.silence)
	if err != nil {
		return toolError(err)
	}
	defer src.Close()
	dst, err := linktool.OpenSink(a.ctx, l.out, a.out)
	if err != nil {
		return toolError(err)
	}
	return toolError(errors.Join(do(c, src, dst), dst.Close()))
}

// sameFile reports whether two names are one file on disk; devices may well be both.
func sameFile(in, out string) bool {
	a, err1 := os.Stat(in)
	b, err2 := os.Stat(out)
	return err1 == nil && err2 == nil && a.Mode().IsRegular() && os.SameFile(a, b)
}

// toolError makes a mistake in the choice of options one of usage.
func toolError(err error) error {
	if errors.Is(err, linktool.ErrConfig) {
		return usagef("%v", err)
	}
	return err
}

// say writes a result beside the data: as JSON on the talking side if asked for.
func (a *app) say(v any, rows [][]string) error {
	side := *a
	side.out = a.talk
	return side.print(v, func(w io.Writer) { table(w, rows) })
}

func (a *app) linkEncodeCmd() *cobra.Command {
	l := &linkFlags{makes: true}
	c := l.registerNoise(l.register(&cobra.Command{Use: "encode", Short: "Make the bits of a link from packets, frames or data", Args: noArgs}))
	c.Flags().Uint8Var(&l.vc, "vc", 0, "virtual `channel` that packets or data go on")
	c.Flags().StringVar(&l.insert, "insert", "", "`file` whose octets go into the insert zones of the frames")
	c.Flags().IntVar(&l.unit, "unit", 0, "`octets` of a data unit in a file, for channels of service vca (default: what a frame carries)")
	c.RunE = func(*cobra.Command, []string) error {
		return a.streams(l, func(cfg linktool.Config, src *linktool.Source, out io.Writer) error {
			n, err := linktool.Encode(cfg, src, out)
			if err != nil {
				return err
			}
			return a.say(n, [][]string{{"packets", fmt.Sprint(n.Packets)}, {"data units", fmt.Sprint(n.Units)}, {"frames", fmt.Sprint(n.Frames)},
				{"bits", fmt.Sprint(n.Bits)}, {"turned over", fmt.Sprint(n.Wrong)}})
		})
	}
	return c
}

func (a *app) linkDecodeCmd() *cobra.Command {
	l := &linkFlags{}
	c := l.register(&cobra.Command{Use: "decode", Short: "Find packets, frames or data in the bits of a link", Args: noArgs})
	c.Flags().Uint8Var(&l.vc, "vc", 0, "what comes on this virtual `channel` alone (default: on all)")
	c.Flags().BoolVarP(&l.quiet, "quiet", "q", false, "no report")
	c.RunE = func(*cobra.Command, []string) error {
		return a.streams(l, func(cfg linktool.Config, src *linktool.Source, out io.Writer) error {
			r, err := linktool.Decode(cfg, src, func(u linktool.Unit) error { _, err := out.Write(u.Octets); return err })
			if err != nil || l.quiet {
				return err
			}
			return a.sayReport(r)
		})
	}
	return c
}

// sayReport is say for what a decoder saw, with advice where that is nothing.
func (a *app) sayReport(r linktool.Report) error {
	if r.Empty() && !a.json {
		fmt.Fprintln(a.talk, "nothing was found: is it this link (--craft, --up), bits or soft symbols (--soft)?")
	}
	return a.say(r, r.Rows())
}

func (a *app) linkStatsCmd() *cobra.Command {
	l := &linkFlags{noUnits: true}
	c := l.register(&cobra.Command{Use: "stats", Short: "Count what the bits of a link hold, layer by layer", Args: noArgs})
	c.RunE = func(*cobra.Command, []string) error {
		return a.streams(l, func(cfg linktool.Config, src *linktool.Source, out io.Writer) error {
			r, err := linktool.Decode(cfg, src, nil)
			if err != nil {
				return err
			}
			side := *a
			side.out = out
			return side.print(r, func(w io.Writer) { table(w, r.Rows()) })
		})
	}
	return c
}

func (a *app) linkPcapCmd() *cobra.Command {
	l := &linkFlags{}
	var start, plugin string
	c := l.register(&cobra.Command{Use: "pcap", Short: "Write what the bits of a link hold as a capture for Wireshark", Args: noArgs})
	c.Flags().StringVar(&start, "start", "1970-01-01T00:00:00Z", "`time` of the first bit, RFC 3339")
	c.Flags().StringVar(&plugin, "dissectors", "", "also write the plugin for TM, TC, AOS, USLP and CLCW to this `file`")
	c.RunE = func(*cobra.Command, []string) error {
		at, err := time.Parse(time.RFC3339, start)
		if err != nil {
			return usagef("--start %q: want a time such as 2026-03-01T12:00:00Z", start)
		}
		if plugin != "" {
			if err := os.WriteFile(plugin, wireshark.Script, 0o644); err != nil {
				return err
			}
		}
		return a.streams(l, func(cfg linktool.Config, src *linktool.Source, out io.Writer) error {
			r, err := linktool.Pcap(cfg, src, out, at)
			if err != nil {
				return err
			}
			return a.sayReport(r)
		})
	}
	return c
}
