package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/plan/orbit"
)

const (
	// lightSpeed is in km/s.
	lightSpeed = 299_792.458
	// skyEvery is how often the geometry is worked out anew: in low orbit the light time
	// changes by 25 µs meanwhile.
	skyEvery = time.Second
	// ahead is how far the next pass is looked for.
	ahead = 48 * time.Hour
)

// sky knows which station sees the craft when.
type sky struct {
	craft    *orbit.Propagator
	stations []orbit.Station
}

// view is the ground's view of the craft at one instant. Without a station nobody sees it.
type view struct {
	station string
	sight   orbit.Sight
}

func newSky(s *craft.Sim) (*sky, error) {
	tle, stations, err := s.Orbit()
	if err != nil {
		return nil, err
	}
	p, err := orbit.NewPropagator(tle)
	if err != nil {
		return nil, err
	}
	return &sky{craft: p, stations: stations}, nil
}

// at says who sees the craft at t: the station that had it before for as long as it does,
// else the one that sees it highest.
func (k *sky) at(t time.Time, before string) (view, error) {
	var best view
	for _, st := range k.stations {
		v, err := k.craft.Sight(st, t)
		switch {
		case err != nil:
			return view{}, err
		case v.ElevationDeg < st.MinElevationDeg:
		case st.Name == before:
			return view{st.Name, v}, nil
		case best.station == "" || v.ElevationDeg > best.sight.ElevationDeg:
			best = view{st.Name, v}
		}
	}
	return best, nil
}

// delay is the light time one way.
func (v view) delay() time.Duration {
	return time.Duration(v.sight.RangeKm / lightSpeed * float64(time.Second))
}

// next returns the first pass after t, or false when there is none for long.
func (k *sky) next(t time.Time) (orbit.Pass, bool) {
	var first orbit.Pass
	found := false
	for _, st := range k.stations {
		// Passes found before an error count: the craft comes down after them.
		list, _ := k.craft.Passes(st, t, t.Add(ahead))
		if len(list) > 0 && (!found || list[0].AOS.Before(first.AOS)) {
			first, found = list[0], true
		}
	}
	return first, found
}

// change tells what happened between two views at t, or nothing.
func (k *sky) change(from, to view, t time.Time) string {
	switch {
	case to.station == from.station:
		return ""
	case to.station != "":
		return fmt.Sprintf("AOS %s: elevation %.0f°, azimuth %.0f°, %.0f km away",
			to.station, to.sight.ElevationDeg, to.sight.AzimuthDeg, to.sight.RangeKm)
	}
	return fmt.Sprintf("LOS %s: %s", from.station, k.outlook(t))
}

// outlook names the next pass.
func (k *sky) outlook(t time.Time) string {
	p, ok := k.next(t)
	if !ok {
		return fmt.Sprintf("no pass in the next %.0f h", ahead.Hours())
	}
	return fmt.Sprintf("next AOS %s at %s UTC, in %v, for %v", p.Station, p.AOS.UTC().Format(time.TimeOnly),
		p.AOS.Sub(t).Round(time.Second), p.Duration().Round(time.Second))
}

// passes gives and takes the signal as the orbit has it, until ctx ends. It leaves a
// craft alone whose contact does not depend on its orbit.
//
// [[sim.fault]] may take the signal too. So in contact it is given once, at AOS, and a
// fault can take it; out of contact it is taken each time, should a fault have ended.
func (s *session) passes(ctx context.Context) {
	if s.craft.Sim.Passes != "tle" {
		return
	}
	k, err := newSky(&s.craft.Sim)
	var v view
	for first := true; err == nil; first = false {
		now := time.Now()
		var to view
		if to, err = k.at(now, v.station); err != nil {
			break
		}
		text := k.change(v, to, now)
		if first && to.station == "" {
			text = "no station sees the craft: " + k.outlook(now)
		}
		if text != "" {
			fmt.Fprintln(s.opt.Talk, text)
		}
		if to.station == "" {
			s.space.SetContact(false)
		} else {
			s.space.SetDelay(to.delay())
			if v.station == "" {
				s.space.SetContact(true)
			}
		}
		v = to
		if !wait(ctx, skyEvery) {
			return
		}
	}
	s.space.SetContact(false)
	fmt.Fprintf(s.opt.Talk, "the orbit ends: %v\n", err)
}
