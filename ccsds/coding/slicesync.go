package coding

import (
	"fmt"
	"slices"
)

// Sliced is a frame as a SliceSync gives it.
type Sliced struct {
	Frame []byte // valid only during the call; nil if a lost slice has some of it
	Place uint64 // of its marker on the channel, as Push was told
	State State  // Verify for a frame behind a find that may be false, Lock for others
}

// SliceStats count what a SliceSync saw.
type SliceStats struct {
	Frames uint64 `json:"frames"` // emitted whole
	Lost   uint64 `json:"lost"`   // known to be there and touched by lost slices
	Finds  uint64 `json:"finds"`  // markers found by searching
	Missed uint64 `json:"missed"` // expected markers that were not there
	Octets uint64 `json:"octets"` // of slices received
	Holes  uint64 `json:"holes"`  // slices that were lost
	Breaks uint64 `json:"breaks"` // times that nobody knew how much was missing
}

// SliceSync finds the frames in slices again, as a decoder gives them (CCSDS 131.0-B-5 §8):
// without bit errors, but with slices missing. A frame lies where the one before ends, and a
// lost slice costs the frames that it touches and no other. Frames may have one length or
// tell their own. Their markers are found at any bit, since nobody says where a
// transmitter began to slice.
//
// Like Sync it never looks at a bit once only: when the marker behind a find is not there,
// the search goes on at the bit after the find.
type SliceSync struct {
	most   int // octets of the longest frame
	length func(head []byte) int
	bits   bitBuffer
	places []place // of the slices in bits, and of holes
	state  State
	sure   bool   // was in lock, and no bit has said otherwise
	pos    uint64 // search: next bit to look at; else: where a marker is expected
	doubt  uint64 // verify: the find
	frame  []byte
	stats  SliceStats
}

// place is where a slice came from, or a hole.
type place struct {
	from, to uint64 // bits of the stream
	channel  uint64
	hole     bool
}

// HeadLength is how many octets a SliceSync shows of a frame to know its length.
const HeadLength = 6

// NewSliceSync returns a SliceSync for frames of at most the given octets. length tells a frame's
// octets by its first HeadLength, 0 if no frame begins so; nil says that all frames have
// most octets.
func NewSliceSync(most int, length func(head []byte) int) (*SliceSync, error) {
	if most < HeadLength || most > maxFrame {
		return nil, fmt.Errorf("slice synchroniser: frames of %d octets, want %d to %d", most, HeadLength, maxFrame)
	}
	return &SliceSync{most: most, length: length}, nil
}

// State is Lock once frames follow each other, until a marker is not where the frame
// before ends. Holes do not change it.
func (s *SliceSync) State() State {
	if s.sure {
		return Lock
	}
	return s.state
}

// Stats returns the counters so far.
func (s *SliceSync) Stats() SliceStats { return s.stats }

// Push takes the next slice, which begins at a place of the channel, and calls emit for
// each frame that is known with it. Places within a slice are counted on from there.
func (s *SliceSync) Push(slice []byte, channel uint64, emit func(Sliced)) {
	s.stats.Octets += uint64(len(slice))
	s.add(slice, channel, false, emit)
}

// Hole says that the next slice, of n octets, cannot be had.
func (s *SliceSync) Hole(n int, channel uint64, emit func(Sliced)) {
	s.stats.Holes++
	s.add(make([]byte, n), channel, true, emit)
}

// Break says that an unknown part of the stream is missing: all that is unfinished is given
// up, and the search begins anew.
func (s *SliceSync) Break() {
	if s.bits.end() == 0 {
		return
	}
	s.stats.Breaks++
	s.state, s.sure, s.pos = Search, false, s.bits.end()
	s.discard(s.pos)
}

func (s *SliceSync) add(octets []byte, channel uint64, hole bool, emit func(Sliced)) {
	from := s.bits.end()
	s.bits.push(octets)
	s.places = append(s.places, place{from, s.bits.end(), channel, hole})
	for s.step(emit) {
	}
	keep := s.pos
	if s.state == Verify {
		keep = s.doubt
	}
	s.discard(keep)
}

// discard forgets what is before pos.
func (s *SliceSync) discard(pos uint64) {
	s.bits.discard(pos)
	n := 0
	for n < len(s.places) && s.places[n].to <= pos {
		n++
	}
	s.places = s.places[:copy(s.places, s.places[n:])]
}

const (
	asmBits  = 8 * ASMLength
	headBits = 8 * HeadLength
)

// step does one thing, and reports whether there may be more to do with the bits at hand.
func (s *SliceSync) step(emit func(Sliced)) bool {
	if s.state == Search {
		return s.search(emit)
	}
	if s.pos+asmBits > s.bits.end() {
		return false
	}
	hole, known := s.hole(s.pos, asmBits), s.state == Lock
	switch {
	case !hole && s.marked(s.pos):
	case hole && known:
	case !known: // nothing confirms the find: there may be another marker behind it
		s.state, s.pos = Search, s.doubt+1
		return true
	default:
		s.stats.Missed++
		s.state, s.sure = Search, false
		return true
	}
	n, ok := s.octets(s.pos)
	if n == 0 {
		if !ok {
			return false // not yet known
		}
		return s.unknown(emit)
	}
	if s.pos+asmBits+8*uint64(n) > s.bits.end() {
		return false
	}
	if !hole {
		s.state, s.sure = Lock, true
	}
	s.give(s.pos, n, emit)
	s.pos += asmBits + 8*uint64(n)
	return true
}

// unknown goes on behind a frame whose length nobody knows: a hole has its head, or it is
// none.
func (s *SliceSync) unknown(emit func(Sliced)) bool {
	if s.hole(s.pos, asmBits+headBits) {
		s.stats.Lost++
		emit(Sliced{Place: s.channel(s.pos), State: s.State()})
	} else {
		s.stats.Missed++
		s.sure = false
	}
	s.state = Search
	s.pos++
	return true
}

// search looks for a marker from pos on, and for the end of the frame behind it.
func (s *SliceSync) search(emit func(Sliced)) bool {
	end := s.bits.end()
	for ; s.pos+asmBits <= end; s.pos++ {
		if !s.marked(s.pos) || s.hole(s.pos, asmBits) {
			continue
		}
		n, ok := s.octets(s.pos)
		if !ok {
			return false
		}
		length := asmBits + 8*uint64(n)
		if n == 0 || s.hole(s.pos, min(length, end-s.pos)) {
			continue
		}
		if s.pos+length > end {
			return false
		}
		s.stats.Finds++
		s.state, s.doubt = Verify, s.pos
		s.give(s.pos, n, emit)
		s.pos += length
		return true
	}
	return false
}

// octets is the length of the frame behind the marker at pos, 0 if it cannot be told; ok
// says that what tells it is at hand.
func (s *SliceSync) octets(pos uint64) (n int, ok bool) {
	if s.length == nil {
		return s.most, true
	}
	if pos+asmBits+headBits > s.bits.end() {
		return 0, false
	}
	if s.hole(pos+asmBits, headBits) {
		return 0, true
	}
	var head [HeadLength]byte
	s.bits.copy(head[:], pos+asmBits)
	if n = s.length(head[:]); n < 1 || n > s.most {
		return 0, true
	}
	return n, true
}

// give emits the frame of n octets behind the marker at pos.
func (s *SliceSync) give(pos uint64, n int, emit func(Sliced)) {
	out := Sliced{Place: s.channel(pos), State: s.State()}
	if s.hole(pos, asmBits+8*uint64(n)) {
		s.stats.Lost++
		emit(out)
		return
	}
	s.stats.Frames++
	s.frame = slices.Grow(s.frame[:0], n)[:n]
	s.bits.copy(s.frame, pos+asmBits)
	out.Frame = s.frame
	emit(out)
}

// marked reports whether a marker begins at pos.
func (s *SliceSync) marked(pos uint64) bool { return s.bits.word(pos)>>asmBits == ASM }

// hole reports whether a hole has some of the n bits from pos on.
func (s *SliceSync) hole(pos, n uint64) bool {
	for _, p := range s.places {
		if p.hole && p.from < pos+n && pos < p.to {
			return true
		}
	}
	return false
}

// channel is where the bit at pos came from.
func (s *SliceSync) channel(pos uint64) uint64 {
	for _, p := range s.places {
		if pos >= p.from && pos < p.to {
			return p.channel + pos - p.from
		}
	}
	return 0
}
