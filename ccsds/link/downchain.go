package link

import (
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/ccsds/coding/turbo"
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
	ldpc  *ldpc.Decoder
	turbo *turbo.Decoder
	frame []byte
	again []byte // the frame coded once more, to see what was wrong
	count *DownStats
}

func newSoftChain(c Code, stats *DownStats) (*softChain, error) {
	s := &softChain{code: c, count: stats}
	bits := 0
	if c.Kind == CodeLDPC {
		name, err := c.ldpcName()
		if err != nil {
			return nil, err
		}
		l, err := ldpc.New(name)
		if err != nil {
			return nil, err
		}
		bits = l.Bits()
		if s.ldpc, err = ldpc.NewDecoder(l, ldpc.Options{Iterations: c.Iterations}); err != nil {
			return nil, err
		}
	} else {
		t, err := turbo.New(c.Block, turboRates[c.Rate])
		if err != nil {
			return nil, err
		}
		bits = t.Bits()
		if s.turbo, err = turbo.NewDecoder(t, turbo.Options{Iterations: c.Iterations}); err != nil {
			return nil, err
		}
	}
	var err error
	s.sync, err = coding.NewSoftSync(bits, coding.SyncOptions{Marker: c.marker()})
	return s, err
}

func (s *softChain) wantsSoft() bool      { return true }
func (s *softChain) state() SyncState     { return s.sync.State() }
func (s *softChain) reset()               { s.sync.Reset() }
func (s *softChain) stats(out *DownStats) { out.marker(s.sync.Stats()) }

func (s *softChain) push(_ []byte, soft []int8, emit func(Coded)) {
	s.sync.Push(soft, func(word []int8, bit uint64, st coding.State) {
		s.code.Randomiser.applySoft(word)
		c := s.decode(word)
		c.Bit, c.State = bit, st
		s.count.count(c)
		emit(c)
	})
}

func (s *softChain) decode(word []int8) Coded {
	var c Coded
	var err error
	if s.ldpc != nil {
		s.frame, err = s.ldpc.Decode(s.frame[:0], word)
		c.Rounds = s.ldpc.Iterations()
		if err != nil {
			c.Refused = "ldpc"
			return c
		}
		s.again, err = s.ldpc.Code().Encode(s.again[:0], s.frame)
	} else {
		s.frame, err = s.turbo.Decode(s.frame[:0], word)
		c.Rounds = s.turbo.Iterations()
		if err != nil || !s.turbo.Agreed() {
			c.Refused = "turbo"
			return c
		}
		s.again, err = s.turbo.Code().Encode(s.again[:0], s.frame)
	}
	c.Frame = s.frame
	if err == nil {
		for i, v := range word {
			c.Corrected += int(byte(v)>>7 ^ s.again[i/8]>>(7-i%8)&1)
		}
	}
	return c
}
