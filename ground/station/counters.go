package station

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/durable"
)

// reserve is how many numbers are written off at a time: one write to the disk for so
// many telecommand frames. A restart skips what was left of them.
const reserve = 64

// Counter counts by name in a record file. A number is reserved on the disk before it
// is given, so that none comes twice, whatever happens to the process.
type Counter struct {
	db  *durable.DB
	now func() time.Time

	mu    sync.Mutex
	next  map[string]uint64
	limit map[string]uint64
}

// NewCounter counts in db. By now, which tells the time, the anti-replay numbers begin of which
// db knows none: a station that has lost its db must not use one a second time, and the craft
// would not take it.
func NewCounter(db *durable.DB, now func() time.Time) *Counter {
	return &Counter{db: db, now: now, next: map[string]uint64{}, limit: map[string]uint64{}}
}

const counterBucket = "counters"

// NextOf is the next number of name; the first is 1.
func (c *Counter) NextOf(name string) (uint64, error) {
	return c.count(name, func() uint64 { return 1 })
}

// Next is the next anti-replay number of a security association.
func (c *Counter) Next(spi uint16) (uint64, error) {
	return c.count(spiName(spi), func() uint64 { return sdls.FirstNumber(c.now()) })
}

func (c *Counter) count(name string, first func() uint64) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.load(name, first); err != nil {
		return 0, err
	}
	if c.next[name] >= c.limit[name] {
		if err := c.save(name, c.next[name]+reserve); err != nil {
			return 0, err
		}
	}
	n := c.next[name]
	c.next[name]++
	return n, nil
}

const floorBucket = "floors"

// Floor is the highest anti-replay number received under a security association of the
// downlink, as far as it was saved; 0 if none was.
func (c *Counter) Floor(spi uint16) (n uint64, err error) {
	err = c.db.Get(floorBucket, spiName(spi), &n)
	if errors.Is(err, durable.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

// Raise makes n the floor of spi, or leaves a higher one.
func (c *Counter) Raise(spi uint16, n uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if have, err := c.Floor(spi); err != nil || n <= have {
		return err
	}
	return c.db.Put(floorBucket, spiName(spi), n)
}

func spiName(spi uint16) string { return fmt.Sprintf("sdls-%d", spi) }

func (c *Counter) load(name string, first func() uint64) error {
	if _, ok := c.next[name]; ok {
		return nil
	}
	var limit uint64
	err := c.db.Get(counterBucket, name, &limit)
	if errors.Is(err, durable.ErrNotFound) {
		limit, err = first(), nil
	}
	if err == nil {
		c.next[name], c.limit[name] = limit, limit
	}
	return err
}

func (c *Counter) save(name string, limit uint64) error {
	if err := c.db.Put(counterBucket, name, limit); err != nil {
		return err
	}
	c.limit[name] = limit
	return nil
}
