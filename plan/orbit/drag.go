package orbit

import "math"

// drag holds the coefficients of a power-law atmosphere, named as in Spacetrack Report
// No. 3 where that names them.
type drag struct {
	simple                 bool // low perigee or deep space: linear and quadratic terms only
	c1, c4, c5             float64
	d2, d3, d4             float64
	t2, t3, t4, t5         float64 // of the mean longitude
	perigee, anomaly, node float64
	eta                    float64
	cube                   float64 // (1 + eta cos M)³ at epoch
	sinAnomaly             float64 // sin M at epoch
}

// effect is what drag has done until t.
type effect struct{ axis, eccentricity, longitude float64 }

// newDrag computes the coefficients. nodeRate is the node's rate by J2 alone.
func newDrag(el elements, k inclination, axis, bstar, nodeRate float64) drag {
	s, q4 := atmosphere(axis * (1 - el.e))
	xi := 1 / (axis - s)
	eta := axis * el.e * xi
	eta2, eEta := eta*eta, el.e*eta
	psi2 := math.Abs(1 - eta2)
	coef := q4 * xi * xi * xi * xi
	coef1 := coef / math.Pow(psi2, 3.5)
	b2 := 1 - el.e*el.e

	c2 := coef1 * el.n * (axis*(1+1.5*eta2+eEta*(4+eta2)) +
		0.375*j2*xi/psi2*k.con41*(8+3*eta2*(8+eta2)))
	c1 := bstar * c2
	c4 := 2 * el.n * coef1 * axis * b2 * (eta*(2+0.5*eta2) + el.e*(0.5+2*eta2) -
		j2*xi/(axis*psi2)*(-3*k.con41*(1-2*eEta+eta2*(1.5-0.5*eEta))+
			0.75*k.x1mth2*(2*eta2-eEta*(1+eta2))*math.Cos(2*el.perigee)))
	c5 := 2 * coef1 * axis * b2 * (1 + 2.75*(eta2+eEta) + eEta*eta2)

	d := drag{
		simple: axis*(1-el.e) < 220/earthRadius+1,
		c1:     c1, c4: bstar * c4, c5: bstar * c5, t2: 1.5 * c1,
		node: 3.5 * b2 * nodeRate * c1, eta: eta,
		sinAnomaly: math.Sin(el.anomaly),
		cube:       math.Pow(1+eta*math.Cos(el.anomaly), 3),
	}
	if el.e > 1e-4 { // both divide by the eccentricity
		c3 := -2 * coef * xi * j3j2 * el.n * k.sin / el.e
		d.perigee = bstar * c3 * math.Cos(el.perigee)
		d.anomaly = -2.0 / 3 * coef * bstar / eEta
	}
	d.higher(axis, s, xi)
	return d
}

// atmosphere returns the parameters s and (q0-s)⁴ in Earth radii; a low perigee, in radii
// from the centre, lowers s.
func atmosphere(perigee float64) (s, q4 float64) {
	height := (perigee - 1) * earthRadius
	s = lowerHeight
	switch {
	case height < 98:
		s = 20
	case height < 156:
		s = height - lowerHeight
	}
	return s/earthRadius + 1, math.Pow((upperHeight-s)/earthRadius, 4)
}

// higher computes the terms beyond the square of time.
func (d *drag) higher(axis, s, xi float64) {
	c := d.c1
	d.d2 = 4 * axis * xi * c * c
	third := d.d2 * xi * c / 3
	d.d3 = (17*axis + s) * third
	d.d4 = 0.5 * third * axis * xi * (221*axis + 31*s) * c
	d.t3 = d.d2 + 2*c*c
	d.t4 = 0.25 * (3*d.d3 + c*(12*d.d2+10*c*c))
	d.t5 = 0.2 * (3*d.d4 + 12*c*d.d3 + 6*d.d2*d.d2 + 15*c*c*(2*d.d2+c*c))
}

// at moves the angles of m, and returns what drag does to the rest.
func (d *drag) at(t float64, m *elements) effect {
	t2 := t * t
	e := effect{axis: 1 - d.c1*t, eccentricity: d.c4 * t, longitude: d.t2 * t2}
	m.node += d.node * t2
	if d.simple {
		return e
	}
	move := d.perigee*t + d.anomaly*(math.Pow(1+d.eta*math.Cos(m.anomaly), 3)-d.cube)
	m.anomaly += move
	m.perigee -= move
	e.axis -= t2 * (d.d2 + t*(d.d3+t*d.d4))
	e.eccentricity += d.c5 * (math.Sin(m.anomaly) - d.sinAnomaly)
	e.longitude += t2 * t * (d.t3 + t*(d.t4+t*d.t5))
	return e
}
