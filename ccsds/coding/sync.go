package coding

import (
	"encoding/binary"
	"fmt"
)

// ASM is the attached sync marker in front of each telemetry frame (CCSDS 131.0-B-5 §9).
const ASM = 0x1ACFFC1D

// ASMLength is the marker in octets.
const ASMLength = 4

// AppendASM appends the marker to dst.
func AppendASM(dst []byte) []byte { return binary.BigEndian.AppendUint32(dst, ASM) }

// State is how sure a Sync is of its alignment.
type State uint8

// A Sync searches a marker at every bit, verifies one find by the marker a frame later, and
// is then in lock.
const (
	Search State = iota
	Verify
	Lock
)

func (s State) String() string {
	return [...]string{Search: "search", Verify: "verify", Lock: "lock"}[min(s, Lock)]
}

// SyncOptions tune a Sync. Zero fields take the defaults named, for a marker of 32, 64, 96,
// 128 and 192 bits.
type SyncOptions struct {
	Marker        Marker // in front of each frame: ASM
	Threshold     int    // bit errors in a marker that is searched: 3, 14, 26, 39, 65. Negative: none.
	LockThreshold int    // bit errors in a marker where one is expected: 6, 20, 33, 47, 75
	Flywheel      int    // markers in a row that may be missing in lock: 3. Negative: none.
	Slip          int    // bits to either side that an expected marker may have slipped: 4. Negative: none.
}

func (o SyncOptions) withDefaults() SyncOptions {
	if len(o.Marker) == 0 {
		o.Marker = MarkerASM
	}
	set := func(v *int, def int) {
		switch {
		case *v == 0:
			*v = def
		case *v < 0:
			*v = 0
		}
	}
	search, lock := o.Marker.thresholds()
	set(&o.Threshold, search)
	set(&o.LockThreshold, lock)
	set(&o.Flywheel, 3)
	set(&o.Slip, 4)
	return o
}

// SyncStats count what a Sync saw.
type SyncStats struct {
	Frames    uint64 // emitted
	Missed    uint64 // expected markers that were not there
	Slips     uint64 // expected markers found some bits off
	Losses    uint64 // times lock was lost
	BitErrors uint64 // wrong bits in accepted markers
}

// Sync finds frames of one fixed length in a stream of bits, at any alignment and in
// both senses of the data. It never looks at a bit once only: when a find does not hold,
// or lock is lost, the search goes on at the bit after the first doubt, so that nothing
// true is hidden by something false before it.
type Sync struct {
	frame  int // bits behind the marker
	marker marker
	o      SyncOptions
	bits   bitBuffer
	state  State
	pos    uint64 // search: next bit to look at; else: where a marker is expected
	doubt  uint64 // verify: the find; lock with misses: the first missing marker
	missed int    // markers missing in a row
	invert bool   // the data are upside down
	cadu   []byte
	stats  SyncStats
}

// NewSync returns a Sync for frames of frameLen octets, marker not counted.
func NewSync(frameLen int, o SyncOptions) (*Sync, error) {
	if frameLen < 1 || frameLen > maxFrame {
		return nil, fmt.Errorf("frame synchroniser: frames of %d octets, want 1 to %d", frameLen, maxFrame)
	}
	return newSync(8*frameLen, o)
}

// maxFrame is the longest frame in octets.
const maxFrame = 1 << 16

func newSync(frameBits int, o SyncOptions) (*Sync, error) {
	o = o.withDefaults()
	m, err := o.Marker.words()
	if err != nil {
		return nil, fmt.Errorf("frame synchroniser: %w", err)
	}
	if most := int(m.bits)/2 - 1; o.Threshold > most || o.LockThreshold > most {
		return nil, fmt.Errorf("frame synchroniser: %d and %d bit errors in a marker of %d", o.Threshold, o.LockThreshold, m.bits)
	}
	return &Sync{frame: frameBits, marker: m, o: o, cadu: make([]byte, (frameBits+7)/8)}, nil
}

// State returns the present state.
func (s *Sync) State() State { return s.state }

// Inverted reports whether the data arrive upside down; emitted frames are set right.
func (s *Sync) Inverted() bool { return s.invert }

// Stats returns the counters so far.
func (s *Sync) Stats() SyncStats { return s.stats }

// Bits returns how many bits have been pushed.
func (s *Sync) Bits() uint64 { return s.bits.end() }

// Reset goes back to the search, as when the receiver reports loss of signal. Offsets go on.
func (s *Sync) Reset() {
	if s.state == Lock {
		s.stats.Losses++
	}
	s.state, s.pos, s.missed = Search, s.bits.end(), 0
	s.bits.discard(s.pos)
}

// Push takes the next octets of the stream and calls emit for each frame, without its
// marker, as soon as its last bit is there. bitOffset is where its marker begins, in bits
// since the first bit ever pushed; st is Verify for the frame behind a fresh find, which
// may be false, and Lock for others. The octets given to emit are valid only during the
// call, which may change them.
func (s *Sync) Push(octets []byte, emit func(cadu []byte, bitOffset uint64, st State)) {
	s.push(octets, func(at uint64) { s.emit(at, emit) })
}

// push is Push, with found called with the place of each frame's marker.
func (s *Sync) push(octets []byte, found func(at uint64)) {
	s.bits.push(octets)
	for s.step(found) {
	}
	keep := s.pos
	if s.state != Search {
		keep -= min(keep, uint64(s.o.Slip))
	}
	if s.state == Verify || s.missed > 0 {
		keep = min(keep, s.doubt)
	}
	s.bits.discard(max(keep, s.bits.base))
}

// step does one thing, and reports whether there may be more to do with the bits at hand.
func (s *Sync) step(found func(uint64)) bool {
	if s.state == Search {
		return s.search(found)
	}
	end := s.bits.end()
	if s.state == Verify && s.pos+s.marker.bits <= end && s.errors(s.pos) > s.o.LockThreshold {
		s.state, s.pos = Search, s.doubt+1
		return true
	}
	if s.pos+s.length() > end {
		return false
	}
	at, errs, ok := s.expect()
	switch {
	case ok:
		if at != s.pos {
			if at+s.length() > end {
				return false
			}
			s.stats.Slips++
		}
		s.stats.BitErrors += uint64(errs)
		s.state, s.missed = Lock, 0
	default:
		s.stats.Missed++
		if s.missed == 0 {
			s.doubt = s.pos - min(s.pos, uint64(s.o.Slip))
		}
		if s.missed++; s.missed > s.o.Flywheel {
			s.stats.Losses++
			s.state, s.pos, s.missed = Search, max(s.doubt, s.bits.base), 0
			return true
		}
	}
	s.stats.Frames++
	found(at)
	s.pos = at + s.length()
	return true
}

// length is a marker and its frame in bits.
func (s *Sync) length() uint64 { return s.marker.bits + uint64(s.frame) }

// search looks for a marker from pos on.
func (s *Sync) search(found func(uint64)) bool {
	end, n := s.bits.end(), int(s.marker.bits)
	for ; s.pos+s.marker.bits <= end; s.pos++ {
		errs := s.marker.errors(&s.bits, s.pos)
		if errs > s.o.Threshold && errs < n-s.o.Threshold {
			continue
		}
		if s.pos+s.length() > end {
			return false // the marker stays; the frame is to come
		}
		s.invert = errs > n/2
		if s.invert {
			errs = n - errs
		}
		s.stats.BitErrors += uint64(errs)
		at := s.pos
		s.state, s.doubt, s.pos = Verify, at, at+s.length()
		s.stats.Frames++
		found(at)
		return true
	}
	return false
}

// expect looks for a marker where one should begin, then a few bits to either side. In
// the latter case it must be as good as one that is searched.
func (s *Sync) expect() (at uint64, errs int, ok bool) {
	if errs = s.errors(s.pos); errs <= s.o.LockThreshold {
		return s.pos, errs, true
	}
	if s.state == Lock {
		for d := uint64(1); d <= uint64(s.o.Slip); d++ {
			if errs = s.errors(s.pos + d); errs <= s.o.Threshold {
				return s.pos + d, errs, true
			}
			if s.pos < s.bits.base+d {
				continue
			}
			if errs = s.errors(s.pos - d); errs <= s.o.Threshold {
				return s.pos - d, errs, true
			}
		}
	}
	return s.pos, 0, false
}

// errors counts the wrong bits of a marker at pos, in the present sense.
func (s *Sync) errors(pos uint64) int {
	n := s.marker.errors(&s.bits, pos)
	if s.invert {
		return int(s.marker.bits) - n
	}
	return n
}

// emit gives out the frame behind the marker at a place.
func (s *Sync) emit(at uint64, emit func([]byte, uint64, State)) {
	s.bits.copy(s.cadu, at+s.marker.bits)
	if s.invert {
		for i := range s.cadu {
			s.cadu[i] = ^s.cadu[i]
		}
	}
	emit(s.cadu, at, s.state)
}
