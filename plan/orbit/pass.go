package orbit

import (
	"errors"
	"fmt"
	"time"
)

// Pass is the time for which a station sees a craft above its minimum elevation.
type Pass struct {
	Station       string
	AOS, TCA, LOS time.Time // rise, highest elevation, set
	MaxElevation  float64   // degrees, at TCA
	AOSAzimuth    float64   // degrees
	TCAAzimuth    float64
	LOSAzimuth    float64
	Begun, Open   bool // under way at the start, or still at the end, of what was asked for
}

// Duration is from AOS to LOS.
func (p Pass) Duration() time.Duration { return p.LOS.Sub(p.AOS) }

const (
	scan    = 30 * time.Second
	exact   = 10 * time.Millisecond // of AOS, TCA and LOS
	maxSpan = 366 * 24 * time.Hour
)

// ErrWindow says that a time span is empty or too long to search.
var ErrWindow = errors.New("want a span of more than zero and at most 366 days")

// Passes returns the passes of t over st between from and to in order of time. A pass that
// is under way at either end is cut there. After an error, such as ErrDecayed, the passes
// before it are returned with it.
func Passes(t TLE, st Station, from, to time.Time) ([]Pass, error) {
	p, err := NewPropagator(t)
	if err != nil {
		return nil, err
	}
	return p.Passes(st, from, to)
}

// Passes is the function of this name for elements already prepared.
func (p *Propagator) Passes(st Station, from, to time.Time) ([]Pass, error) {
	if err := st.Validate(); err != nil {
		return nil, err
	}
	if span := to.Sub(from); span <= 0 || span > maxSpan {
		return nil, fmt.Errorf("passes over %s from %s to %s: %w", st.Name, from.Format(time.RFC3339), to.Format(time.RFC3339), ErrWindow)
	}
	s := &search{p: p, st: st, from: from}
	return s.run(to)
}

// search looks for passes. Once err is set, heights are meaningless and nothing that
// follows counts.
type search struct {
	p    *Propagator
	st   Station
	from time.Time
	err  error
	list []Pass
	open *Pass
}

// height is degrees above the minimum elevation.
func (s *search) height(t time.Time) float64 {
	if s.err != nil {
		return 0
	}
	v, err := s.p.Sight(s.st, t)
	if err != nil {
		s.err = fmt.Errorf("passes over %s: %w", s.st.Name, err)
	}
	return v.ElevationDeg - s.st.MinElevationDeg
}

func (s *search) azimuth(t time.Time) float64 {
	v, err := s.p.Sight(s.st, t)
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("passes over %s: %w", s.st.Name, err)
	}
	return v.AzimuthDeg
}

// run scans, and looks between the samples where the craft rises or sets, and where it is
// highest: a pass shorter than the scan's step shows only there.
func (s *search) run(to time.Time) ([]Pass, error) {
	before, at := s.from, s.from
	h := s.height(at)
	beforeH := h
	if h >= 0 {
		s.rise(at)
		s.setBegun()
	}
	for at.Before(to) && s.err == nil {
		next := at.Add(scan)
		if next.After(to) {
			next = to
		}
		nextH := s.height(next)
		if h < 0 && nextH < 0 && h >= beforeH && h >= nextH && s.err == nil {
			s.graze(before, next)
		}
		if s.err == nil {
			s.cross(at, next, h, nextH)
		}
		before, beforeH, at, h = at, h, next, nextH
	}
	if s.open != nil && s.err == nil {
		s.set(to)
		if s.err == nil {
			s.list[len(s.list)-1].Open = true
		}
	}
	return s.list, s.err
}

func (s *search) setBegun() {
	if s.open != nil {
		s.open.Begun = true
	}
}

// cross begins or ends a pass where the sign changes from a to b.
func (s *search) cross(a, b time.Time, ha, hb float64) {
	switch {
	case ha < 0 && hb >= 0:
		s.rise(s.root(a, b, true))
	case ha >= 0 && hb < 0 && s.open != nil:
		s.set(s.root(a, b, false))
	}
}

// graze looks for a short pass between two samples below the horizon around a maximum.
func (s *search) graze(a, b time.Time) {
	top := s.highest(a, b)
	if s.height(top) < 0 || s.err != nil {
		return
	}
	s.rise(s.root(a, top, true))
	s.set(s.root(top, b, false))
}

// root halves the interval until the crossing is known to a millisecond, inside the pass.
func (s *search) root(a, b time.Time, rising bool) time.Time {
	for b.Sub(a) > exact/10 && s.err == nil {
		middle := a.Add(b.Sub(a) / 2)
		if (s.height(middle) >= 0) == rising {
			b = middle
		} else {
			a = middle
		}
	}
	if rising {
		return b
	}
	return a
}

// highest narrows the interval around a single maximum, by thirds.
func (s *search) highest(a, b time.Time) time.Time {
	for b.Sub(a) > exact && s.err == nil {
		third := b.Sub(a) / 3
		l, r := a.Add(third), b.Add(-third)
		if s.height(l) < s.height(r) {
			a = l
		} else {
			b = r
		}
	}
	return a.Add(b.Sub(a) / 2)
}

func (s *search) rise(t time.Time) {
	if s.err == nil {
		s.open = &Pass{Station: s.st.Name, AOS: t, AOSAzimuth: s.azimuth(t)}
	}
}

// set ends the open pass at t and finds its highest point.
func (s *search) set(t time.Time) {
	if s.err != nil {
		return
	}
	p := *s.open
	p.LOS, p.LOSAzimuth = t, s.azimuth(t)
	p.TCA = s.culmination(p.AOS, p.LOS)
	v, err := s.p.Sight(s.st, p.TCA)
	if err != nil || s.err != nil {
		s.err = errors.Join(s.err, err)
		return
	}
	p.MaxElevation, p.TCAAzimuth = v.ElevationDeg, v.AzimuthDeg
	s.open = nil
	s.list = append(s.list, p)
}

// culmination samples the pass again, since one in a high orbit may have several maxima,
// and narrows the best.
func (s *search) culmination(aos, los time.Time) time.Time {
	best, height := aos, s.height(aos)
	consider := func(t time.Time) {
		if h := s.height(t); h > height {
			best, height = t, h
		}
	}
	for t := aos; t.Before(los) && s.err == nil; t = t.Add(scan) {
		consider(t)
	}
	consider(los)
	a, b := best.Add(-scan), best.Add(scan)
	if a.Before(aos) {
		a = aos
	}
	if b.After(los) {
		b = los
	}
	consider(s.highest(a, b))
	return best
}
