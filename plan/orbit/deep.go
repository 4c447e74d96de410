package orbit

import (
	"math"
	"time"
)

// deep holds what the Sun, the Moon and resonance with the Earth's field do to orbits of
// 225 minutes and more.
type deep struct {
	bodies    [2]body
	rates     elements // secular rates a minute by Sun and Moon; n is not used
	resonance *resonance
}

// geometry is the direction to a body's orbit in the craft's orbit: sines and cosines of
// the body's perigee (g), inclination (i) and of the node between the two (h), its
// strength, the mean motion and eccentricity of the body, and its mean anomaly at epoch.
type geometry struct {
	sinG, cosG, sinI, cosI, sinH, cosH float64
	strength, motion, eccentricity     float64
	anomaly                            float64
}

// body holds the coefficients of one body's periodic terms, by element: each is
// c[0]·f2 + c[1]·f3 + c[2]·sin f.
type body struct {
	motion, eccentricity, anomaly float64
	e, i, l, g, h                 [3]float64
}

// Secular terms of the node divide by the sine of the inclination; below 3° they are
// left out.
const lowInclination = 5.2359877e-2

// lyddane is the inclination in radians below which periodic terms go into the node's
// direction rather than into the node.
const lyddane = 0.2

func newDeep(el elements, k inclination, rates elements, epoch time.Time) *deep {
	day := sinceJ2000(epoch) + 36525 // since 1900 January 0.5
	d := &deep{}
	sun, moon := sunAt(day, el), moonAt(day, el)
	for n, g := range []geometry{sun, moon} {
		t := newTerms(g, el, k)
		d.bodies[n] = t.periodic(g, el.e)
		t.secular(&d.rates, g, el, k)
	}
	d.resonance = newResonance(el, k, rates, d.rates, epoch)
	return d
}

func sunAt(day float64, el elements) geometry {
	s := geometry{
		sinG: -0.98088458, cosG: 0.1945905, sinI: 0.39785416, cosI: 0.91744867,
		strength: 2.9864797e-6, motion: 1.19459e-5, eccentricity: 0.01675,
		anomaly: math.Mod(6.2565837+0.017201977*day, 2*math.Pi),
	}
	s.sinH, s.cosH = math.Sincos(el.node)
	return s
}

func moonAt(day float64, el elements) geometry {
	node := math.Mod(4.5236020-9.2422029e-4*day, 2*math.Pi)
	sinN, cosN := math.Sincos(node)
	m := geometry{strength: 4.7968065e-7, motion: 1.5835218e-4, eccentricity: 0.05490}
	m.cosI = 0.91375164 - 0.03568096*cosN
	m.sinI = math.Sqrt(1 - m.cosI*m.cosI)
	sinH := 0.089683511 * sinN / m.sinI
	cosH := math.Sqrt(1 - sinH*sinH)
	perigee := 5.8351514 + 0.0019443680*day
	arc := math.Atan2(0.39785416*sinN/m.sinI, cosH*cosN+0.91744867*sinH*sinN)
	m.sinG, m.cosG = math.Sincos(perigee + arc - node)
	sin, cos := math.Sincos(el.node)
	m.cosH = cosH*cos + sinH*sin
	m.sinH = sin*cosH - cos*sinH
	m.anomaly = math.Mod(4.7199672+0.22997150*day-perigee, 2*math.Pi)
	return m
}

// terms are the sums that the coefficients of one body are made of, numbered as in
// Spacetrack Report No. 3.
type terms struct {
	s1, s2, s3, s4, s5, s6, s7                  float64
	z1, z2, z3                                  float64
	z11, z12, z13, z21, z22, z23, z31, z32, z33 float64
}

func newTerms(g geometry, el elements, k inclination) terms {
	// Two axes of the body's orbit (a: towards its perigee, b: across) in the frame of
	// the craft's node, then turned to the craft's perigee.
	a1 := g.cosG*g.cosH + g.sinG*g.cosI*g.sinH
	a3 := -g.sinG*g.cosH + g.cosG*g.cosI*g.sinH
	a7 := -g.cosG*g.sinH + g.sinG*g.cosI*g.cosH
	a8 := g.sinG * g.sinI
	a9 := g.sinG*g.sinH + g.cosG*g.cosI*g.cosH
	a10 := g.cosG * g.sinI
	a2, a5 := k.cos*a7+k.sin*a8, -k.sin*a7+k.cos*a8
	a4, a6 := k.cos*a9+k.sin*a10, -k.sin*a9+k.cos*a10
	sinP, cosP := math.Sincos(el.perigee)
	x1, x3 := a1*cosP+a2*sinP, -a1*sinP+a2*cosP
	x2, x4 := a3*cosP+a4*sinP, -a3*sinP+a4*cosP
	x5, x6, x7, x8 := a5*sinP, a6*sinP, a5*cosP, a6*cosP

	e2 := el.e * el.e
	b2 := 1 - e2
	b := math.Sqrt(b2)
	var t terms
	t.z31 = 12*x1*x1 - 3*x3*x3
	t.z32 = 24*x1*x2 - 6*x3*x4
	t.z33 = 12*x2*x2 - 3*x4*x4
	t.z1 = 6*(a1*a1+a2*a2) + t.z31*(2*e2+b2)
	t.z2 = 12*(a1*a3+a2*a4) + t.z32*(2*e2+b2)
	t.z3 = 6*(a3*a3+a4*a4) + t.z33*(2*e2+b2)
	t.z11 = -6*a1*a5 + e2*(-24*x1*x7-6*x3*x5)
	t.z12 = -6*(a1*a6+a3*a5) + e2*(-24*(x2*x7+x1*x8)-6*(x3*x6+x4*x5))
	t.z13 = -6*a3*a6 + e2*(-24*x2*x8-6*x4*x6)
	t.z21 = 6*a2*a5 + e2*(24*x1*x5-6*x3*x7)
	t.z22 = 6*(a4*a5+a2*a6) + e2*(24*(x2*x5+x1*x6)-6*(x4*x7+x3*x8))
	t.z23 = 6*a4*a6 + e2*(24*x2*x6-6*x4*x8)
	t.s3 = g.strength / el.n
	t.s2 = -0.5 * t.s3 / b
	t.s4 = t.s3 * b
	t.s1 = -15 * el.e * t.s4
	t.s5 = x1*x3 + x2*x4
	t.s6 = x2*x3 + x1*x4
	t.s7 = x2*x4 - x1*x3
	return t
}

func (t *terms) periodic(g geometry, e float64) body {
	return body{
		motion: g.motion, eccentricity: g.eccentricity, anomaly: g.anomaly,
		e: [3]float64{2 * t.s1 * t.s6, 2 * t.s1 * t.s7},
		i: [3]float64{2 * t.s2 * t.z12, 2 * t.s2 * (t.z13 - t.z11)},
		l: [3]float64{-2 * t.s3 * t.z2, -2 * t.s3 * (t.z3 - t.z1), -2 * t.s3 * (-21 - 9*e*e) * g.eccentricity},
		g: [3]float64{2 * t.s4 * t.z32, 2 * t.s4 * (t.z33 - t.z31), -18 * t.s4 * g.eccentricity},
		h: [3]float64{-2 * t.s2 * t.z22, -2 * t.s2 * (t.z23 - t.z21)},
	}
}

// secular adds the body's share to the rates.
func (t *terms) secular(r *elements, g geometry, el elements, k inclination) {
	r.e += t.s1 * g.motion * t.s5
	r.i += t.s2 * g.motion * (t.z11 + t.z13)
	r.anomaly -= g.motion * t.s3 * (t.z1 + t.z3 - 14 - 6*el.e*el.e)
	r.perigee += t.s4 * g.motion * (t.z31 + t.z33 - 6)
	if el.i >= lowInclination && el.i <= math.Pi-lowInclination && k.sin != 0 {
		node := -g.motion * t.s2 * (t.z21 + t.z23) / k.sin
		r.node += node
		r.perigee -= k.cos * node
	}
}

// secular moves m by what grows with time.
func (d *deep) secular(t float64, m *elements) {
	m.e += d.rates.e * t
	m.i += d.rates.i * t
	m.perigee += d.rates.perigee * t
	m.node += d.rates.node * t
	m.anomaly += d.rates.anomaly * t
	if d.resonance != nil {
		d.resonance.move(t, m)
	}
}

// shift is the sum of periodic terms of one element.
func shift(c [3]float64, f2, f3, sin float64) float64 { return c[0]*f2 + c[1]*f3 + c[2]*sin }

// periodic adds the terms that come and go with Sun and Moon.
func (d *deep) periodic(t float64, m *elements) {
	var e, i, l, g, h float64
	for _, b := range d.bodies {
		mean := b.anomaly + b.motion*t
		sin, cos := math.Sincos(mean + 2*b.eccentricity*math.Sin(mean))
		f2, f3 := 0.5*sin*sin-0.25, -0.5*sin*cos
		e += shift(b.e, f2, f3, sin)
		i += shift(b.i, f2, f3, sin)
		l += shift(b.l, f2, f3, sin)
		g += shift(b.g, f2, f3, sin)
		h += shift(b.h, f2, f3, sin)
	}
	m.i += i
	m.e += e
	sinI, cosI := math.Sincos(m.i)
	if m.i >= lyddane {
		h /= sinI
		m.perigee += g - cosI*h
		m.node += h
		m.anomaly += l
	} else {
		m.lowPeriodic(sinI, cosI, i, l, g, h)
	}
	if m.i < 0 {
		m.i = -m.i
		m.node += math.Pi
		m.perigee -= math.Pi
	}
}

// lowPeriodic adds periodic terms to an orbit near the equator, where the node is badly
// defined (Lyddane's choice).
func (m *elements) lowPeriodic(sinI, cosI, i, l, g, h float64) {
	sinN, cosN := math.Sincos(m.node)
	x := sinI*cosN - h*sinN + i*cosI*cosN
	y := sinI*sinN + h*cosN + i*cosI*sinN
	before := math.Mod(m.node, 2*math.Pi)
	longitude := m.anomaly + m.perigee + cosI*before + l + g - i*before*sinI
	m.node = math.Atan2(y, x)
	if math.Abs(before-m.node) > math.Pi { // the same turn as before
		if m.node < before {
			m.node += 2 * math.Pi
		} else {
			m.node -= 2 * math.Pi
		}
	}
	m.anomaly += l
	m.perigee = longitude - m.anomaly - cosI*m.node
}
