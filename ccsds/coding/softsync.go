package coding

import "fmt"

// SoftSync finds frames in a stream of soft bits, as Sync does in one of bits, for decoders
// that want the soft bits of a frame. It looks for markers in the signs.
type SoftSync struct {
	sync  *Sync
	soft  []int8 // from base on
	base  uint64
	ahead int // soft bits at the end that are not in an octet yet
	hard  []byte
	frame []int8
}

// NewSoftSync returns a SoftSync for frames of frameBits bits, marker not counted.
func NewSoftSync(frameBits int, o SyncOptions) (*SoftSync, error) {
	if frameBits < 1 || frameBits > 8*maxFrame {
		return nil, fmt.Errorf("frame synchroniser: frames of %d bits, want 1 to %d", frameBits, 8*maxFrame)
	}
	s, err := newSync(frameBits, o)
	if err != nil {
		return nil, err
	}
	return &SoftSync{sync: s, frame: make([]int8, frameBits)}, nil
}

// State returns the present state.
func (s *SoftSync) State() State { return s.sync.State() }

// Inverted reports whether the data arrive upside down; emitted frames are set right.
func (s *SoftSync) Inverted() bool { return s.sync.Inverted() }

// Stats returns the counters so far.
func (s *SoftSync) Stats() SyncStats { return s.sync.Stats() }

// Reset goes back to the search, as when the receiver reports loss of signal.
func (s *SoftSync) Reset() { s.sync.Reset() }

// Push takes the next soft bits of the stream and calls emit for each frame, without its
// marker; it works by eight soft bits, so a frame may wait for up to seven behind it.
// bitOffset and st are as with Sync.Push. The frame given to emit is valid only during the
// call, which may change it.
func (s *SoftSync) Push(soft []int8, emit func(frame []int8, bitOffset uint64, st State)) {
	s.soft = append(s.soft, soft...)
	whole := (s.ahead + len(soft)) / 8 * 8
	from := len(s.soft) - s.ahead - len(soft)
	s.hard = AppendHard(s.hard[:0], s.soft[from:from+whole])
	s.ahead += len(soft) - whole
	s.sync.push(s.hard, func(at uint64) {
		copy(s.frame, s.soft[at+s.sync.marker.bits-s.base:])
		if s.sync.invert {
			for i, v := range s.frame {
				s.frame[i] = negate(v)
			}
		}
		emit(s.frame, at, s.sync.state)
	})
	if n := s.sync.bits.base - s.base; n > 0 {
		s.soft = append(s.soft[:0], s.soft[n:]...)
		s.base += n
	}
}
