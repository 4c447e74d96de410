package cfdp

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	c := newClock(10 * time.Second)
	now := time.Unix(1000, 0)
	for i, s := range []struct {
		freeze func()
		step   time.Duration
		want   time.Duration // elapsed after it
	}{
		{nil, 0, 0},
		{nil, 3 * time.Second, 3 * time.Second},
		{nil, -time.Hour, 3 * time.Second},
		{nil, 4 * time.Second, 7 * time.Second},
		{nil, time.Hour, 17 * time.Second},
		{func() { c.freeze(true) }, 5 * time.Second, 17 * time.Second},
		{nil, 5 * time.Second, 17 * time.Second},
		{func() { c.freeze(false) }, 5 * time.Second, 17 * time.Second}, // began while frozen
		{nil, 5 * time.Second, 22 * time.Second},
		{func() { c.freeze(true); c.freeze(false) }, 5 * time.Second, 22 * time.Second},
		{func() { c.freeze(false) }, 5 * time.Second, 27 * time.Second},
	} {
		if s.freeze != nil {
			s.freeze()
		}
		now = now.Add(s.step)
		if c.advance(now); c.elapsed != s.want {
			t.Errorf("step %d: %v elapsed, want %v", i, c.elapsed, s.want)
		}
	}
}

func TestTimer(t *testing.T) {
	c := newClock(time.Minute)
	c.advance(time.Unix(0, 0))
	var a, b timer
	if a.expired(&c) || earliest(a, b).on {
		t.Error("a timer that was never started runs")
	}
	a.start(&c, 5*time.Second)
	b.start(&c, 3*time.Second)
	if e := earliest(a, timer{}, b); e != b {
		t.Errorf("earliest is %v, want %v", e, b)
	}
	c.advance(time.Unix(4, 0))
	if a.expired(&c) || !b.expired(&c) || b.expired(&c) {
		t.Error("only the second timer should have run out, once")
	}
}
