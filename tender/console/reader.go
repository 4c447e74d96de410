package console

import "time"

// Limits toward one reader: a burst as long as the history, so that it comes
// at once, then a steady rate.
const (
	ReaderRate  = 256 << 10 // octets a second
	readerBurst = Size
	readerChunk = 4096 // octets handed out at a time
)

// Reader goes through a History at its own pace.
type Reader struct {
	h     *History
	at    uint64
	more  chan struct{}
	limit Bucket
}

// Attach makes a reader whose first text is that at offset.
func (h *History) Attach(offset uint64) *Reader {
	r := &Reader{h: h, at: offset, more: make(chan struct{}, 1), limit: Bucket{Rate: ReaderRate, Burst: readerBurst}}
	r.limit.Fill(time.Now())
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readers == nil {
		h.readers = map[*Reader]bool{}
	}
	h.readers[r] = true
	return r
}

// Detach ends the reader; History forgets it.
func (r *Reader) Detach() {
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	delete(r.h.readers, r)
}

// poke says that there is more, without waiting for anybody.
func (r *Reader) poke() {
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// Next waits for text and copies it into p, as much as the rate allows.
// dropped counts octets before it that the reader was too slow, or too late,
// for. It returns 0 octets once stop is closed and all is read.
func (r *Reader) Next(p []byte, stop <-chan struct{}) (n int, dropped uint64) {
	p = p[:min(len(p), readerChunk)]
	for {
		// What is there is looked at after stop, so that nothing said before
		// it is missed.
		var ended bool
		select {
		case <-stop:
			ended = true
		default:
		}
		n, from := r.h.ReadAt(p, r.at)
		if n > 0 && !r.limit.Has(float64(n), time.Now()) {
			time.Sleep(r.limit.Wait(float64(n)))
			continue // meanwhile the text may have moved on
		}
		if n > 0 {
			r.limit.Spend(float64(n))
			dropped = from - r.at
			r.at = from + uint64(n)
			return n, dropped
		}
		if ended {
			return 0, 0
		}
		select {
		case <-r.more:
		case <-stop:
		}
	}
}
