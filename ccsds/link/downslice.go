package link

import "github.com/perilune/perilune/ccsds/coding"

// sliceChain: soft symbols → marker → randomiser → LDPC decoder for each codeword of the
// codeblock → frames in the slices (CCSDS 131.0-B-5 §8).
type sliceChain struct {
	code   Code
	sync   *coding.SoftSync
	words  *wordDecoder
	slices *coding.SliceSync
	block  uint64 // symbols of a codeblock with its marker
	next   uint64 // where the next marker is expected
	count  *DownStats
	fixed  int // corrections in codewords since the last frame
	rounds int
}

// slip is how far from its place a marker may be and the codeblock still be the next one.
const slip = 4

// newSliceChain takes frames of at most the given octets; length tells the octets of one by
// how it begins, nil that all have most.
func newSliceChain(c Code, stats *DownStats, most int, length func([]byte) int) (*sliceChain, error) {
	s := &sliceChain{code: c, count: stats}
	var err error
	if s.words, err = newWordDecoder(c); err != nil {
		return nil, err
	}
	marker := c.marker()
	bits := c.Codeblock * s.words.bits()
	s.block = uint64(8*len(marker) + bits)
	if s.sync, err = coding.NewSoftSync(bits, coding.SyncOptions{Marker: marker, Slip: slip}); err != nil {
		return nil, err
	}
	s.slices, err = coding.NewSliceSync(most, length)
	return s, err
}

func (s *sliceChain) wantsSoft() bool { return true }
func (s *sliceChain) reset()          { s.sync.Reset() }

// state is that of the worse of both synchronisers.
func (s *sliceChain) state() SyncState { return min(s.sync.State(), s.slices.State()) }

func (s *sliceChain) stats(out *DownStats) {
	out.marker(s.sync.Stats())
	x := s.slices.Stats()
	out.Slices = &x
}

func (s *sliceChain) push(_ []byte, soft []int8, emit func(Coded)) {
	s.sync.Push(soft, func(block []int8, bit uint64, _ coding.State) {
		if bit+slip < s.next || bit > s.next+slip {
			s.slices.Break()
		}
		s.next = bit + s.block
		s.code.Randomiser.applySoft(block)
		at := bit + s.block - uint64(len(block))
		for n := s.words.bits(); len(block) > 0; block, at = block[n:], at+uint64(n) {
			s.codeword(block[:n], at, emit)
		}
	})
}

// codeword decodes one, whose first symbol is at a place of the stream.
func (s *sliceChain) codeword(word []int8, at uint64, emit func(Coded)) {
	frames := func(f coding.Sliced) {
		c := Coded{Frame: f.Frame, Bit: f.Place, State: min(s.sync.State(), f.State)}
		if f.Frame == nil {
			c.Refused = string(CodeLDPC)
		} else {
			c.Corrected, c.Rounds = s.fixed, s.rounds
			s.fixed, s.rounds = 0, 0
		}
		emit(c)
	}
	c := s.words.decode(word)
	s.count.count(c)
	if c.Frame == nil {
		s.slices.Hole(s.code.Block/8, at, frames)
		return
	}
	s.fixed, s.rounds = s.fixed+c.Corrected, s.rounds+c.Rounds
	s.slices.Push(c.Frame, at, frames)
}
