package orbit

import (
	"fmt"
	"math"
)

// state adds the long- and short-period terms of J2 and J3 to mean elements with the
// semi-major axis a, in radii, and returns where that is.
func (m *elements) state(a float64, k inclination) (State, error) {
	sinP, cosP := math.Sincos(m.perigee)
	over := 1 / (a * (1 - m.e*m.e))
	axn := m.e * cosP
	ayn := m.e*sinP + over*k.aycof
	longitude := m.anomaly + m.perigee + m.node + over*k.xlcof*axn
	sinE, cosE := kepler(math.Mod(longitude-m.node, 2*math.Pi), axn, ayn)

	eCosE := axn*cosE + ayn*sinE
	eSinE := axn*sinE - ayn*cosE
	e2 := axn*axn + ayn*ayn
	parameter := a * (1 - e2)
	if !(parameter >= 0) {
		return State{}, fmt.Errorf("semi-latus rectum %g radii: %w", parameter, ErrOutside)
	}
	r := a * (1 - eCosE)
	beta := math.Sqrt(1 - e2)
	share := eSinE / (1 + beta)
	s := osculating{
		n: m.n, r: r, beta: beta,
		rate:       math.Sqrt(a) * eSinE / r,
		transverse: math.Sqrt(parameter) / r,
		sinU:       a / r * (sinE - ayn - axn*share),
		cosU:       a / r * (cosE - axn + ayn*share),
	}
	return s.turn(parameter, m.node, m.i, k)
}

// kepler solves for the eccentric longitude and returns its sine and cosine. Steps are
// bounded: with the eccentricities of transfer orbits Newton's leap too far.
func kepler(u, axn, ayn float64) (sin, cos float64) {
	e := u
	for range 10 {
		sin, cos = math.Sincos(e)
		step := (u - ayn*cos + axn*sin - e) / (1 - cos*axn - sin*ayn)
		e += min(max(step, -0.95), 0.95)
		if math.Abs(step) < 1e-12 {
			break
		}
	}
	return sin, cos
}

// osculating is the orbit's plane before the short-period terms: r in radii, rates in
// units of xke.
type osculating struct {
	n, r, beta, rate, transverse, sinU, cosU float64
}

// turn adds the short-period terms and turns the plane into space.
func (o *osculating) turn(parameter, node, i float64, k inclination) (State, error) {
	sin2, cos2 := 2*o.cosU*o.sinU, 1-2*o.sinU*o.sinU
	first := 0.5 * j2 / parameter
	second := first / parameter
	r := o.r*(1-1.5*second*o.beta*k.con41) + 0.5*first*k.x1mth2*cos2
	u := math.Atan2(o.sinU, o.cosU) - 0.25*second*k.x7thm1*sin2
	node += 1.5 * second * k.cos * sin2
	i += 1.5 * second * k.cos * k.sin * cos2
	rate := o.rate - o.n*first*k.x1mth2*sin2/xke
	transverse := o.transverse + o.n*first*(k.x1mth2*cos2+1.5*k.con41)/xke

	sinU, cosU := math.Sincos(u)
	sinN, cosN := math.Sincos(node)
	sinI, cosI := math.Sincos(i)
	radial := Vector{cosN*cosU - sinN*cosI*sinU, sinN*cosU + cosN*cosI*sinU, sinI * sinU}
	along := Vector{-cosN*sinU - sinN*cosI*cosU, -sinN*sinU + cosN*cosI*cosU, sinI * cosU}
	var s State
	for j := range 3 {
		s.Position[j] = r * earthRadius * radial[j]
		s.Velocity[j] = earthRadius * xke / 60 * (rate*radial[j] + transverse*along[j])
	}
	if math.IsNaN(s.Position[0]+s.Position[1]+s.Position[2]) || math.IsInf(r, 0) {
		return State{}, fmt.Errorf("no finite position: %w", ErrOutside)
	}
	if r < 1 {
		return State{}, fmt.Errorf("%.1f km under it: %w", (1-r)*earthRadius, ErrDecayed)
	}
	return s, nil
}
