// Package archive keeps what a ground station saw: every event as one line of JSON in
// files that are only appended to, and the latest ones in memory. Readers follow it
// from any sequence number on, at their own pace; nothing is dropped for a slow one.
package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/perilune/perilune/internal/client"
)

// Ring is how many events stay in memory.
const Ring = 8192

// Archive is an open archive. It is safe for concurrent use.
type Archive struct {
	now func() time.Time
	log *slog.Logger
	dir string

	mu      sync.Mutex
	ring    []client.Event // the event with sequence number n lies at n % Ring
	last    uint64         // sequence number of the latest event; the first is 1
	first   uint64         // the oldest in ring
	changed chan struct{}  // closed at the next event
	file    *os.File       // of the current segment; nil before the first event, and when one failed
	size    int64          // octets of whole lines in it
	goOn    string         // path of the last process' segment, which is gone on with; empty: none
	closed  bool
}

// Open opens or creates the archive in dir. Sequence numbers go on where the last
// process ended.
func Open(dir string, now func() time.Time, log *slog.Logger) (*Archive, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	last, goOn, err := recoverLast(dir)
	if err != nil {
		return nil, fmt.Errorf("archive %s: %w", dir, err)
	}
	return &Archive{
		now: now, log: log, dir: dir,
		ring: make([]client.Event, Ring), last: last, first: last + 1, goOn: goOn,
		changed: make(chan struct{}),
	}, nil
}

// Add gives e its sequence number and, unless it has one, its time, and records it.
func (a *Archive) Add(e client.Event) client.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return e
	}
	a.last++
	e.Seq = a.last
	if e.Time.IsZero() {
		e.Time = a.now().UTC()
	}
	a.ring[e.Seq%Ring] = e
	if a.last-a.first >= Ring {
		a.first = a.last - Ring + 1
	}
	a.write(e)
	close(a.changed)
	a.changed = make(chan struct{})
	return e
}

// Last is the sequence number of the latest event.
func (a *Archive) Last() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// Follow calls fn for every event after since, those on disk first, and then for each
// new one, until ctx ends, fn fails or the archive is closed.
func (a *Archive) Follow(ctx context.Context, since uint64, fn func(client.Event) error) error {
	var batch []client.Event
	for {
		first, changed, closed := a.take(since, &batch)
		if since+1 < first {
			if err := a.replay(since, first, fn); err != nil {
				return err
			}
			since = first - 1
			continue
		}
		for _, e := range batch {
			if err := fn(e); err != nil {
				return err
			}
			since = e.Seq
		}
		if len(batch) > 0 {
			continue
		}
		if closed {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// maxBatch bounds what one reader copies under the lock.
const maxBatch = 256

// take copies events after since into batch, if memory still has them.
func (a *Archive) take(since uint64, batch *[]client.Event) (first uint64, changed chan struct{}, closed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*batch = (*batch)[:0]
	if since+1 >= a.first {
		for n := since + 1; n <= a.last && len(*batch) < maxBatch; n++ {
			*batch = append(*batch, a.ring[n%Ring])
		}
	}
	return a.first, a.changed, a.closed
}

// Close ends all followers and the file.
func (a *Archive) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	close(a.changed)
	a.changed = make(chan struct{})
	if a.file == nil {
		return nil
	}
	return errors.Join(a.file.Sync(), a.file.Close())
}

// write appends e to the current file; a full disk costs the record, not the station.
func (a *Archive) write(e client.Event) {
	line, err := json.Marshal(e)
	if err == nil {
		err = a.room(e.Seq, len(line)+1)
	}
	if err == nil {
		if _, err = a.file.Write(append(line, '\n')); err == nil {
			a.size += int64(len(line)) + 1
			return
		}
		err = errors.Join(err, a.takeBack())
	}
	a.log.Error("archive lost an event", "seq", e.Seq, "err", err)
}

// takeBack cuts off what a write that failed has left: the next event would be part of its line.
func (a *Archive) takeBack() error {
	err := a.file.Truncate(a.size)
	if err != nil { // then on with another segment
		err = errors.Join(err, a.file.Close())
		a.file = nil
	}
	return err
}
