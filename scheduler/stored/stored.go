// Package stored is the packet store of service 15: telemetry on disk, bounded, given back
// by time. When it is full the oldest segment goes.
//
//	segment   records one after the other, in a file named by its number
//	record    marker, length of the packet u16, instant i64, CRC-32 of all but the marker, packet
//
// A record survives the death of the program at once and loss of power once its segment is
// complete: telemetry is traffic, and a sync for each packet would wear the disk. A damaged
// record costs itself: behind it the next marker with a right CRC is looked for. A file that
// cannot be opened is set aside as bad-NUMBER until the next start.
package stored

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/perilune/perilune/ccsds/timecode"
)

const (
	maxPacket = 65535
	segments  = 16 // of a full store
)

// ErrFull says that too many retrievals wait.
var ErrFull = errors.New("too many retrievals wait")

// maxRetrievals bounds what waits to be given back.
const maxRetrievals = 16

// place is where reading goes on.
type place struct {
	number uint64
	at     int64
}

// retrieval is a range of time that is being given back.
type retrieval struct {
	from, to timecode.Instant
	next     place
	last     place // records from here on came after the request
}

// Store is safe for concurrent use.
type Store struct {
	dir string
	max int64

	mu       sync.Mutex
	segments []segment // by number; the last is written to
	last     uint64    // the highest number so far, of a file that was set aside too
	file     *os.File  // of the last segment
	damage   []string
	waiting  []retrieval
}

// Summary is what is in the store.
type Summary struct {
	Packets        int
	Octets         int64
	Oldest, Newest timecode.Instant
	Filled         float64 // 0 to 1
	Retrievals     int
}

func name(n uint64) string { return fmt.Sprintf("%016x", n) }

func (s *Store) path(n uint64) string { return filepath.Join(s.dir, name(n)) }

// begin opens a new segment and lets go of the oldest beyond the bound.
func (s *Store) begin() error {
	n := s.last + 1
	f, err := os.OpenFile(s.path(n), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("packet store: %w", err)
	}
	if s.file != nil {
		err = errors.Join(s.file.Sync(), s.file.Close())
	}
	s.file, s.last = f, n
	s.segments = append(s.segments, segment{number: n})
	for len(s.segments) > 1 && s.octets() > s.max-s.max/segments {
		err = errors.Join(err, s.drop(0))
	}
	return err
}

func (s *Store) octets() (n int64) {
	for _, g := range s.segments {
		n += g.size
	}
	return n
}

func (s *Store) drop(i int) error {
	n := s.segments[i].number
	s.segments = slices.Delete(s.segments, i, i+1)
	return os.Remove(s.path(n))
}

// Add keeps a packet.
func (s *Store) Add(at timecode.Instant, packet []byte) error {
	if len(packet) == 0 || len(packet) > maxPacket {
		return fmt.Errorf("packet store: a packet of %d octets", len(packet))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := &s.segments[len(s.segments)-1]
	if g.size > 0 && g.size+headerLength+int64(len(packet)) > s.max/segments {
		if err := s.begin(); err != nil {
			return err
		}
		g = &s.segments[len(s.segments)-1]
	}
	r := record{at, packet}
	if _, err := s.file.WriteAt(r.encode(), g.size); err != nil {
		return fmt.Errorf("packet store: %w", err)
	}
	g.add(r)
	return nil
}

// Retrieve has Next give back what was stored from one instant to another, as far as it is
// there now.
func (s *Store) Retrieve(from, to timecode.Instant) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= maxRetrievals {
		return ErrFull
	}
	g := s.segments[len(s.segments)-1]
	s.waiting = append(s.waiting, retrieval{from: from, to: to, last: place{g.number, g.size}})
	return nil
}

// Abort ends all retrievals.
func (s *Store) Abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = nil
}

// Next is the next packet of the retrievals; false if there is none, or something is being stored:
// that may wait long for the disk, and the transmitter, which asks before each frame, must not. A
// segment that cannot be read is passed over.
func (s *Store) Next() ([]byte, bool) {
	if !s.mu.TryLock() {
		return nil, false
	}
	defer s.mu.Unlock()
	for len(s.waiting) > 0 {
		r := &s.waiting[0]
		for i := range s.segments {
			if packet, ok := s.nextIn(r, &s.segments[i]); ok {
				return packet, true
			}
		}
		s.waiting = s.waiting[1:]
	}
	return nil, false
}

// nextIn is the next packet of r in segment g. The caller holds the lock.
func (s *Store) nextIn(r *retrieval, g *segment) ([]byte, bool) {
	if g.number < r.next.number || g.number > r.last.number || g.packets == 0 || g.newest < r.from || g.oldest > r.to {
		return nil, false
	}
	if g.number > r.next.number {
		r.next = place{number: g.number}
	}
	end := g.size
	if g.number == r.last.number {
		end = min(end, r.last.at)
	}
	f, err := os.Open(s.path(g.number))
	if err != nil {
		r.next = place{number: g.number + 1}
		return nil, false
	}
	defer f.Close()
	for r.next.at < end {
		at, found, err := next(f, r.next.at, end)
		if err != nil || at >= end {
			break
		}
		r.next.at = at + found.length()
		if found.at >= r.from && found.at <= r.to {
			return found.packet, true
		}
	}
	r.next = place{number: g.number + 1}
	return nil, false
}

// Delete lets go of what was stored up to an instant, in whole segments.
func (s *Store) Delete(until timecode.Instant) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.segments) - 1
	if g := s.segments[last]; g.packets > 0 && g.newest <= until {
		if err := s.begin(); err != nil {
			return err
		}
	}
	for i := len(s.segments) - 2; i >= 0; i-- {
		if s.segments[i].newest <= until {
			if err := s.drop(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// Summary is what is in the store.
func (s *Store) Summary() (sum Summary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.segments {
		if g.packets == 0 {
			continue
		}
		if sum.Packets == 0 || g.oldest < sum.Oldest {
			sum.Oldest = g.oldest
		}
		sum.Newest = max(sum.Newest, g.newest)
		sum.Packets += g.packets
		sum.Octets += g.size
	}
	sum.Filled, sum.Retrievals = min(1, float64(sum.Octets)/float64(s.max)), len(s.waiting)
	return sum
}

// Close makes what is stored outlast power.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.file.Sync(), s.file.Close())
}
