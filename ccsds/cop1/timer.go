package cop1

import "time"

// timer is T1 (CCSDS 232.1-B-2 §5.1.9) with a value that follows the measured
// round trip: smoothed mean plus four mean deviations, the estimator of RFC 6298.
// Only frames radiated once are measured, since an acknowledgement does not say
// which copy it is for.
type timer struct {
	min, max time.Duration
	first    time.Duration
	mean     time.Duration
	dev      time.Duration
	known    bool
	scale    int // back-off in quarters: 4 is none

	deadline time.Time     // zero when stopped
	left     time.Duration // while paused
}

const maxScale = 16 // four times the estimate

func newTimer(cfg Config) timer {
	t := timer{min: cfg.T1Min, max: cfg.T1Max, first: cfg.T1First, scale: 4}
	if t.first <= 0 {
		t.first = 10 * time.Second
	}
	if t.min <= 0 {
		t.min = 100 * time.Millisecond
	}
	if t.max <= 0 {
		t.max = 2 * time.Minute
	}
	return t
}

func (t *timer) value() time.Duration {
	v := t.first
	if t.known {
		v = t.mean + 4*t.dev
	}
	v = v * time.Duration(t.scale) / 4
	return min(max(v, t.min), t.max)
}

func (t *timer) start(now time.Time) { t.deadline, t.left = now.Add(t.value()), 0 }

func (t *timer) stop() { t.deadline, t.left = time.Time{}, 0 }

func (t *timer) expired(now time.Time) bool {
	return !t.deadline.IsZero() && !now.Before(t.deadline)
}

// pause keeps what is left; a running timer always has something left.
func (t *timer) pause(now time.Time) {
	if !t.deadline.IsZero() {
		t.left = max(t.deadline.Sub(now), 1)
		t.deadline = time.Time{}
	}
}

func (t *timer) resume(now time.Time) {
	if t.left > 0 {
		t.deadline, t.left = now.Add(t.left), 0
	}
}

func (t *timer) measure(rtt time.Duration) {
	if rtt < 0 {
		return // the caller's clock went back
	}
	if !t.known {
		t.mean, t.dev, t.known = rtt, rtt/2, true
		return
	}
	diff := rtt - t.mean
	t.mean += diff / 8
	if diff < 0 {
		diff = -diff
	}
	t.dev += (diff - t.dev) / 4
}

// backOff lengthens the timer after it ran out for nothing.
func (t *timer) backOff() { t.scale = min(t.scale*3/2, maxScale) }

// progress ends the back-off: something was acknowledged.
func (t *timer) progress() { t.scale = 4 }
