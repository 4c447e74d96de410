package conv

// The 64 path metrics are eight words of eight octets, and stay where they are: at each
// bit the two states that lead to the same two states exchange their places with them.
// Which state a place holds therefore turns with period six (see stateAt).
//
//	place p = word·8 + lane, bits p5 p4 p3 | p2 p1 p0
//	state s = the last six bits of information, s5 the oldest
//	phase k (bit number mod 6): s_j is in place bit (j-k) mod 6
//
// At phase k the two places of a butterfly differ in the bit that holds s5, and that bit
// holds the newest bit of information afterwards. At phases 0, 1 and 2 that is two words
// and at 3, 4 and 5 two lanes of one.
//
// Metrics are compared modulo 256. No path is further behind the best than 8 symbols
// (the heaviest shortest path from state 0 to any other), and a decision adds two, so with
// a symbol of at most maxSymbol all differences stay below 128.
const (
	words     = 8
	phases    = 6
	maxSymbol = 12
	levels    = 2*maxSymbol + 1
	high      = 0x8080808080808080
	low       = 0x7F7F7F7F7F7F7F7F
	ones      = 0x0101010101010101
)

// branch gives for each phase and received level the costs of the path that keeps its
// place, one octet a place, for one of the two symbols. The other path into a place
// sends both symbols inverted.
type branch [phases][levels][words]uint64

// stateAt returns the state at place p before the bit of phase k.
func stateAt(p, k int) (s int) {
	for j := range phases {
		s |= p >> ((j - k + phases) % phases) & 1 << j
	}
	return s
}

// branches makes the tables for C1 and C2. A level is a soft bit cut to ±maxSymbol, plus
// maxSymbol; a bit that agrees with its sign costs nothing, one that does not its size.
func branches(invert bool) (t [2]branch) {
	for k := range phases {
		for p := range 64 {
			out := outputs[stateAt(p, k)&31<<1]
			if invert {
				out ^= 2
			}
			for level := range levels {
				for c := range t {
					if cost := level - maxSymbol; out>>c&1 == 0 {
						t[c][k][level][p/8] |= uint64(max(-cost, 0)) << (p % 8 * 8)
					} else {
						t[c][k][level][p/8] |= uint64(max(cost, 0)) << (p % 8 * 8)
					}
				}
			}
		}
	}
	return t
}

// tables serve all decoders: C2 straight, and inverted.
var tables = [2][2]branch{branches(false), branches(true)}

// sizes is the cost of both symbols, in all lanes, for each level of one.
var sizes = func() (t [levels]uint64) {
	for level := range t {
		t[level] = ones * uint64(max(level-maxSymbol, maxSymbol-level))
	}
	return t
}()

// levelsOf maps a soft bit, as uint8, to its level when a bit of size scale is sure.
func levelsOf(scale int) (t [256]uint8) {
	for i := range t {
		v := max(int(int8(i)), -127) * maxSymbol
		if v < 0 {
			v -= scale / 2
		} else {
			v += scale / 2
		}
		t[i] = uint8(min(max(v/scale, -maxSymbol), maxSymbol) + maxSymbol)
	}
	return t
}

// zeroMetrics are the metrics behind a long run of zeros received without doubt: each state
// is as far behind state 0 as the lightest path from there to it weighs. No larger lead
// may be given to state 0, or differences get out of their range.
var zeroMetrics = func() (m [words]uint64) {
	var weight [64]int
	for s := 1; s < 64; s++ {
		weight[s] = 99
	}
	for range 64 {
		for reg := range 128 {
			out := outputs[reg]
			via := weight[reg>>1] + int(out&1+out>>1)
			weight[reg&63] = min(weight[reg&63], via)
		}
	}
	for s, v := range weight {
		m[s/8] |= uint64(maxSymbol*v) << (s % 8 * 8)
	}
	return m
}()

// choose adds the costs own and other to two words of metrics, lane by lane, and returns
// the smaller with bit 7 set in the lanes of d where it is the other. Costs are below 128.
func choose(m, n, own, other uint64) (best, d uint64) {
	a := (m&low + own) ^ m&high
	b := (n&low + other) ^ n&high
	diff := a ^ b
	// Bit 7 of each lane of a-b, turned over: set where a is not the smaller.
	d = ((a | high) - b&low ^ diff) & high
	return a ^ diff&(d|(d-d>>7)), d
}
