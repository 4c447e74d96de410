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

// Bounds of what is remembered. Counts of a sender may begin again: a telecommand that
// is equal to one of long ago is a new one.
const (
	recentMany = 64
	recentLong = time.Hour
)

// recent remembers the last telecommands that act, over a restart of the program too.
// The ground sends again what it has no report of: the report may have been lost, and
// then the report is wanted again and not the deed.
type recent struct {
	records Records

	mu   sync.Mutex
	list []mark
	live map[identity]bool // accepted by this program and not over
}

// identity tells one telecommand from another.
type identity struct {
	Request pus.RequestID
	Source  uint16
	Sum     uint32
}

// mark is what is known of a telecommand. At counts in ns of Unix time; Last is its
// last report, of subtype 0 as long as there is none.
type mark struct {
	identity
	At   int64
	Last pus.Verification
}

func identify(tc *pus.Telecommand) identity {
	return identity{tc.Request, tc.Source, crc32.ChecksumIEEE(append([]byte{tc.Service, tc.Subtype}, tc.Payload...))}
}

// once are the telecommands of the standard services that do more when they come twice, or
// then fail. The others may be done again: one that only looks the same must not be passed over.
var once = map[pus.Kind]bool{
	kind(3, 1): true, kind(3, 3): true, kind(3, 29): true, kind(12, 5): true, kind(12, 6): true,
	kind(15, 9): true, kind(19, 1): true, kind(19, 2): true,
	kind(23, 1): true, kind(23, 2): true, kind(23, 9): true, kind(23, 10): true, kind(23, 11): true, kind(23, 14): true, kind(23, 15): true,
	kind(21, 1): true, kind(21, 2): true, kind(21, 3): true, kind(21, 4): true, kind(21, 5): true, kind(21, 8): true,
}

// asks are those of the schedule that change nothing: the report that they ask for may be what
// was lost.
var asks = map[pus.Kind]bool{kind(11, 9): true, kind(11, 12): true, kind(11, 11): true, kind(11, 14): true, kind(11, 16): true,
	kind(11, 17): true, kind(11, 18): true, kind(11, 26): true}

// acts says whether doing it twice would be wrong.
func acts(tc *pus.Telecommand) bool {
	k := kind(tc.Service, tc.Subtype)
	switch tc.Service {
	case pus.ServiceFunction, pus.ServiceSchedule, pus.ServiceTenant:
		return !asks[k]
	case pus.ServiceSecurity:
		return changesKeys(tc.Payload) != ""
	}
	return once[k]
}

func loadRecent(r Records, now time.Time) (*recent, error) {
	q := &recent{records: r, live: map[identity]bool{}}
	err := r.Get(bucketServices, keyRecent, &q.list)
	if err != nil && !errors.Is(err, durable.ErrNotFound) {
		q.list = nil
		return q, fmt.Errorf("recent telecommands: %w", err)
	}
	for i := range q.list {
		// How long the program, or the craft, was away is not known: count from now.
		q.list[i].At = now.UnixNano()
	}
	return q, nil
}

// seen finds tc among those taken before, or remembers it before it is acted on.
func (q *recent) seen(tc *pus.Telecommand, now time.Time) (before mark, live, known bool, err error) {
	id := identify(tc)
	q.mu.Lock()
	defer q.mu.Unlock()
	var kept []mark
	for _, m := range q.list {
		if m.identity == id && now.UnixNano()-m.At <= int64(recentLong) {
			return m, q.live[id], true, nil
		}
		if now.UnixNano()-m.At <= int64(recentLong) {
			kept = append(kept, m)
		}
	}
	if len(kept) >= recentMany {
		kept = kept[len(kept)-recentMany+1:]
	}
	kept = append(kept, mark{identity: id, At: now.UnixNano()})
	if err := q.records.Put(bucketServices, keyRecent, kept); err != nil {
		return mark{}, false, false, err
	}
	q.list = kept
	q.live[id] = true
	return mark{}, false, false, nil
}

// over remembers the last report about tc.
func (q *recent) over(tc *pus.Telecommand, v pus.Verification) error {
	if !acts(tc) {
		return nil
	}
	id := identify(tc)
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.live, id)
	for i := range q.list {
		if q.list[i].identity == id {
			q.list[i].Last = v
			return q.records.Put(bucketServices, keyRecent, q.list)
		}
	}
	return nil // it came from the schedule
}
