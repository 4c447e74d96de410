package link

// BitJoiner puts pieces of a stream of bits end to end, whatever their number of bits.
type BitJoiner struct {
	part byte // the last bits, in front
	n    int  // how many: 0 to 7
	out  []byte
}

// Push gives the octets that are whole with a piece, valid until the next call. Where something is missing before it, it
// begins a new octet: where in one the lost bits ended nobody knows.
func (j *BitJoiner) Push(d Data) []byte {
	j.out = j.out[:0]
	if d.Lost {
		j.out = append(j.out, j.End()...)
	}
	bits := d.Bits
	for _, v := range d.Octets {
		n := min(bits, 8)
		bits -= n
		v &= byte(0xFF) << (8 - n)
		both := uint16(j.part)<<8 | uint16(v)<<(8-j.n)
		if j.n+n < 8 {
			j.part, j.n = byte(both>>8), j.n+n
			continue
		}
		j.out = append(j.out, byte(both>>8))
		j.part, j.n = byte(both), j.n+n-8
	}
	return j.out
}

// End is the octet that the last bits begin, zeros behind them; nil if there is none.
func (j *BitJoiner) End() []byte {
	if j.n == 0 {
		return nil
	}
	last := []byte{j.part}
	j.part, j.n = 0, 0
	return last
}
