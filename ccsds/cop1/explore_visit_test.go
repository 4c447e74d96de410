package cop1

import (
	"fmt"
	"slices"
	"strings"
)

// step is the state before and what happened in it.
type step struct {
	before int
	name   string
}

// trace tells how a state came about, one move a line.
func trace(from []step, n int) string {
	var lines []string
	for ; n > 0; n = from[n].before {
		lines = append(lines, from[n].name)
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n") + "\n"
}

// explore visits all states of x, breadth first, and says how many there are and what
// went wrong first, with the moves that led there.
func explore(x exploration, cells *coverage) (states int, wrong string) {
	first := newPair(x)
	first.normalise(x)
	seen := map[string]bool{first.key(): true}
	queue := []*pair{first}
	from := []step{{}} // how each state was reached
	var trouble string
	fail := func(format string, args ...any) {
		if trouble == "" {
			trouble = fmt.Sprintf(format, args...)
		}
	}
	for n := 0; n < len(queue); n++ {
		p := queue[n]
		queue[n] = nil
		if !p.settles(x, fail) {
			return n, fmt.Sprintf("deadlock: nothing is confirmed any more:\n%s%s", trace(from, n), p.describe())
		}
		for _, m := range p.moves(x, cells, fail) {
			q := p.clone()
			q.listen(fail)
			m.do(q)
			if trouble != "" {
				return n, fmt.Sprintf("%s\n%s%s\nthen %s\n%s", trouble, trace(from, n), p.describe(), m.name, q.describe())
			}
			q.normalise(x)
			if k := q.key(); !seen[k] {
				seen[k] = true
				queue = append(queue, q)
				from = append(from, step{n, m.name})
			}
		}
		if len(seen) > x.limit {
			return n, fmt.Sprintf("more than %d states: the channel of this run is too long", x.limit)
		}
	}
	return len(seen), ""
}

func (p *pair) describe() string {
	f := &p.fop
	return fmt.Sprintf("FOP %v (SS %d) V(S)=%d NN(R)=%d sent=%d count=%d; FARM %v V(R)=%d retransmit=%v; up %v; down %d; next %d, want %d, confirmed %d, doubt %d",
		f.state, f.ss, f.vs, f.nnr, len(f.sent), f.count, p.farm.state, p.farm.vr, p.farm.retransmit, p.up, len(p.down),
		p.next, p.want, p.confirmed, p.doubt)
}
