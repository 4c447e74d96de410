package craft

import (
	"fmt"

	"github.com/perilune/perilune/plan/orbit"
)

// Orbit returns the elements of tle and the stations as plan/orbit wants them.
func (s *Sim) Orbit() (orbit.TLE, []orbit.Station, error) {
	if len(s.TLE) != 2 {
		return orbit.TLE{}, nil, fmt.Errorf("tle has %d lines, want two", len(s.TLE))
	}
	tle, err := orbit.ParseTLE(s.TLE[0], s.TLE[1])
	if err != nil {
		return orbit.TLE{}, nil, fmt.Errorf("tle: %w", err)
	}
	if _, err := orbit.NewPropagator(tle); err != nil {
		return orbit.TLE{}, nil, fmt.Errorf("tle: %w", err)
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
