package conv

// NodeSync is a Decoder that finds by itself which symbol begins a puncturing period, and
// finds it again after the receiver slipped. It works by windows of symbols: a path
// through the trellis costs least when the symbols fall where they belong.
type NodeSync struct {
	dec     *Decoder
	probe   *Decoder
	window  []int8
	size    int
	phase   int // symbols before the first of a period
	locked  bool
	quality float64
	wrong   float64 // the least that a wrong phase cost when all were tried
	changes int
	judged  uint64    // symbols in windows that were decoded
	given   uint64    // octets
	origins [2]origin // of the present alignment and the one before
}

// origin is where an alignment began: a bit of what was given and its first symbol.
type origin struct{ bit, symbol uint64 }

// windowSymbols is about how many symbols are judged at once, and sampleShare which part of
// them is looked at first, while there is no doubt.
const (
	windowSymbols = 2048
	sampleShare   = 8
)

// NewNodeSync returns a decoder that does not know the alignment yet.
func NewNodeSync(r Rate, o Options) (*NodeSync, error) {
	dec, err := NewDecoder(r, o)
	if err != nil {
		return nil, err
	}
	probe, err := NewDecoder(r, o)
	if err != nil {
		return nil, err
	}
	size := windowSymbols / r.Symbols() * r.Symbols()
	return &NodeSync{dec: dec, probe: probe, size: size, window: make([]int8, 0, size)}, nil
}

// Phase returns how many symbols, since the first one pushed and counted within a period, lie
// before the first of a period; ok is false until a window was judged.
func (n *NodeSync) Phase() (phase int, ok bool) { return n.phase, n.locked }

// Quality is what the best path through the last windows cost, in parts of what it would
// have cost had every symbol been wrong: 0 without noise, most for a wrong phase.
func (n *NodeSync) Quality() float64 { return n.quality }

// Changes returns how often the phase changed after it was first found.
func (n *NodeSync) Changes() int { return n.changes }

// Decode takes the next soft symbols and appends the octets decided to dst.
func (n *NodeSync) Decode(dst []byte, soft []int8) []byte {
	for len(soft) > 0 {
		k := min(n.size-len(n.window), len(soft))
		n.window, soft = append(n.window, soft[:k]...), soft[k:]
		if len(n.window) == n.size {
			n.judge()
			dst = n.take(dst)
		}
	}
	return dst
}

// take decodes the window.
func (n *NodeSync) take(dst []byte) []byte {
	before := len(dst)
	dst = n.dec.Decode(dst, n.window)
	n.judged += uint64(len(n.window))
	n.given += uint64(len(dst) - before)
	n.window = n.window[:0]
	return dst
}

// Place returns the first symbol of a bit: both count from the beginning of the stream,
// the bits among those given. It knows the bits of the present alignment and of the one before.
func (n *NodeSync) Place(bit uint64) (symbol uint64) {
	o := n.origins[0]
	if bit < o.bit {
		o = n.origins[1]
	}
	if bit < o.bit {
		return o.symbol
	}
	return o.symbol + uint64(n.dec.rate.SymbolsFor(int(bit-o.bit)))
}

// Flush appends what is in hand, in whole octets, and forgets the alignment.
func (n *NodeSync) Flush(dst []byte) []byte {
	dst = n.take(dst)
	before := len(dst)
	dst = n.dec.Flush(dst, false)
	n.given += uint64(len(dst) - before)
	n.locked, n.phase = false, 0
	return dst
}

// judge looks at a whole window, and at all phases where the present one is in doubt.
func (n *NodeSync) judge() {
	if n.locked {
		c := n.cost(n.phase, n.window[:len(n.window)/sampleShare])
		if c <= 0.75*n.wrong {
			n.quality += (c - n.quality) / sampleShare
			return
		}
	}
	best, least, second := 0, 2.0, 2.0
	for p := range n.dec.rate.Symbols() {
		c := n.cost(p, n.window)
		if n.locked && p == n.phase {
			n.quality = c
		}
		if c < least {
			best, least, second = p, c, least
		} else if c < second {
			second = c
		}
	}
	n.wrong = second
	if n.locked && (best == n.phase || least > 0.85*n.quality) {
		return
	}
	if n.locked {
		n.changes++
	}
	n.phase, n.quality, n.locked = best, least, true
	n.origins[1] = n.origins[0]
	n.origins[0] = origin{8 * n.given, n.judged + uint64(best)}
	n.dec.Reset(false)
	n.dec.Skip(best)
}

// cost runs the window, or its beginning, through a trellis of its own. It follows the metric
// of place 0, which grows by 6·24 at most in six bits and falls by 96 at most, to where it
// was the furthest behind the best.
func (n *NodeSync) cost(phase int, window []int8) float64 {
	const fall = 8 * maxSymbol
	d := n.probe
	d.Reset(false)
	var spent, all int
	var before uint8
	for soft := window[phase:]; len(soft) > 0; {
		var pairs [2 * stage]uint8
		var bits int
		bits, soft = d.depuncture(&pairs, soft)
		for group := pairs[:2*bits]; len(group) >= 2*phases; group = group[2*phases:] {
			d.six(group)
			for _, l := range group[:2*phases] {
				all += int(uint8(sizes[l]))
			}
			now := uint8(d.metrics[0])
			spent += int(now-before+fall) - fall
			before = now
		}
	}
	if all == 0 {
		return 1
	}
	best := d.best()
	spent += int(int8(uint8(d.metrics[best/8]>>(best%8*8)) - before))
	return float64(spent) / float64(all)
}

// six takes six bits through the trellis from phase 0 on and forgets the decisions.
func (d *Decoder) six(pairs []uint8) {
	if hasSix {
		sixSteps(&d.metrics, d.tables, &sizes, &pairs[0], &d.decisions[0], 1)
		return
	}
	for k := range phases {
		d.step(k, pairs[2*k], pairs[2*k+1])
	}
}
