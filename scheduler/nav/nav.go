// Package nav is on-board navigation: on which orbit the craft is, how far on it, and when
// it comes to another place.
//
// It propagates an element set: that of craft.toml, until the ground sends another. Orbits
// have the numbers of the element set, until the ground numbers them anew (ECSS-E-ST-70-41C
// §6.22.6.4); another element set goes on with the numbers that there are. What the ground
// sent outlives restarts, and a new image.
package nav

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/plan/orbit"
)

// Records keeps what the ground sent.
type Records interface {
	Put(bucket, key string, v any) error
	Get(bucket, key string, v any) error
}

// Place of it among the records.
const (
	bucket = "nav"
	key    = "orbit"
)

var (
	// ErrNoElements says that nobody has told the craft its orbit.
	ErrNoElements = errors.New("the craft has no elements of its orbit")
	// ErrSkipped says that no orbit has or will have that number.
	ErrSkipped = errors.New("no orbit has that number: the ground has numbered them anew")
)

// state is what is kept.
type state struct {
	Lines [2]string // of the element set; empty: none
	numbers
}

// Nav is safe for concurrent use.
type Nav struct {
	records Records

	mu         sync.Mutex
	state      state
	propagator *orbit.Propagator // nil: no elements
	changed    chan struct{}
}

// New starts with the elements that the ground sent last, or else with those of first, two
// lines or none. What cannot be read is an error beside a Nav that knows no orbit.
func New(records Records, first []string) (*Nav, error) {
	n := &Nav{records: records, changed: make(chan struct{})}
	err := records.Get(bucket, key, &n.state)
	if errors.Is(err, durable.ErrNotFound) {
		err = nil
		if len(first) == 2 {
			n.state.Lines = [2]string{first[0], first[1]}
		}
	}
	if err == nil && n.state.Lines != [2]string{} {
		n.propagator, err = propagator(n.state.Lines)
	}
	if err != nil {
		n.state = state{}
		return n, fmt.Errorf("orbit: %w", err)
	}
	return n, nil
}

func propagator(lines [2]string) (*orbit.Propagator, error) {
	tle, err := orbit.ParseTLE(lines[0], lines[1])
	if err != nil {
		return nil, err
	}
	return orbit.NewPropagator(tle)
}

// At returns number and angle of the orbit at t.
func (n *Nav) At(t time.Time) (orbit.Turns, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.propagator == nil {
		return 0, ErrNoElements
	}
	at, err := n.propagator.Turns(t)
	return n.state.number(at), err
}

// Order maps a place to a number that rises along the orbit: after orbits have been numbered
// anew, the place itself does not. Places that nobody comes to are ErrSkipped.
func (n *Nav) Order(place orbit.Turns) (orbit.Turns, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state.count(place)
}

// When returns the instant at which the craft comes, or came, to a place.
func (n *Nav) When(place orbit.Turns) (time.Time, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	count, err := n.state.count(place)
	switch {
	case err != nil:
		return time.Time{}, err
	case n.propagator == nil:
		return time.Time{}, ErrNoElements
	}
	return n.propagator.When(count)
}

// Epoch is that of the elements; false without any.
func (n *Nav) Epoch() (time.Time, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.propagator == nil {
		return time.Time{}, false
	}
	return n.propagator.TLE().Epoch, true
}

// Changed is closed at the next change of elements or numbers.
func (n *Nav) Changed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

// Set takes other elements. They must say where the craft is at now, unless that is zero
// because nobody knows the time.
func (n *Nav) Set(lines [2]string, now time.Time) error {
	p, err := propagator(lines)
	if err != nil {
		return err
	}
	epoch := p.TLE().Epoch
	there, err := p.Turns(epoch)
	if err == nil && !now.IsZero() {
		_, err = p.Turns(now)
	}
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	next := state{Lines: lines}
	if n.propagator != nil {
		// Of elements that do not reach so far no number is left either.
		if here, err := n.propagator.Turns(epoch); err == nil {
			next.numbers = n.state.moved(there - here)
		}
	}
	return n.keep(next, p)
}

// Renumber gives the orbit after the one at now the number first.
func (n *Nav) Renumber(now time.Time, first int64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.propagator == nil {
		return ErrNoElements
	}
	at, err := n.propagator.Turns(now)
	if err != nil {
		return err
	}
	return n.keep(state{n.state.Lines, n.state.from(at.Orbit()+1, first)}, n.propagator)
}

// keep makes a change durable before it counts. The caller holds the lock.
func (n *Nav) keep(next state, p *orbit.Propagator) error {
	if err := n.records.Put(bucket, key, next); err != nil {
		return fmt.Errorf("orbit: %w", err)
	}
	n.state, n.propagator = next, p
	close(n.changed)
	n.changed = make(chan struct{})
	return nil
}
