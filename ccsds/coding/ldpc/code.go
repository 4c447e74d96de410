package ldpc

import "fmt"

// Code is one code: its parity checks, and its parity bits as sums of information bits. It
// never changes; several goroutines may use one.
type Code struct {
	name   Name
	shape  shape
	start  []int32 // of each check's places in columns
	column []int32 // the bits of the checks, one check after the other
	parity parity
}

func newCode(n Name) (*Code, error) {
	s := shapes[n]
	c := &Code{name: n, shape: s}
	blocks := s.blocks()
	c.index(blocks)
	rows, ok := firstRows(s, blocks)
	if !ok {
		return nil, fmt.Errorf("LDPC code %v: parity checks are not independent", n)
	}
	c.parity = newParity(s, rows)
	return c, nil
}

// Name returns which code this is.
func (c *Code) Name() Name { return c.name }

// DataBits is the number of information bits in a codeword, a multiple of 8.
func (c *Code) DataBits() int { return c.shape.sentData() }

// Bits is the number of bits sent for a codeword, a multiple of 8.
func (c *Code) Bits() int { return c.shape.sent() }

// Ratio is the rate as a number.
func (c *Code) Ratio() float64 { return float64(c.DataBits()) / float64(c.Bits()) }

// Checks is the number of parity checks.
func (c *Code) Checks() int { return len(c.start) - 1 }

// Check returns the columns of the parity-check matrix that have a one in row i, numbered
// as in the book: bits that are shortened or not sent included.
func (c *Code) Check(i int) []int32 { return c.column[c.start[i]:c.start[i+1]] }

// index lists the bits of each check.
func (c *Code) index(blocks []block) {
	s := c.shape
	byRow := make([][]block, s.rows)
	for _, b := range blocks {
		byRow[b.row] = append(byRow[b.row], b)
	}
	c.start = append(c.start, 0)
	for _, row := range byRow {
		for r := range s.size {
			for _, b := range row {
				c.column = append(c.column, int32(b.column*s.size+(b.shift+r)%s.size))
			}
			c.start = append(c.start, int32(len(c.column)))
		}
	}
}

// firstRows finds which bits of each parity block the first bit of each information block
// turns over: indices by parity block, information block.
func firstRows(s shape, blocks []block) ([][][]int, bool) {
	if s.size&(s.size-1) != 0 {
		return solveDense(s, blocks)
	}
	r := newRing(s.size)
	m := make([][]element, s.rows)
	for i := range m {
		m[i] = make([]element, s.columns)
		for k := range m[i] {
			m[i][k] = r.zero()
		}
	}
	for _, b := range blocks {
		// A row of the circulant sums the bits from shift on: bits times x^-shift.
		r.flip(m[b.row][b.column], (s.size-b.shift)%s.size)
	}
	solved, ok := r.solve(m)
	if !ok {
		return nil, false
	}
	rows := make([][][]int, len(solved))
	for p, row := range solved {
		rows[p] = make([][]int, s.data)
		for d, e := range row {
			for i := range s.size {
				if r.get(e, i) != 0 {
					rows[p][d] = append(rows[p][d], i)
				}
			}
		}
	}
	return rows, true
}

// Valid reports whether codeword, as sent, meets all checks. Codes with bits that are not
// sent cannot be checked so: it encodes the information and compares.
func (c *Code) Valid(codeword []byte) bool {
	if len(codeword) != c.Bits()/8 {
		return false
	}
	again, err := c.Encode(nil, codeword[:c.DataBits()/8])
	if err != nil {
		return false
	}
	for i, v := range again {
		if v != codeword[i] {
			return false
		}
	}
	return true
}
