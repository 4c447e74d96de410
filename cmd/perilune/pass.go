package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/plan/orbit"
)

// staleElements is the age from which on a two-line element set misses by seconds.
const staleElements = 7 * 24 * time.Hour

// passFlags say which passes are asked for.
type passFlags struct {
	craft, station, from string
	hours                float64
}

func (a *app) passCmd() *cobra.Command {
	var f passFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List when which station sees the craft",
		Long: `List when which station sees the craft, by the orbit (tle) and the stations
([[sim.station]]) under [sim] of its craft.toml. Times are UTC. A pass that
began before, or goes on after, the time asked for is marked with <.`,
		Example: `  perilune pass list
  perilune pass list --station kiruna --hours 48
  perilune pass list --craft my-craft.toml --from 2026-11-21T00:00:00Z`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.listPasses(f) },
	}
	c.Flags().StringVar(&f.craft, "craft", "", "`file` that describes the craft (default: craft.toml or "+builtIn+", here or above)")
	c.Flags().StringVar(&f.station, "station", "", "only passes over this `station`")
	c.Flags().StringVar(&f.from, "from", "", "begin at this `time` (RFC 3339, UTC if it names no zone; default: now)")
	c.Flags().Float64Var(&f.hours, "hours", 24, "how far to look")
	return group(&cobra.Command{Use: "pass", Short: "When the ground sees the craft"}, c)
}

// shownPass is a pass as JSON has it; angles in degrees.
type shownPass struct {
	Station      string    `json:"station"`
	AOS          time.Time `json:"aos"`
	TCA          time.Time `json:"tca"`
	LOS          time.Time `json:"los"`
	Seconds      float64   `json:"duration_s"`
	MaxElevation float64   `json:"max_elevation_deg"`
	AOSAzimuth   float64   `json:"aos_azimuth_deg"`
	LOSAzimuth   float64   `json:"los_azimuth_deg"`
	Begun        bool      `json:"begun,omitempty"` // before the time asked for
	Open         bool      `json:"open,omitempty"`  // still at its end
}

func (a *app) listPasses(f passFlags) error {
	from, err := parseTime("--from", f.from)
	if err != nil {
		return err
	}
	if from.IsZero() {
		from = time.Now()
	}
	if !(f.hours > 0 && f.hours <= 366*24) {
		return usagef("--hours %g: want more than 0 and at most %d", f.hours, 366*24)
	}
	c, err := a.findCraft(f.craft)
	if err != nil {
		return err
	}
	tle, stations, err := chosen(c, f.station)
	if err != nil {
		return err
	}
	span := time.Duration(f.hours * float64(time.Hour))
	all := []shownPass{}
	for _, st := range stations {
		passes, err := orbit.Passes(tle, st, from, from.Add(span))
		if err != nil {
			return err
		}
		for _, p := range passes {
			all = append(all, show(p))
		}
	}
	slices.SortStableFunc(all, func(x, y shownPass) int { return x.AOS.Compare(y.AOS) })
	a.remark(c, tle, from, len(all))
	return a.print(all, func(w io.Writer) { tablePasses(w, all) })
}

// findCraft loads the craft.toml that is meant.
func (a *app) findCraft(path string) (*craft.Craft, error) {
	if path == "" {
		for _, name := range []string{"craft.toml", builtIn} {
			if found, ok := upward(name); ok {
				return craft.Load(found)
			}
		}
		return nil, usagef("no craft.toml and no %s here or above: name one with --craft", builtIn)
	}
	return craft.Load(path)
}

// chosen returns the orbit of c and the stations that count.
func chosen(c *craft.Craft, station string) (orbit.TLE, []orbit.Station, error) {
	if len(c.Sim.TLE) == 0 || len(c.Sim.Stations) == 0 {
		return orbit.TLE{}, nil, fmt.Errorf("craft %q wants tle under [orbit] or [sim] and at least one [[sim.station]] in its craft.toml", c.Name)
	}
	tle, stations, err := c.Sim.Orbit()
	if err != nil || station == "" {
		return tle, stations, err
	}
	var names []string
	for _, st := range stations {
		if st.Name == station {
			return tle, []orbit.Station{st}, nil
		}
		names = append(names, st.Name)
	}
	return tle, nil, usagef("--station %q: craft %q has %s", station, c.Name, strings.Join(names, ", "))
}

// remark says on standard error what the table cannot.
func (a *app) remark(c *craft.Craft, tle orbit.TLE, from time.Time, n int) {
	if c.Sim.Passes == "always" {
		fmt.Fprintf(a.talk, "The simulator keeps craft %q in contact all the time (passes = \"always\"); these are the passes of its orbit.\n", c.Name)
	}
	if age := from.Sub(tle.Epoch).Abs(); age > staleElements {
		fmt.Fprintf(a.talk, "The elements are %d days from their epoch: a real craft comes seconds or more away from these times.\n", int(age.Hours()/24))
	}
	if n == 0 {
		fmt.Fprintln(a.talk, "No pass in this time.")
	}
}

func show(p orbit.Pass) shownPass {
	return shownPass{
		Station: p.Station, AOS: milli(p.AOS), TCA: milli(p.TCA), LOS: milli(p.LOS), Seconds: p.Duration().Round(time.Millisecond).Seconds(),
		MaxElevation: thousandth(p.MaxElevation), AOSAzimuth: thousandth(p.AOSAzimuth), LOSAzimuth: thousandth(p.LOSAzimuth),
		Begun: p.Begun, Open: p.Open,
	}
}

func milli(t time.Time) time.Time { return t.UTC().Round(time.Millisecond) }

func thousandth(v float64) float64 { return math.Round(v*1000) / 1000 }

func tablePasses(w io.Writer, all []shownPass) {
	if len(all) == 0 {
		return
	}
	rows := [][]string{{"STATION", "AOS (UTC)", "LOS (UTC)", "DURATION", "ELEVATION", "AZIMUTH"}}
	for _, p := range all {
		rows = append(rows, []string{
			printable(p.Station), clockTime(p.AOS, p.Begun), clockTime(p.LOS, p.Open),
			time.Duration(p.Seconds * float64(time.Second)).Round(time.Second).String(),
			fmt.Sprintf("%.1f°", p.MaxElevation), fmt.Sprintf("%.0f° to %.0f°", p.AOSAzimuth, p.LOSAzimuth),
		})
	}
	table(w, rows)
}

// clockTime marks a time at which nothing happened but the end of what was asked for.
func clockTime(t time.Time, cut bool) string {
	return t.Round(time.Second).Format("2006-01-02 15:04:05") + map[bool]string{true: " <"}[cut]
}
