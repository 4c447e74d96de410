package coding

// runTable holds powers of alpha in geometric order: for each step i above 0, runs whose octets go up
// by a factor of alpha^(11 i). A term of a polynomial at consecutive roots is a piece of such a
// run, and sums of terms can be taken eight octets at a time.
type runTable struct {
	values []byte
	start  [2*maxE + 1][rsN]uint16 // by step and exponent: where in values a run has that power
}

// begin returns where the run of step i with the given exponent, from 0 to 8·255·255, begins.
func (t *runTable) begin(i, exponent int) int { return int(t.start[i][exponent%rsN]) }

// runs is longer than needed by 255 places and a word behind any beginning.
var runs = func() *runTable {
	t := &runTable{}
	for i := 1; i < len(t.start); i++ {
		var done [rsN]bool
		for first := range rsN {
			if done[first] {
				continue
			}
			period := 0
			for e := first; !done[e]; e = (e + 11*i) % rsN {
				done[e] = true
				t.start[i][e] = uint16(len(t.values) + period)
				period++
			}
			for j, e := 0, first; j < period+rsN+8; j++ {
				t.values = append(t.values, gfExp[e])
				e = (e + 11*i) % rsN
			}
		}
	}
	return t
}()
