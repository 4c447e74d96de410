package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
)

// timeFlags are --at and --in: when the craft shall carry something out; --orbit and --angle: where.
type timeFlags struct {
	at    string
	in    time.Duration
	orbit uint32
	angle float64
}

func (t *timeFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&t.at, "at", "", "release on board at this `time` (RFC 3339, UTC if it names no zone)")
	f.DurationVar(&t.in, "in", 0, "release on board after this `duration`")
}

// addPlace adds --orbit and --angle.
func (t *timeFlags) addPlace(c *cobra.Command) {
	f := c.Flags()
	f.Uint32Var(&t.orbit, "orbit", 0, "release on board on the orbit of this `number`")
	f.Float64Var(&t.angle, "angle", 0, "and at this `angle` from its ascending node, in degrees")
}

// place returns where on the orbit, nil for anywhere.
func (t *timeFlags) place(c *cobra.Command) (*client.Place, error) {
	switch {
	case !c.Flags().Changed("orbit") && c.Flags().Changed("angle"):
		return nil, usagef("--angle wants --orbit")
	case !c.Flags().Changed("orbit"):
		return nil, nil
	case t.at != "" || t.in != 0:
		return nil, usagef("--orbit excludes --at and --in")
	case !(t.angle >= 0 && t.angle < 360):
		return nil, usagef("--angle %g: want 0 to below 360 degrees", t.angle)
	}
	return &client.Place{Orbit: t.orbit, AngleDeg: t.angle}, nil
}

// resolve returns the instant, zero for at once. --in counts from the station's clock,
// which is the craft's too.
func (t *timeFlags) resolve(a *app, cl *client.Client) (time.Time, error) {
	switch {
	case t.at != "" && t.in != 0:
		return time.Time{}, usagef("--at and --in exclude each other")
	case t.in < 0:
		return time.Time{}, usagef("--in %v: want a duration that is not negative", t.in)
	case t.in > 0:
		s, err := cl.Status(a.ctx)
		return s.Time.Add(t.in), err
	}
	return parseTime("--at", t.at)
}

// parseTime reads the text of a flag; nothing is the zero time.
func parseTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if v, err := time.Parse(layout, text); err == nil {
			return v, nil
		}
	}
	return time.Time{}, usagef("%s %q: want a time such as 2026-11-21T10:30:00Z", flag, text)
}
