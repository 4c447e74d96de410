package coding

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// ASM is the attached sync marker in front of each telemetry frame (CCSDS 131.0-B-5 §9).
const ASM = 0x1ACFFC1D

// ASMLength is the marker in octets, asmBits in bits.
const (
	ASMLength = 4
	asmBits   = 32
)

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

// SyncOptions tune a Sync. Zero fields take the defaults named.
type SyncOptions struct {
	Threshold     int // bit errors in a marker that is searched: 3. Negative: none.
	LockThreshold int // bit errors in a marker where one is expected: 6
	Flywheel      int // markers in a row that may be missing in lock: 3. Negative: none.
	Slip          int // bits to either side that an expected marker may have slipped: 4. Negative: none.
}

func (o SyncOptions) withDefaults() SyncOptions {
	set := func(v *int, def int) {
		switch {
		case *v == 0:
			*v = def
		case *v < 0:
			*v = 0
		}
	}
	set(&o.Threshold, 3)
	set(&o.LockThreshold, 6)
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
	frame  int // octets behind the marker
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
	if frameLen < 1 || frameLen > 1<<16 {
		return nil, fmt.Errorf("frame synchroniser: frames of %d octets, want 1 to %d", frameLen, 1<<16)
	}
	return &Sync{frame: frameLen, o: o.withDefaults(), cadu: make([]byte, frameLen)}, nil
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
	s.bits.push(octets)
	for s.step(emit) {
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
func (s *Sync) step(emit func([]byte, uint64, State)) bool {
	if s.state == Search {
		return s.search(emit)
	}
	end := s.bits.end()
	if s.state == Verify && s.pos+asmBits <= end && s.errors(s.pos) > s.o.LockThreshold {
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
	s.emit(at, emit)
	s.pos = at + s.length()
	return true
}

// length is a marker and its frame in bits.
func (s *Sync) length() uint64 { return asmBits + 8*uint64(s.frame) }

// search looks for a marker from pos on.
func (s *Sync) search(emit func([]byte, uint64, State)) bool {
	end := s.bits.end()
	for s.pos+asmBits <= end {
		w := s.bits.word(s.pos)
		n := min(end-s.pos-asmBits+1, 33)
		for k := range n {
			errs := bits.OnesCount32(uint32(w<<k>>32) ^ ASM)
			if errs > s.o.Threshold && errs < asmBits-s.o.Threshold {
				continue
			}
			at := s.pos + k
			if at+s.length() > end {
				s.pos = at // the marker stays; the frame is to come
				return false
			}
			s.invert = errs > asmBits/2
			if s.invert {
				errs = asmBits - errs
			}
			s.stats.BitErrors += uint64(errs)
			s.state, s.doubt, s.pos = Verify, at, at+s.length()
			s.emit(at, emit)
			return true
		}
		s.pos += n
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
	n := bits.OnesCount32(uint32(s.bits.word(pos)>>32) ^ ASM)
	if s.invert {
		return asmBits - n
	}
	return n
}

func (s *Sync) emit(at uint64, emit func([]byte, uint64, State)) {
	s.bits.copy(s.cadu, at+asmBits)
	if s.invert {
		for i := range s.cadu {
			s.cadu[i] = ^s.cadu[i]
		}
	}
	s.stats.Frames++
	emit(s.cadu, at, s.state)
}
