package link

import (
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
)

// blockChain: bits → marker → randomiser → Reed–Solomon, if there is one.
type blockChain struct {
	d      *DownDecoder
	sync   *coding.Sync
	rs     *coding.RS
	length int
}

func newBlockChain(d *DownDecoder, length int) (*blockChain, error) {
	b := &blockChain{d: d, length: length}
	var err error
	block := length
	if d.code.hasRS() {
		if b.rs, err = coding.NewRS(d.code.E, d.code.Interleave, !d.code.Conventional); err != nil {
			return nil, err
		}
		block += b.rs.CheckLength()
	}
	b.sync, err = coding.NewSync(block, coding.SyncOptions{Marker: d.code.marker()})
	return b, err
}

func (b *blockChain) wantsSoft() bool    { return false }
func (b *blockChain) state() SyncState   { return b.sync.State() }
func (b *blockChain) reset()             { b.sync.Reset() }
func (b *blockChain) stats(s *DownStats) { s.marker(b.sync.Stats()) }

func (b *blockChain) push(bits []byte, _ []int8, emit func(Coded)) {
	b.sync.Push(bits, func(block []byte, bit uint64, st coding.State) {
		b.d.code.Randomiser.apply(block)
		c := Coded{Frame: block[:b.length], Bit: bit, State: st}
		if b.rs != nil && !b.d.broken {
			n, err := b.rs.Decode(block)
			if c.Corrected = n; err != nil {
				c.Frame, c.Refused = nil, "reed-solomon"
			}
		}
		b.d.stats.count(c)
		emit(c)
	})
}

// convChain: soft symbols → Viterbi decoder that finds its alignment → blockChain.
type convChain struct {
	block *blockChain
	node  *conv.NodeSync
	out   []byte
}

func newConvChain(c Code, b *blockChain) (*convChain, error) {
	node, err := conv.NewNodeSync(convRates[c.Rate], conv.Options{})
	return &convChain{block: b, node: node}, err
}

func (c *convChain) wantsSoft() bool  { return true }
func (c *convChain) state() SyncState { return c.block.state() }
func (c *convChain) reset()           { c.block.reset() }

func (c *convChain) stats(s *DownStats) {
	c.block.stats(s)
	s.Quality, s.Phases = c.node.Quality(), c.node.Changes()
}

func (c *convChain) push(_ []byte, soft []int8, emit func(Coded)) {
	c.out = c.node.Decode(c.out[:0], soft)
	c.block.push(c.out, nil, func(f Coded) {
		f.Bit = c.node.Place(f.Bit)
		emit(f)
	})
}

// softChain: soft symbols → marker → randomiser → LDPC or turbo decoder.
type softChain struct {
	code  Code
	sync  *coding.SoftSync
	words *wordDecoder
	count *DownStats
}

func newSoftChain(c Code, stats *DownStats) (*softChain, error) {
	s := &softChain{code: c, count: stats}
	var err error
	if s.words, err = newWordDecoder(c); err != nil {
		return nil, err
	}
	s.sync, err = coding.NewSoftSync(s.words.bits(), coding.SyncOptions{Marker: c.marker()})
	return s, err
}

func (s *softChain) wantsSoft() bool      { return true }
func (s *softChain) state() SyncState     { return s.sync.State() }
func (s *softChain) reset()               { s.sync.Reset() }
func (s *softChain) stats(out *DownStats) { out.marker(s.sync.Stats()) }

func (s *softChain) push(_ []byte, soft []int8, emit func(Coded)) {
	s.sync.Push(soft, func(word []int8, bit uint64, st coding.State) {
		s.code.Randomiser.applySoft(word)
		c := s.words.decode(word)
		c.Bit, c.State = bit, st
		s.count.count(c)
		emit(c)
	})
}
