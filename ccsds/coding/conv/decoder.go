package conv

// block is how many bits are decided at once; a multiple of 8 and of the phases.
const block = 1152

// stage is how many bits are handed to the trellis at once, a multiple of the phases.
const stage = 192

// Decoder is a Viterbi decoder for one stream. It decides a bit once it knows what
// follows for at least its depth, and gives whole octets.
type Decoder struct {
	rate      Rate
	pattern   []uint8
	levels    [256]uint8
	tables    *[2]branch
	metrics   [words]uint64
	decisions []uint64
	count     int // decisions in hand
	depth     int
	phase     int   // place in the pattern of the bit in hand
	first     uint8 // level of its C1
	second    bool  // its C1 is there, its C2 is to come
	skip      int   // symbols still to be passed over
}

// NewDecoder returns a decoder that knows nothing of the encoder's register, but takes the
// first symbol for the first of a puncturing period. Where that is not so, Skip helps, or
// NodeSync.
func NewDecoder(r Rate, o Options) (*Decoder, error) {
	if err := o.check(r); err != nil {
		return nil, err
	}
	if o.Depth == 0 {
		o.Depth = [rates]int{96, 144, 192, 288, 384}[r]
	}
	if o.Scale == 0 {
		o.Scale = 64
	}
	depth := (o.Depth + phases - 1) / phases * phases
	d := &Decoder{rate: r, pattern: patterns[r], levels: levelsOf(o.Scale), depth: depth, tables: &tables[0]}
	if o.inverts(r) {
		d.tables = &tables[1]
	}
	d.decisions = make([]uint64, block+depth)
	return d, nil
}

// Rate returns the code's rate.
func (d *Decoder) Rate() Rate { return d.rate }

// Delay is the most bits that may be in hand, decided or not.
func (d *Decoder) Delay() int { return block + d.depth }

// Skip passes over the next n symbols, so that the one after them begins a period.
func (d *Decoder) Skip(n int) { d.skip += max(n, 0) }

// Reset forgets the stream. If zero, the register is known to be zero, as it is at the
// beginning of a block.
func (d *Decoder) Reset(zero bool) {
	d.metrics = [words]uint64{}
	if zero {
		d.metrics = zeroMetrics
	}
	d.count, d.phase, d.second, d.skip = 0, 0, false, 0
}

// Decode takes the next soft symbols and appends the octets decided to dst.
func (d *Decoder) Decode(dst []byte, soft []int8) []byte {
	n := min(d.skip, len(soft))
	d.skip -= n
	soft = soft[n:]
	for len(soft) > 0 {
		var pairs [2 * stage]uint8
		var n int
		if d.rate == Rate12 && !d.second {
			n = min(stage, len(soft)/2)
		}
		if n > 0 {
			for i, s := range soft[:2*n] {
				pairs[i] = d.levels[uint8(s)]
			}
			soft = soft[2*n:]
		} else {
			n, soft = d.depuncture(&pairs, soft)
		}
		dst = d.run(dst, pairs[:2*n])
	}
	return dst
}

// depuncture puts the levels of whole bits into pairs, those not sent as unknown.
func (d *Decoder) depuncture(pairs *[2 * stage]uint8, soft []int8) (n int, rest []int8) {
	for n < stage {
		if !d.second {
			if d.pattern[d.phase]&1 != 0 {
				if len(soft) == 0 {
					break
				}
				d.first, soft = d.levels[uint8(soft[0])], soft[1:]
			} else {
				d.first = maxSymbol
			}
			d.second = true
		}
		level := uint8(maxSymbol)
		if d.pattern[d.phase]&2 != 0 {
			if len(soft) == 0 {
				break
			}
			level, soft = d.levels[uint8(soft[0])], soft[1:]
		}
		pairs[2*n], pairs[2*n+1] = d.first, level
		n++
		d.second = false
		if d.phase++; d.phase == len(d.pattern) {
			d.phase = 0
		}
	}
	return n, soft
}

// run takes the levels of whole bits through the trellis, by sixes where it can.
func (d *Decoder) run(dst []byte, pairs []uint8) []byte {
	for len(pairs) >= 2 {
		k := d.count % phases
		n := min(len(pairs)/2, len(d.decisions)-d.count)
		if k == 0 && n >= phases && hasSix {
			n -= n % phases
			sixSteps(&d.metrics, d.tables, &sizes, &pairs[0], &d.decisions[d.count], n/phases)
			d.count += n
		} else {
			if hasSix {
				n = min(n, phases-k)
			}
			for i := range n {
				d.decisions[d.count] = d.step(k, pairs[2*i], pairs[2*i+1])
				d.count++
				if k++; k == phases {
					k = 0
				}
			}
		}
		pairs = pairs[2*n:]
		if d.count == len(d.decisions) {
			dst = d.decide(dst, d.best(), block)
			d.count = copy(d.decisions, d.decisions[block:])
		}
	}
	return dst
}

// decide appends the first n bits in hand along the path that ends at place.
func (d *Decoder) decide(dst []byte, place uint8, n int) []byte {
	at := len(dst)
	for range n / 8 {
		dst = append(dst, 0)
	}
	d.trace(dst[at:], place, n)
	return dst
}

// Flush appends what is in hand, in whole octets, and resets the decoder. If terminated,
// the last six bits were the zeros of Terminate; they are decoded and not given.
func (d *Decoder) Flush(dst []byte, terminated bool) []byte {
	if d.count > 0 {
		place, n := d.best(), d.count
		if terminated && n >= 6 {
			place, n = 0, n-6 // state 0, which never moves
		}
		dst = d.decide(dst, place, n&^7)
	}
	d.Reset(terminated)
	return dst
}
