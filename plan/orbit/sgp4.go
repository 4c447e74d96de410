package orbit

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// WGS-72, the constants that element sets are fitted with. Lengths in the theory are in
// Earth radii, times in minutes.
const (
	earthMu     = 398600.8 // km³/s²
	earthRadius = 6378.135 // km
	j2          = 0.001082616
	j3          = -0.00000253881
	j4          = -0.00000165597
	j3j2        = j3 / j2
)

// Heights in km between which the atmosphere of SGP4 has its power law.
const (
	upperHeight = 120.0
	lowerHeight = 78.0
)

// deepPeriod is the period in minutes from which on Sun, Moon and resonances count.
const deepPeriod = 225

// Errors of a propagation. The message of what wraps them has the numbers.
var (
	ErrDecayed = errors.New("the craft is below the surface")
	ErrOutside = errors.New("the elements have left the range of the theory")
	ErrTooFar  = errors.New("too far from the epoch of the elements")
)

// xke is the square root of Earth's mu in radii^1.5 a minute.
var xke = 60 / math.Sqrt(earthRadius*earthRadius*earthRadius/earthMu)

// Vector is in km, or km/s.
type Vector [3]float64

// State is position in km and velocity in km/s, true equator, mean equinox of date (TEME).
type State struct{ Position, Velocity Vector }

// Propagator computes states from an element set. It is safe for use by several
// goroutines: nothing of it changes after NewPropagator.
type Propagator struct {
	tle TLE
	el  elements // at epoch, mean motion as of Brouwer

	deep  *deep // nil below deepPeriod
	drag  drag
	rates elements // secular rates a minute of node, perigee, anomaly

	incl inclination
}

// elements are mean elements in radians and rad/min.
type elements struct {
	n, e, i, node, perigee, anomaly float64
}

// inclination holds what depends on the inclination alone.
type inclination struct {
	sin, cos     float64
	sin2, cos2   float64 // squares
	con41        float64 // 3cos²i - 1
	x1mth2       float64 // 1 - cos²i
	x7thm1       float64 // 7cos²i - 1
	aycof, xlcof float64 // long-period terms of J3
}

func newInclination(i float64) inclination {
	s, c := math.Sincos(i)
	k := inclination{sin: s, cos: c, sin2: s * s, cos2: c * c}
	k.con41 = 3*k.cos2 - 1
	k.x1mth2 = 1 - k.cos2
	k.x7thm1 = 7*k.cos2 - 1
	k.aycof = -0.5 * j3j2 * s
	below := 1 + c
	if math.Abs(below) <= 1.5e-12 { // 180°: the term has a pole there
		below = 1.5e-12
	}
	k.xlcof = -0.25 * j3j2 * s * (3 + 5*c) / below
	return k
}

// NewPropagator prepares the propagation of t.
func NewPropagator(t TLE) (*Propagator, error) {
	p := &Propagator{tle: t, el: elements{
		n: t.MeanMotion * 2 * math.Pi / 1440, e: t.Eccentricity, i: radians(t.InclinationDeg),
		node: radians(t.NodeDeg), perigee: radians(t.PerigeeDeg), anomaly: radians(t.AnomalyDeg),
	}}
	if !(t.MeanMotion > 0) || !(t.Eccentricity >= 0 && t.Eccentricity < 1) {
		return nil, fmt.Errorf("mean motion %g rev/day, eccentricity %g: %w", t.MeanMotion, t.Eccentricity, ErrOutside)
	}
	p.incl = newInclination(p.el.i)
	p.el.n = brouwer(p.el, p.incl)
	axis := semiMajor(p.el.n)
	p.secular(axis)
	p.drag = newDrag(p.el, p.incl, axis, t.BStar, p.rates.node)
	// nodeDot of J2 alone drives the drag on the node; the rest is added after it.
	p.rates.node += p.higherNode(axis)
	if 2*math.Pi/p.el.n >= deepPeriod {
		p.drag.simple = true
		p.deep = newDeep(p.el, p.incl, p.rates, t.Epoch)
	}
	return p, nil
}

// TLE returns the elements that p propagates.
func (p *Propagator) TLE() TLE { return p.tle }

// semiMajor is Kepler's third law: radii from rad/min.
func semiMajor(n float64) float64 { return math.Pow(xke/n, 2.0/3) }

// brouwer turns the mean motion of Kozai, as element sets have it, into that of Brouwer.
func brouwer(el elements, k inclination) float64 {
	a := semiMajor(el.n)
	b2 := 1 - el.e*el.e
	d := 0.75 * j2 * k.con41 / (math.Sqrt(b2) * b2)
	delta := d / (a * a)
	a *= 1 - delta*delta - delta*(1.0/3+134*delta*delta/81)
	return el.n / (1 + d/(a*a))
}

// secular computes the rates that the flattened Earth causes, the node's by J2 only.
func (p *Propagator) secular(axis float64) {
	c2 := p.incl.cos2
	c4 := c2 * c2
	b2 := 1 - p.el.e*p.el.e
	inverse := 1 / (axis * b2 * axis * b2)
	first := 1.5 * j2 * inverse * p.el.n
	second := 0.5 * first * j2 * inverse
	fourth := -0.46875 * j4 * inverse * inverse * p.el.n
	b := math.Sqrt(b2)
	p.rates.anomaly = p.el.n + 0.5*first*b*p.incl.con41 + 0.0625*second*b*(13-78*c2+137*c4)
	p.rates.perigee = -0.5*first*(1-5*c2) + 0.0625*second*(7-114*c2+395*c4) + fourth*(3-36*c2+49*c4)
	p.rates.node = -first * p.incl.cos
}

// higherNode is the rest of the node's rate: J2² and J4.
func (p *Propagator) higherNode(axis float64) float64 {
	c2 := p.incl.cos2
	b2 := 1 - p.el.e*p.el.e
	inverse := 1 / (axis * b2 * axis * b2)
	second := 0.75 * j2 * inverse * p.el.n * j2 * inverse
	fourth := -0.46875 * j4 * inverse * inverse * p.el.n
	return (0.5*second*(4-19*c2) + 2*fourth*(3-7*c2)) * p.incl.cos
}

// At returns the state at t.
func (p *Propagator) At(t time.Time) (State, error) {
	d := t.Sub(p.tle.Epoch)
	if d > reach || d < -reach {
		return State{}, fmt.Errorf("propagate to %s: %w", t.UTC().Format(time.RFC3339), ErrTooFar)
	}
	return p.AtMinutes(float64(d) / float64(time.Minute))
}

// AtMinutes returns the state t minutes after the epoch of the elements.
func (p *Propagator) AtMinutes(t float64) (State, error) {
	s, err := p.propagate(t)
	if err != nil {
		return State{}, fmt.Errorf("propagate %.3f min from epoch: %w", t, err)
	}
	return s, nil
}

func (p *Propagator) propagate(t float64) (State, error) {
	m, a, err := p.mean(t)
	if err != nil {
		return State{}, err
	}
	m.settle()
	k := p.incl
	if p.deep != nil {
		p.deep.periodic(t, &m)
		if !(m.e >= 0 && m.e <= 1) {
			return State{}, fmt.Errorf("eccentricity %g after Sun and Moon: %w", m.e, ErrOutside)
		}
		k = newInclination(m.i)
	}
	return m.state(a, k)
}

// mean returns what grows with time alone: mean elements whose angles are not brought
// below a turn, and the semi-major axis in radii.
func (p *Propagator) mean(t float64) (m elements, a float64, err error) {
	if !(math.Abs(t) <= reach.Minutes()) {
		return m, 0, ErrTooFar
	}
	m = elements{
		n: p.el.n, e: p.el.e, i: p.el.i,
		node:    p.el.node + p.rates.node*t,
		perigee: p.el.perigee + p.rates.perigee*t,
		anomaly: p.el.anomaly + p.rates.anomaly*t,
	}
	effect := p.drag.at(t, &m)
	if p.deep != nil {
		p.deep.secular(t, &m)
	}
	if !(m.n > 0) {
		return m, 0, fmt.Errorf("mean motion %g rad/min: %w", m.n, ErrOutside)
	}
	a = semiMajor(m.n) * effect.axis * effect.axis
	m.n = xke / math.Pow(a, 1.5)
	m.e -= effect.eccentricity
	if !(m.e < 1 && m.e >= -0.001) {
		return m, 0, fmt.Errorf("mean eccentricity %g: %w", m.e, ErrOutside)
	}
	m.e = max(m.e, 1e-6)
	m.anomaly += p.el.n * effect.longitude
	return m, a, nil
}

// settle brings all angles below a turn.
func (m *elements) settle() {
	sum := m.anomaly + m.perigee + m.node
	m.node = math.Mod(m.node, 2*math.Pi)
	m.perigee = math.Mod(m.perigee, 2*math.Pi)
	m.anomaly = math.Mod(math.Mod(sum, 2*math.Pi)-m.perigee-m.node, 2*math.Pi)
}
