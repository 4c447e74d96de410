package orbit

import (
	"math"
	"time"
)

// earthRate is the Earth's rotation in rad/min.
const earthRate = 4.37526908801129966e-3

// step is the integration's, in minutes.
const step = 720.0

// resonance integrates the pull of the Earth's uneven field on an orbit that repeats
// above it once or twice a day. It starts from epoch at each call, so that a result does
// not depend on what was asked before.
type resonance struct {
	half  bool // 12 h, else 24 h
	terms []wave
	// At epoch: longitude of resonance and its rate beyond the mean motion, mean motion,
	// sidereal time, perigee and its rate.
	longitude, rate, n, sidereal, perigee, perigeeRate float64
}

// wave is one term: amplitude·sin(perigees·ω + longitudes·λ - phase).
type wave struct{ amplitude, perigees, longitudes, phase float64 }

// newResonance returns nil where the mean motion resonates with nothing.
func newResonance(el elements, k inclination, rates, bodies elements, epoch time.Time) *resonance {
	r := &resonance{n: el.n, sidereal: GMST(epoch), perigee: el.perigee, perigeeRate: rates.perigee}
	radius := math.Pow(el.n/xke, 2.0/3) // one over the semi-major axis
	switch {
	case el.n > 0.0034906585 && el.n < 0.0052359877:
		r.terms = synchronous(el, k, radius)
		r.longitude = math.Mod(el.anomaly+el.node+el.perigee-r.sidereal, 2*math.Pi)
		r.rate = rates.anomaly + rates.perigee + rates.node - earthRate +
			bodies.anomaly + bodies.perigee + bodies.node - el.n
	case el.n >= 8.26e-3 && el.n <= 9.24e-3 && el.e >= 0.5:
		r.half = true
		r.terms = molniya(el, k, radius)
		r.longitude = math.Mod(el.anomaly+2*el.node-2*r.sidereal, 2*math.Pi)
		r.rate = rates.anomaly + bodies.anomaly + 2*(rates.node+bodies.node-earthRate) - el.n
	default:
		return nil
	}
	return r
}

// pull returns the rates of the mean motion and of that rate, for a longitude, a
// longitude's rate and the time that the perigee depends on.
func (r *resonance) pull(longitude, rate, t float64) (n, n2 float64) {
	perigee := r.perigee + r.perigeeRate*t
	for _, w := range r.terms {
		sin, cos := math.Sincos(w.perigees*perigee + w.longitudes*longitude - w.phase)
		n += w.amplitude * sin
		n2 += w.amplitude * w.longitudes * cos
	}
	return n, n2 * rate
}

// move replaces mean motion and anomaly of m by those of the integration at t.
func (r *resonance) move(t float64, m *elements) {
	at, longitude, n := 0.0, r.longitude, r.n
	delta := math.Copysign(step, t)
	for {
		rate := n + r.rate
		nDot, nDot2 := r.pull(longitude, rate, at)
		last := math.Abs(t-at) < step
		if last {
			delta = t - at
		}
		longitude += rate*delta + nDot*delta*delta/2
		n += nDot*delta + nDot2*delta*delta/2
		at += delta
		if last {
			break
		}
	}
	m.n = n
	sidereal := r.sidereal + t*earthRate // not below a turn: who counts turns must not see it jump
	if r.half {
		m.anomaly = longitude - 2*m.node + 2*sidereal
	} else {
		m.anomaly = longitude - m.node - m.perigee + sidereal
	}
}

// synchronous returns the terms of orbits of one day. Factors are named as in the theory:
// f are functions of the inclination, g of the eccentricity, q of the field.
func synchronous(el elements, k inclination, radius float64) []wave {
	const q22, q31, q33 = 1.7891679e-6, 2.1460748e-6, 2.2123015e-7
	e2 := el.e * el.e
	g200 := 1 + e2*(-2.5+0.8125*e2)
	g310 := 1 + 2*e2
	g300 := 1 + e2*(-6+6.60937*e2)
	up := 1 + k.cos
	f220 := 0.75 * up * up
	f311 := 0.9375*k.sin2*(1+3*k.cos) - 0.75*up
	f330 := 1.875 * up * up * up
	scale := 3 * el.n * el.n * radius * radius
	return []wave{
		{scale * f311 * g310 * q31 * radius, 0, 1, 0.13130908},
		{2 * scale * f220 * g200 * q22, 0, 2, 2 * 2.8843198},
		{3 * scale * f330 * g300 * q33 * radius, 0, 3, 3 * 0.37448087},
	}
}

// molniya returns the terms of eccentric orbits of half a day.
func molniya(el elements, k inclination, radius float64) []wave {
	const (
		root22, root32, root44, root52, root54 = 1.7891679e-6, 3.7393792e-7, 7.3636953e-9, 1.1428639e-7, 2.1765803e-9
		g22, g32, g44, g52, g54                = 5.7686396, 0.95240898, 1.8014998, 1.0508330, 4.4108898
	)
	g := newEccentricity(el.e)
	s, c, c2, s2 := k.sin, k.cos, k.cos2, k.sin2
	f220 := 0.75 * (1 + 2*c + c2)
	f221 := 1.5 * s2
	f321 := 1.875 * s * (1 - 2*c - 3*c2)
	f322 := -1.875 * s * (1 + 2*c - 3*c2)
	f441 := 35 * s2 * f220
	f442 := 39.3750 * s2 * s2
	f522 := 9.84375 * s * (s2*(1-2*c-5*c2) + 0.33333333*(-2+4*c+6*c2))
	f523 := s * (4.92187512*s2*(-2-4*c+10*c2) + 6.56250012*(1+2*c-3*c2))
	f542 := 29.53125 * s * (2 - 8*c + c2*(-12+8*c+10*c2))
	f543 := 29.53125 * s * (-2 - 8*c + c2*(12+8*c-10*c2))

	degree2 := 3 * el.n * el.n * radius * radius
	degree3 := degree2 * radius
	degree4 := degree3 * radius
	degree5 := degree4 * radius
	return []wave{
		{degree2 * root22 * f220 * g.g201, 2, 1, g22},
		{degree2 * root22 * f221 * g.g211, 0, 1, g22},
		{degree3 * root32 * f321 * g.g310, 1, 1, g32},
		{degree3 * root32 * f322 * g.g322, -1, 1, g32},
		{2 * degree4 * root44 * f441 * g.g410, 2, 2, g44},
		{2 * degree4 * root44 * f442 * g.g422, 0, 2, g44},
		{degree5 * root52 * f522 * g.g520, 1, 1, g52},
		{degree5 * root52 * f523 * g.g532, -1, 1, g52},
		{2 * degree5 * root54 * f542 * g.g521, 1, 2, g54},
		{2 * degree5 * root54 * f543 * g.g533, -1, 2, g54},
	}
}

// eccentricity holds the polynomials of the eccentricity that the theory has for orbits
// of half a day.
type eccentricity struct {
	g201, g211, g310, g322, g410, g422, g520, g521, g532, g533 float64
}

func newEccentricity(e float64) eccentricity {
	cubic := func(c0, c1, c2, c3 float64) float64 { return c0 + e*(c1+e*(c2+e*c3)) }
	g := eccentricity{g201: -0.306 - (e-0.64)*0.440}
	if e <= 0.65 {
		g.g211 = cubic(3.616, -13.2470, 16.2900, 0)
		g.g310 = cubic(-19.302, 117.3900, -228.4190, 156.5910)
		g.g322 = cubic(-18.9068, 109.7927, -214.6334, 146.5816)
		g.g410 = cubic(-41.122, 242.6940, -471.0940, 313.9530)
		g.g422 = cubic(-146.407, 841.8800, -1629.014, 1083.4350)
		g.g520 = cubic(-532.114, 3017.977, -5740.032, 3708.2760)
	} else {
		g.g211 = cubic(-72.099, 331.819, -508.738, 266.724)
		g.g310 = cubic(-346.844, 1582.851, -2415.925, 1246.113)
		g.g322 = cubic(-342.585, 1554.908, -2366.899, 1215.972)
		g.g410 = cubic(-1052.797, 4758.686, -7193.992, 3651.957)
		g.g422 = cubic(-3581.690, 16178.110, -24462.770, 12422.520)
		g.g520 = cubic(1464.74, -4664.75, 3763.64, 0)
		if e > 0.715 {
			g.g520 = cubic(-5149.66, 29936.92, -54087.36, 31324.56)
		}
	}
	if e < 0.7 {
		g.g533 = cubic(-919.22770, 4988.6100, -9064.7700, 5542.21)
		g.g521 = cubic(-822.71072, 4568.6173, -8491.4146, 5337.524)
		g.g532 = cubic(-853.66600, 4690.2500, -8624.7700, 5341.4)
	} else {
		g.g533 = cubic(-37995.780, 161616.52, -229838.20, 109377.94)
		g.g521 = cubic(-51752.104, 218913.95, -309468.16, 146349.42)
		g.g532 = cubic(-40023.880, 170470.89, -242699.48, 115605.82)
	}
	return g
}
