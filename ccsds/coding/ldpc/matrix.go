package ldpc

// shape is the structure of a code: its parity-check matrix is an array of circulants of
// one size, each the sum of shifted identities.
type shape struct {
	size    int // rows and columns of a circulant
	rows    int // of circulants
	columns int
	data    int // columns of information, in front
	hidden  int // columns at the end that are not sent
	short   int // information bits in front that are zero and not sent
	fill    int // zeros sent behind the codeword
	blocks  func() []block
}

// block is a shifted identity: row r of the circulant has a one in column (shift+r) mod
// size.
type block struct{ row, column, shift int }

func (s shape) sentData() int { return s.data*s.size - s.short }

func (s shape) sent() int { return (s.columns-s.hidden)*s.size - s.short + s.fill }

var shapes = func() (t [names]shape) {
	t[TC64] = shape{size: 16, rows: 4, columns: 8, data: 4, blocks: func() []block { return short(tc128, tc128Diagonal) }}
	t[TC256] = shape{size: 64, rows: 4, columns: 8, data: 4, blocks: func() []block { return short(tc512, tc512Diagonal) }}
	for i := range 9 {
		t[int(TM1024R12)+i] = ar4ja(1024<<(2*(i/3)), i%3)
	}
	t[TM7136R78] = shape{size: 511, rows: 2, columns: 16, data: 14, short: 18, fill: 2, blocks: c2Blocks}
	return t
}()

func short(shifts [4][8]int, diagonal [4]int) (all []block) {
	for r, row := range shifts {
		for c, s := range row {
			if s != none {
				all = append(all, block{r, c, s})
			}
		}
		all = append(all, block{r, r, diagonal[r]})
	}
	return all
}

func c2Blocks() (all []block) {
	for r, row := range c2 {
		for c, places := range row {
			all = append(all, block{r, c, places[0]}, block{r, c, places[1]})
		}
	}
	return all
}

// ar4ja returns the code with k information bits and rate 1/2, 2/3 or 4/5. Its matrix is
// 3 rows of submatrices M·M, each of 4·4 circulants.
func ar4ja(k, rate int) shape {
	data := 2 << rate // submatrices of information: 2, 4, 8
	m := k / data
	return shape{
		size: m / 4, rows: 12, columns: 4 * (data + 3), data: 4 * data, hidden: 4,
		blocks: func() []block { return ar4jaBlocks(m, data) },
	}
}

// identity stands for the identity among the numbers of permutations.
const identity = 0

// ar4jaBlocks lists the terms of each submatrix of §7.4.2.
func ar4jaBlocks(m, data int) (all []block) {
	index := 0
	for 128<<index < m {
		index++
	}
	put := func(row, column int, permutations ...int) {
		for _, p := range permutations {
			for j := range 4 {
				b := block{4*row + j, 4*column + j, 0}
				if p != identity {
					b.column = 4*column + (theta[p-1]+j)%4
					b.shift = phi[index][j][p-1]
				}
				all = append(all, b)
			}
		}
	}
	last := data - 2 // the columns of rate 1/2 begin here
	put(0, last+2, identity)
	put(0, last+4, identity, 1)
	put(1, last, identity)
	put(1, last+1, identity)
	put(1, last+3, identity)
	put(1, last+4, 2, 3, 4)
	put(2, last, identity)
	put(2, last+1, 5, 6)
	put(2, last+3, 7, 8)
	put(2, last+4, identity)
	// Two more columns for each pair further left.
	for i, p := range [][6]int{{9, 10, 11, 12, 13, 14}, {15, 16, 17, 18, 19, 20}, {21, 22, 23, 24, 25, 26}} {
		c := last - 2*(i+1)
		if c < 0 {
			break
		}
		put(1, c, p[0], p[1], p[2])
		put(1, c+1, identity)
		put(2, c, identity)
		put(2, c+1, p[3], p[4], p[5])
	}
	return all
}
