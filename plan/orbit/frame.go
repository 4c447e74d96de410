package orbit

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// The ellipsoid of WGS-84, which maps and positioning receivers use.
const (
	wgs84Radius     = 6378.137 // km
	wgs84Flattening = 1 / 298.257223563
	wgs84E2         = wgs84Flattening * (2 - wgs84Flattening)
)

// Station is a place on the ground with an antenna.
type Station struct {
	Name            string
	LatDeg, LonDeg  float64 // geodetic, north and east
	AltM            float64 // above the ellipsoid
	MinElevationDeg float64 // what the horizon hides
}

// ErrStation says that a station is nowhere on Earth.
var ErrStation = errors.New("not a place on Earth")

// Validate checks the ranges.
func (s Station) Validate() error {
	switch {
	case !(s.LatDeg >= -90 && s.LatDeg <= 90):
		return fmt.Errorf("station %q: latitude %g, want -90 to 90 degrees: %w", s.Name, s.LatDeg, ErrStation)
	case !(s.LonDeg >= -180 && s.LonDeg <= 360):
		return fmt.Errorf("station %q: longitude %g, want -180 to 360 degrees: %w", s.Name, s.LonDeg, ErrStation)
	case !(s.AltM >= -1000 && s.AltM <= 100_000):
		return fmt.Errorf("station %q: altitude %g, want -1000 to 100000 m: %w", s.Name, s.AltM, ErrStation)
	case !(s.MinElevationDeg >= -10 && s.MinElevationDeg < 90):
		return fmt.Errorf("station %q: minimum elevation %g, want -10 to 90 degrees: %w", s.Name, s.MinElevationDeg, ErrStation)
	}
	return nil
}

// ECEF turns a TEME position with the Earth: km, axes fixed to the Earth.
func ECEF(teme Vector, t time.Time) Vector {
	sin, cos := math.Sincos(GMST(t))
	return Vector{cos*teme[0] + sin*teme[1], -sin*teme[0] + cos*teme[1], teme[2]}
}

// Position returns the station's place in km, axes fixed to the Earth.
func (s Station) Position() Vector {
	sinLat, cosLat := math.Sincos(radians(s.LatDeg))
	sinLon, cosLon := math.Sincos(radians(s.LonDeg))
	curve := wgs84Radius / math.Sqrt(1-wgs84E2*sinLat*sinLat) // radius across the meridian
	out := curve + s.AltM/1000
	return Vector{out * cosLat * cosLon, out * cosLat * sinLon, (curve*(1-wgs84E2) + s.AltM/1000) * sinLat}
}

// Geodetic returns latitude and longitude (-180 to 180) in degrees and height in km above
// the ellipsoid of a place fixed to the Earth. Near the centre of the Earth it means
// nothing.
func Geodetic(ecef Vector) (latDeg, lonDeg, heightKm float64) {
	across := math.Hypot(ecef[0], ecef[1])
	lat := math.Atan2(ecef[2], across*(1-wgs84E2))
	var curve float64
	for range 6 { // converges by a factor of 300 a turn
		sin := math.Sin(lat)
		curve = wgs84Radius / math.Sqrt(1-wgs84E2*sin*sin)
		lat = math.Atan2(ecef[2]+curve*wgs84E2*sin, across)
	}
	sin, cos := math.Sincos(lat)
	if cos > 0.1 {
		heightKm = across/cos - curve
	} else { // near a pole the other component is the sharp one
		heightKm = ecef[2]/sin - curve*(1-wgs84E2)
	}
	return degrees(lat), degrees(math.Atan2(ecef[1], ecef[0])), heightKm
}

// Sight is where a station sees a craft.
type Sight struct {
	AzimuthDeg   float64 // from north over east, 0 to 360
	ElevationDeg float64
	RangeKm      float64
}

// sight returns the direction from s to a place fixed to the Earth, without refraction.
func (s Station) sight(ecef Vector) Sight {
	here := s.Position()
	d := Vector{ecef[0] - here[0], ecef[1] - here[1], ecef[2] - here[2]}
	sinLat, cosLat := math.Sincos(radians(s.LatDeg))
	sinLon, cosLon := math.Sincos(radians(s.LonDeg))
	outward := cosLon*d[0] + sinLon*d[1]
	east := -sinLon*d[0] + cosLon*d[1]
	north := -sinLat*outward + cosLat*d[2]
	up := cosLat*outward + sinLat*d[2]
	return Sight{
		AzimuthDeg:   degrees(wrap(math.Atan2(east, north))),
		ElevationDeg: degrees(math.Atan2(up, math.Hypot(east, north))),
		RangeKm:      math.Sqrt(d[0]*d[0] + d[1]*d[1] + d[2]*d[2]),
	}
}

// Sight returns where st sees the craft at t.
func (p *Propagator) Sight(st Station, t time.Time) (Sight, error) {
	s, err := p.At(t)
	if err != nil {
		return Sight{}, err
	}
	return st.sight(ECEF(s.Position, t)), nil
}

// Look returns azimuth and elevation in degrees and the distance in km at which st sees
// the craft of t at the time at.
func Look(t TLE, st Station, at time.Time) (az, el, rangeKm float64, err error) {
	if err := st.Validate(); err != nil {
		return 0, 0, 0, err
	}
	p, err := NewPropagator(t)
	if err != nil {
		return 0, 0, 0, err
	}
	s, err := p.Sight(st, at)
	return s.AzimuthDeg, s.ElevationDeg, s.RangeKm, err
}
