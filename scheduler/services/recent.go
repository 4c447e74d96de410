package services

import (
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/durable"
)

const (
	bucketServices = "services"
	keyRecent      = "recent"
)

// Bounds of what is remembered. Counts of a sender may begin again when it restarts:
// a telecommand that is equal to one of long ago is a new one.
const (
	recentMany = 64
	recentLong = 2 * time.Minute
)

// recent remembers the last telecommands that act, over a restart of the program too.
type recent struct {
	records Records

	mu   sync.Mutex
	list []mark
}

// mark tells one telecommand from another. At counts in ns of Unix time.
type mark struct {
	Request uint32
	Source  uint16
	Sum     uint32
	At      int64
}

func loadRecent(r Records, now time.Time) (*recent, error) {
	q := &recent{records: r}
	err := r.Get(bucketServices, keyRecent, &q.list)
	if err != nil && !errors.Is(err, durable.ErrNotFound) {
		return &recent{records: r}, fmt.Errorf("recent telecommands: %w", err)
	}
	for i := range q.list {
		// How long the program, or the craft, was away is not known: count from now.
		q.list[i].At = now.UnixNano()
	}
	return q, nil
}

// seen says whether tc was taken before, and remembers it before it is acted on.
func (q *recent) seen(tc *pus.Telecommand, now time.Time) (bool, error) {
	m := mark{Request: uint32(tc.Request), Source: tc.Source, At: now.UnixNano()}
	m.Sum = crc32.ChecksumIEEE(append([]byte{tc.Service, tc.Subtype}, tc.Payload...))
	q.mu.Lock()
	defer q.mu.Unlock()
	var kept []mark
	for _, old := range q.list {
		if now.UnixNano()-old.At > int64(recentLong) {
			continue
		}
		if old.Request == m.Request && old.Source == m.Source && old.Sum == m.Sum {
			return true, nil
		}
		kept = append(kept, old)
	}
	if len(kept) >= recentMany {
		kept = kept[len(kept)-recentMany+1:]
	}
	kept = append(kept, m)
	if err := q.records.Put(bucketServices, keyRecent, kept); err != nil {
		return false, err
	}
	q.list = kept
	return false, nil
}
