package ldpc

import "slices"

// solveDense does what ring.solve does where circulants have no ring with easy inverses
// and the parity part of the matrix is short of rank: the last bit of each parity block is
// set to zero, as the book does for its 511·511 circulants (§7.3.4), and the rest follows. It
// returns, for each column of parity and each of information, the ones of a circulant's
// first row.
func solveDense(s shape, blocks []block) (rows [][][]int, ok bool) {
	checks, free := s.rows*s.size, (s.columns-s.data)*s.size
	words := (free + s.data + 63) / 64
	m := make([][]uint64, checks)
	for i := range m {
		m[i] = make([]uint64, words)
	}
	for _, b := range blocks {
		for r := range s.size {
			row, bit := m[b.row*s.size+r], (b.shift+r)%s.size
			switch {
			case b.column < s.data && bit == 0:
				bit = free + b.column // only the first bit of each information block is set
			case b.column < s.data, bit == s.size-1:
				continue
			default:
				bit += (b.column - s.data) * s.size
			}
			row[bit/64] ^= 1 << (bit % 64)
		}
	}
	place := eliminate(m, free)
	rows = make([][][]int, s.columns-s.data)
	for p := range rows {
		rows[p] = make([][]int, s.data)
	}
	for i, row := range m {
		for d := range s.data {
			if row[(free+d)/64]>>((free+d)%64)&1 == 0 {
				continue
			}
			if i >= len(place) {
				return nil, false // a check that no parity bit can meet
			}
			p := place[i]
			rows[p/s.size][d] = append(rows[p/s.size][d], p%s.size)
		}
	}
	for _, r := range rows {
		for _, places := range r {
			slices.Sort(places)
		}
	}
	return rows, true
}

// eliminate brings the first columns of m into reduced echelon form and returns the
// column of each row's leading one.
func eliminate(m [][]uint64, columns int) (place []int) {
	for c := range columns {
		n := len(place)
		pivot := -1
		for i := n; i < len(m); i++ {
			if m[i][c/64]>>(c%64)&1 != 0 {
				pivot = i
				break
			}
		}
		if pivot < 0 {
			continue
		}
		m[n], m[pivot] = m[pivot], m[n]
		for i, row := range m {
			if i != n && row[c/64]>>(c%64)&1 != 0 {
				for w := c / 64; w < len(row); w++ {
					row[w] ^= m[n][w]
				}
			}
		}
		place = append(place, c)
	}
	return place
}
