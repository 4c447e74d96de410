package orbit

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Turns counts how far a craft has come on its orbit, in 2^-32 of a turn: the whole turns
// are orbits, each beginning at the ascending node, the rest is the argument of latitude,
// the angle in the plane of the orbit from that node. Node and plane are those of position
// and velocity at the instant (TEME), so that the count rises through a whole turn just
// when the craft crosses the equator northwards.
type Turns int64

// Turn is one orbit.
const Turn Turns = 1 << 32

// ErrNode says that an orbit has no node to count from.
var ErrNode = errors.New("the orbit lies in the plane of the equator: it has no ascending node")

// Below this inclination Sun and Moon move the node by so much that nothing can be
// counted from it; they tilt the orbit by less than a tenth of a degree.
const leastInclinationDeg = 0.5

// nodeSlack in radians is how far short of the node an epoch still counts as at it: element
// sets are often made for that instant, and their Revolution is then the one that begins.
const nodeSlack = 2e-4

// Orbit is the number of the orbit, Degrees the angle from its node, 0 to 360.
func (n Turns) Orbit() int64     { return int64(n >> 32) }
func (n Turns) Degrees() float64 { return float64(n&(Turn-1)) * (360 / float64(Turn)) }

func (n Turns) String() string { return fmt.Sprintf("orbit %d, %.4f°", n.Orbit(), n.Degrees()) }

// Turns returns the count at t. The orbit with the number Revolution of the element set is
// the one in which its epoch lies.
func (p *Propagator) Turns(t time.Time) (Turns, error) {
	base, err := p.base()
	if err != nil {
		return 0, err
	}
	u, err := p.latitude(p.minutes(t))
	if err != nil {
		return 0, fmt.Errorf("orbit at %s: %w", t.UTC().Format(time.RFC3339), err)
	}
	return Turns(math.Round((u/(2*math.Pi) - base) * float64(Turn))), nil
}

// When returns the instant at which the count is n, to a microsecond.
func (p *Propagator) When(n Turns) (time.Time, error) {
	base, err := p.base()
	if err != nil {
		return time.Time{}, err
	}
	want := (float64(n)/float64(Turn) + base) * 2 * math.Pi
	at, err := p.meanly(want)
	if err != nil {
		return time.Time{}, fmt.Errorf("when %v: %w", n, err)
	}
	// The true angle is never half a turn from the mean one.
	period := 2 * math.Pi / p.el.n
	low, high := at-period, at+period
	for high-low > 1e-8 { // 0.6 µs
		middle := (low + high) / 2
		if middle == low || middle == high {
			break
		}
		u, err := p.latitude(middle)
		if err != nil {
			return time.Time{}, fmt.Errorf("when %v: %w", n, err)
		}
		if u < want {
			low = middle
		} else {
			high = middle
		}
	}
	return p.tle.Epoch.Add(time.Duration(high * float64(time.Minute))), nil
}

func (p *Propagator) minutes(t time.Time) float64 {
	return float64(t.Sub(p.tle.Epoch)) / float64(time.Minute)
}

// base is the whole turns that latitude has at the node of orbit 0 of the element set.
func (p *Propagator) base() (float64, error) {
	if i := p.tle.InclinationDeg; i < leastInclinationDeg || i > 180-leastInclinationDeg {
		return 0, fmt.Errorf("inclination %g°: %w", i, ErrNode)
	}
	u, err := p.latitude(0)
	if err != nil {
		return 0, err
	}
	return math.Floor((u+nodeSlack)/(2*math.Pi)) - float64(p.tle.Revolution), nil
}

// latitude is the argument of latitude in radians t minutes from epoch, not brought below
// a turn: the angle is that of the state, the turns those of the mean angle next to it.
func (p *Propagator) latitude(t float64) (float64, error) {
	m, _, err := p.mean(t)
	if err != nil {
		return 0, err
	}
	s, err := p.propagate(t)
	if err != nil {
		return 0, err
	}
	u := s.latitude()
	return u + 2*math.Pi*math.Round((m.anomaly+m.perigee-u)/(2*math.Pi)), nil
}

// latitude is the angle from the ascending node to the craft, -π to π.
func (s State) latitude() float64 {
	r, v := s.Position, s.Velocity
	h := Vector{r[1]*v[2] - r[2]*v[1], r[2]*v[0] - r[0]*v[2], r[0]*v[1] - r[1]*v[0]}
	// The node's direction is (-h1, h0, 0); across is a quarter of a turn from it.
	along := -h[1]*r[0] + h[0]*r[1]
	across := -h[2]*h[0]*r[0] - h[2]*h[1]*r[1] + (h[0]*h[0]+h[1]*h[1])*r[2]
	return math.Atan2(across/math.Sqrt(h[0]*h[0]+h[1]*h[1]+h[2]*h[2]), along)
}

// meanly returns when, in minutes from epoch, the mean argument of latitude is want.
func (p *Propagator) meanly(want float64) (float64, error) {
	const few = 50
	angle := func(t float64) (float64, error) {
		m, _, err := p.mean(t)
		return m.anomaly + m.perigee, err
	}
	t := 0.0
	for range few {
		a, err := angle(t)
		if err != nil {
			return 0, err
		}
		b, err := angle(t + 1)
		if err != nil {
			return 0, err
		}
		step := (want - a) / (b - a)
		if !(b > a) || math.IsNaN(step) {
			return 0, fmt.Errorf("the angle does not grow: %w", ErrOutside)
		}
		if t += step; math.Abs(step) < 1e-3 {
			break
		}
	}
	return t, nil
}
