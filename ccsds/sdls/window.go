package sdls

// window is the anti-replay state of one association: the highest number seen and
// a bit for each of the MaxWindow numbers up to it, lowest bit for the highest.
type window struct {
	top  uint64
	bits [MaxWindow / 64]uint64
}

// floor is a window in which n and all numbers below count as seen.
func floor(n uint64) window {
	w := window{top: n}
	for i := range w.bits {
		w.bits[i] = ^uint64(0)
	}
	return w
}

// take marks n as seen. ok is false if it was seen before, or lies size or more
// below the highest. Number 0 is never valid.
func (w window) take(n uint64, size int) (next window, ok bool) {
	if n == 0 {
		return w, false
	}
	if n > w.top {
		w.shift(n - w.top)
		w.top = n
		w.bits[0] |= 1
		return w, true
	}
	d := w.top - n
	if d >= uint64(size) || w.bits[d/64]>>(d%64)&1 != 0 {
		return w, false
	}
	w.bits[d/64] |= 1 << (d % 64)
	return w, true
}

func (w *window) shift(by uint64) {
	if by >= MaxWindow {
		w.bits = [len(w.bits)]uint64{}
		return
	}
	whole, part := int(by/64), by%64
	for i := len(w.bits) - 1; i >= 0; i-- {
		var v uint64
		if i >= whole {
			v = w.bits[i-whole] << part
			if part > 0 && i > whole {
				v |= w.bits[i-whole-1] >> (64 - part)
			}
		}
		w.bits[i] = v
	}
}
