package craft

import (
	"fmt"

	"github.com/perilune/perilune/plan/orbit"
)

// Orbit is what the craft knows of its orbit when it starts; the ground may send newer elements.
type Orbit struct {
	TLE []string `toml:"tle"` // the two lines; none: it knows nothing until the ground sends some
}

// elements reads two lines that can be propagated.
func elements(lines []string) (orbit.TLE, error) {
	if len(lines) != 2 {
		return orbit.TLE{}, fmt.Errorf("tle has %d lines, want two", len(lines))
	}
	tle, err := orbit.ParseTLE(lines[0], lines[1])
	if err == nil {
		_, err = orbit.NewPropagator(tle)
	}
	if err != nil {
		return orbit.TLE{}, fmt.Errorf("tle: %w", err)
	}
	return tle, nil
}

func (o *Orbit) validate() error {
	if len(o.TLE) == 0 {
		return nil
	}
	_, err := elements(o.TLE)
	return err
}

// Orbit returns the elements of tle and the stations as plan/orbit wants them.
func (s *Sim) Orbit() (orbit.TLE, []orbit.Station, error) {
	tle, err := elements(s.TLE)
	if err != nil {
		return orbit.TLE{}, nil, err
	}
	var stations []orbit.Station
	for _, st := range s.Stations {
		stations = append(stations, st.orbit())
	}
	return tle, stations, nil
}

func (st Station) orbit() orbit.Station {
	return orbit.Station{
		Name: st.Name, LatDeg: st.Latitude, LonDeg: st.Longitude, AltM: st.Altitude, MinElevationDeg: st.MinElevation,
	}
}
