// Package console keeps what a guest has printed and hands it to readers. A
// guest never waits for any of them: its text goes into a History of fixed
// size, and who reads too slowly, or begins late, finds the oldest of it gone
// and learns how much.
//
//	guest ── Write ──▶ History ◀── Reader (own pace, own offset)
//
// Positions are offsets in octets since the guest began.
package console

import "sync"

// Size is how much text a History keeps, in octets.
const Size = 64 << 10

// History holds the last Size octets of a guest's text. The zero History is
// ready; it is safe for concurrent use.
type History struct {
	mu      sync.Mutex
	ring    [Size]byte // the octet of offset o lies at o % Size
	end     uint64     // offset behind the last octet
	readers map[*Reader]bool
}

// Write appends text. It takes as long as copying min(len(p), Size) octets.
func (h *History) Write(p []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if skip := len(p) - Size; skip > 0 {
		h.end += uint64(skip)
		p = p[skip:]
	}
	n := copy(h.ring[h.end%Size:], p)
	copy(h.ring[:], p[n:])
	h.end += uint64(len(p))
	for r := range h.readers {
		r.poke()
	}
}

// Bounds are the offsets of the oldest octet kept and behind the last one.
func (h *History) Bounds() (start, end uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.start(), h.end
}

// start needs the lock.
func (h *History) start() uint64 { return h.end - min(h.end, Size) }

// ReadAt copies text into p. It begins at offset, or at the oldest octet kept
// if that one is gone: from says where. n is 0 when there is nothing at or
// after offset.
func (h *History) ReadAt(p []byte, offset uint64) (n int, from uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	from = min(max(offset, h.start()), h.end)
	p = p[:min(uint64(len(p)), h.end-from)]
	n = copy(p, h.ring[from%Size:])
	return n + copy(p[n:], h.ring[:]), from
}
