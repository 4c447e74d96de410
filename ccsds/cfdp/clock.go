package cfdp

import "time"

// clock counts contact time. It trusts neither the direction nor the size of
// steps of the time it is told, since on-board time may be set while it runs: a
// step counts for as much as the shortest timer, and is asked for that often.
type clock struct {
	last    time.Time
	elapsed time.Duration
	step    time.Duration // the largest step believed
	frozen  bool
	skip    bool // the next step is not counted: it began before a thaw or the first call
}

func newClock(step time.Duration) clock { return clock{step: step, skip: true} }

func (c *clock) advance(now time.Time) {
	if d := now.Sub(c.last); !c.frozen && !c.skip && d > 0 {
		c.elapsed += min(d, c.step)
	}
	c.skip = false
	c.last = now
}

func (c *clock) freeze(on bool) {
	c.skip = c.skip || c.frozen
	c.frozen = on
}

// timer is an instant of contact time; the zero timer is off.
type timer struct {
	at time.Duration
	on bool
}

func (t *timer) start(c *clock, d time.Duration) { *t = timer{c.elapsed + d, true} }
func (t *timer) stop()                           { t.on = false }

// expired says whether the timer has run out, and then stops it.
func (t *timer) expired(c *clock) bool {
	if !t.on || c.elapsed < t.at {
		return false
	}
	t.on = false
	return true
}

// earliest returns the one of the timers that runs out first.
func earliest(timers ...timer) timer {
	var first timer
	for _, t := range timers {
		if t.on && (!first.on || t.at < first.at) {
			first = t
		}
	}
	return first
}
