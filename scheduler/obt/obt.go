// Package obt is on-board time: an instant, and how far it may be trusted.
//
// After a reset the time is free: it counts from the CCSDS epoch, and nothing that
// has a date happens by it. A telecommand sets it. A restart of the flight program
// alone keeps it, since the machine's own clock went on.
package obt

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/durable"
)

// Records keeps the setting over a restart of the program.
type Records interface {
	Put(bucket, key string, v any) error
	Get(bucket, key string, v any) error
}

// Place of the setting among the records.
const (
	bucket = "time"
	key    = "setting"
)

// setting says what the on-board time was at a moment of the machine's clock.
type setting struct {
	Boot    string // of the machine; a setting of another boot means nothing
	Machine int64  // ns of Unix time of the machine's clock
	Instant timecode.Instant
	Quality timecode.Quality
}

// Clock is on-board time. It is safe for concurrent use.
type Clock struct {
	base    clock.Clock
	records Records
	boot    string

	saving  sync.Mutex // held while a setting is made durable; before mu
	mu      sync.Mutex
	at      time.Time // of base, when the time was instant
	instant timecode.Instant
	quality timecode.Quality
	changed chan struct{}
}

// New starts on-board time on the machine's clock base. boot names this boot of the
// machine: a setting that was made during it is kept, and a time that does not go back
// on it. A setting that cannot be read is returned as an error beside a free clock.
func New(base clock.Clock, records Records, boot string) (*Clock, error) {
	c := &Clock{base: base, records: records, boot: boot, at: base.Now(), changed: make(chan struct{})}
	var s setting
	err := records.Get(bucket, key, &s)
	switch {
	case errors.Is(err, durable.ErrNotFound):
		return c, nil
	case err != nil:
		return c, fmt.Errorf("on-board time: %w", err)
	}
	gone := c.at.UnixNano() - s.Machine
	if s.Boot == boot && boot != "" && gone >= 0 && s.Quality <= timecode.Disciplined {
		c.instant, c.quality = s.Instant.Add(time.Duration(gone)), s.Quality
	}
	return c, nil
}

// Now is the on-board time and its quality.
func (c *Clock) Now() (timecode.Instant, timecode.Quality) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.instant.Add(c.base.Now().Sub(c.at)), c.quality
}

// UTC is the on-board time as people write it, and whether anything may rest on it.
func (c *Clock) UTC() (time.Time, bool) {
	i, q := c.Now()
	return i.Time(), q.Valid()
}

// Set makes the time i of quality q from now on. Until that is durable the time of before is told, and
// nobody who asks for it waits: each report does.
func (c *Clock) Set(i timecode.Instant, q timecode.Quality) error {
	c.saving.Lock()
	defer c.saving.Unlock()
	now := c.base.Now()
	s := setting{Boot: c.boot, Machine: now.UnixNano(), Instant: i, Quality: q}
	if err := c.records.Put(bucket, key, s); err != nil {
		return fmt.Errorf("set on-board time: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.instant, c.quality = now, i, q
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

// Changed is closed at the next Set.
func (c *Clock) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}
