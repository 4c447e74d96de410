package orbit

import (
	"math"
	"time"
)

// j2000 is 2000-01-01 12:00 UTC, Julian day 2451545.0.
var j2000 = time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)

// reach bounds the distance in time of a propagation from its epoch. Element sets are
// useless long before; the bound keeps the integration of resonances short.
const reach = 50 * 365 * 24 * time.Hour

// JulianDay returns t as a Julian day. A float64 resolves it to 40 µs.
func JulianDay(t time.Time) float64 { return 2451545 + sinceJ2000(t) }

// sinceJ2000 is in days. Sub would stop at 292 years; Unix seconds do not.
func sinceJ2000(t time.Time) float64 {
	return (float64(t.Unix()-j2000.Unix()) + float64(t.Nanosecond())/1e9) / 86400
}

// GMST returns the Greenwich mean sidereal time of 1982 at t, in radians from 0 to 2π.
func GMST(t time.Time) float64 {
	d := sinceJ2000(t)
	c := d / 36525 // Julian centuries
	seconds := 67310.54841 + (876600*3600+8640184.812866)*c + 0.093104*c*c - 6.2e-6*c*c*c
	return wrap(math.Mod(seconds, 86400) / 86400 * 2 * math.Pi)
}

// wrap brings an angle into 0 to 2π.
func wrap(a float64) float64 {
	if a = math.Mod(a, 2*math.Pi); a < 0 {
		a += 2 * math.Pi
	}
	return a
}

func radians(deg float64) float64 { return deg * (math.Pi / 180) }
func degrees(rad float64) float64 { return rad * (180 / math.Pi) }
