package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/uslp"
)

// Coded is a frame as the channel decoder gives it.
type Coded struct {
	Frame     []byte // valid only during the call; nil if the decoder refused it
	Bit       uint64 // of its marker, in bits or soft symbols since the first received
	State     SyncState
	Corrected int    // RS: symbols; ldpc and turbo: bits whose sign was wrong
	Rounds    int    // iterations of an LDPC or turbo decoder
	Refused   string // why there is no frame
}

// DownStats count what a DownDecoder did. Those of codes that the profile has not are zero.
type DownStats struct {
	Bits      uint64  `json:"bits"`             // or soft symbols received
	Units     uint64  `json:"units"`            // found behind a marker
	Missed    uint64  `json:"markers_missed"`   // markers that were not where one was expected
	Slips     uint64  `json:"slips"`            // markers found some bits off
	Losses    uint64  `json:"lock_losses"`      // times lock was lost
	MarkerErr uint64  `json:"marker_errors"`    // wrong bits in accepted markers
	Good      uint64  `json:"decoded"`          // units that the code gave out
	Bad       uint64  `json:"refused"`          // units that it could not correct
	Repaired  uint64  `json:"repaired"`         // units with something corrected
	Corrected uint64  `json:"corrected"`        // RS: symbols; ldpc and turbo: channel bits
	Rounds    uint64  `json:"rounds,omitempty"` // iterations of LDPC and turbo decoders, in all
	Quality   float64 `json:"path,omitempty"`   // of the Viterbi decoder's best path, in parts of the worst
	Phases    int     `json:"phases,omitempty"` // times the convolutional code was aligned anew

	// Slices counts the frames of sliced codes; units are then codeblocks, and what is
	// decoded or refused are codewords.
	Slices *coding.SliceStats `json:"slices,omitempty"`
}

// DownDecoder finds and decodes the frames of a downlink in its bits, or soft symbols. It is
// not for several goroutines.
type DownDecoder struct {
	code  Code
	chain downChain
	rest  []int8 // soft symbols that do not fill an octet yet
	hard  []byte
	soft  []int8
	bits  uint64
	stats DownStats
	// broken makes Reed–Solomon correct nothing, to show what rests on it.
	broken bool
}

// downChain is one way from the channel to frames; it takes what wantsSoft says.
type downChain interface {
	push(bits []byte, soft []int8, emit func(Coded))
	wantsSoft() bool
	state() SyncState
	reset()
	stats(*DownStats)
}

// hardSize is the size of the soft symbol that stands for a hard bit: the log-likelihood
// ratio at a bit error rate of 2 %, where codes of rate 1/2 begin to fail on hard bits.
const hardSize = 31

// NewDownDecoder returns a decoder at the beginning of a stream of frames of length octets.
func NewDownDecoder(c Code, length int) (*DownDecoder, error) { return newDownDecoder(c, length, nil) }

// NewDownDecoder returns the decoder of p's downlink, which has frames.
func (p Profile) NewDownDecoder() (*DownDecoder, error) {
	p = p.WithDefaults()
	var tell func([]byte) int
	if p.Variable {
		tell = func(head []byte) int {
			n, err := uslp.Length(head, p.Truncated)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return newDownDecoder(p.Code, p.FrameLength, tell)
}

// newDownDecoder takes frames of length octets, or of those that tell says of one by how it
// begins.
func newDownDecoder(c Code, length int, tell func(head []byte) int) (*DownDecoder, error) {
	if err := c.Validate(length); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProfile, err)
	}
	d := &DownDecoder{code: c.WithDefaults()}
	var err error
	switch d.code.Kind {
	case CodeLDPC, CodeTurbo:
		if d.code.sliced() {
			d.chain, err = newSliceChain(d.code, &d.stats, length, tell)
			break
		}
		d.chain, err = newSoftChain(d.code, &d.stats)
	default:
		var b *blockChain
		if b, err = newBlockChain(d, length); err != nil {
			return nil, err
		}
		d.chain = b
		if d.code.hasConv() {
			d.chain, err = newConvChain(d.code, b)
		}
	}
	return d, err
}

// Push takes the next bits, any number of octets at any alignment, and calls emit for each
// unit behind a marker. A code that wants soft symbols gets them of one size.
func (d *DownDecoder) Push(bits []byte, emit func(Coded)) {
	d.bits += 8 * uint64(len(bits))
	if !d.chain.wantsSoft() {
		d.chain.push(bits, nil, emit)
		return
	}
	d.soft = coding.AppendSoft(d.soft[:0], bits, hardSize)
	d.chain.push(nil, d.soft, emit)
}

// PushSoft is Push for soft symbols as package coding has them. A code that does not want
// them gets their signs.
func (d *DownDecoder) PushSoft(soft []int8, emit func(Coded)) {
	d.bits += uint64(len(soft))
	if d.chain.wantsSoft() {
		d.chain.push(nil, soft, emit)
		return
	}
	d.hard, d.rest = appendSigns(d.hard[:0], d.rest, soft)
	d.chain.push(d.hard, nil, emit)
}

// Bits is how many bits or soft symbols were received.
func (d *DownDecoder) Bits() uint64 { return d.bits }

// State is that of the frame synchroniser.
func (d *DownDecoder) State() SyncState { return d.chain.state() }

// Reset goes back to the search for a marker, as after a loss of signal.
func (d *DownDecoder) Reset() { d.chain.reset() }

// Stats returns the counters so far.
func (d *DownDecoder) Stats() DownStats {
	s := d.stats
	s.Bits = d.bits
	d.chain.stats(&s)
	return s
}

// count notes the outcome of one unit.
func (s *DownStats) count(c Coded) {
	if c.Frame == nil {
		s.Bad++
		return
	}
	s.Good++
	s.Corrected += uint64(c.Corrected)
	s.Rounds += uint64(c.Rounds)
	if c.Corrected > 0 {
		s.Repaired++
	}
}

func (s *DownStats) marker(m coding.SyncStats) {
	s.Units, s.Missed, s.Slips, s.Losses, s.MarkerErr = m.Frames, m.Missed, m.Slips, m.Losses, m.BitErrors
}
