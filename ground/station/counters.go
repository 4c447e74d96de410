package station

import (
	"errors"
	"fmt"
	"sync"

	"github.com/perilune/perilune/internal/durable"
)

// reserve is how many numbers are written off at a time: one write to the disk for so
// many telecommand frames. A restart skips what was left of them.
const reserve = 64

// Counter counts by name in a record file. A number is reserved on the disk before it
// is given, so that none comes twice, whatever happens to the process.
type Counter struct {
	db *durable.DB

	mu    sync.Mutex
	next  map[string]uint64
	limit map[string]uint64
}

// NewCounter counts in db.
func NewCounter(db *durable.DB) *Counter {
	return &Counter{db: db, next: map[string]uint64{}, limit: map[string]uint64{}}
}

const counterBucket = "counters"

// NextOf is the next number of name; the first is 1.
func (c *Counter) NextOf(name string) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.load(name); err != nil {
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

// Next is the next anti-replay number of a security association.
func (c *Counter) Next(spi uint16) (uint64, error) { return c.NextOf(spiName(spi)) }

// AtLeast makes sure that the next number of a security association is n or more.
func (c *Counter) AtLeast(spi uint16, n uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := spiName(spi)
	if err := c.load(name); err != nil {
		return err
	}
	if n <= c.next[name] {
		return nil
	}
	c.next[name] = n
	if n > c.limit[name] {
		return c.save(name, n)
	}
	return nil
}

func spiName(spi uint16) string { return fmt.Sprintf("sdls-%d", spi) }

func (c *Counter) load(name string) error {
	if _, ok := c.next[name]; ok {
		return nil
	}
	limit := uint64(1)
	if err := c.db.Get(counterBucket, name, &limit); err != nil && !errors.Is(err, durable.ErrNotFound) {
		return err
	}
	c.next[name], c.limit[name] = limit, limit
	return nil
}

func (c *Counter) save(name string, limit uint64) error {
	if err := c.db.Put(counterBucket, name, limit); err != nil {
		return err
	}
	c.limit[name] = limit
	return nil
}
