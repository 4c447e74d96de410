package router

import "time"

// queue holds the packets of one APID, oldest first. When it is full the oldest goes:
// the newest says more about now.
type queue struct {
	packets [][]byte
	limit   int
	dropped uint64
}

func (q *queue) push(p []byte) {
	if len(q.packets) == q.limit {
		q.packets = append(q.packets[:0], q.packets[1:]...)
		q.dropped++
	}
	q.packets = append(q.packets, p)
}

func (q *queue) pop() []byte {
	if len(q.packets) == 0 {
		return nil
	}
	p := q.packets[0]
	q.packets[0] = nil
	q.packets = q.packets[1:]
	return p
}

func (q *queue) unpop(p []byte) {
	if len(q.packets) < q.limit {
		q.packets = append([][]byte{p}, q.packets...)
	} else {
		q.dropped++
	}
}

// bucket bounds octets a second, with a few seconds' worth at once.
type bucket struct {
	rate, level, most float64
	at                time.Time
}

func newBucket(rate int, now time.Time) *bucket {
	most := max(4*float64(rate), 4096)
	return &bucket{rate: float64(rate), level: most, most: most, at: now}
}

func (b *bucket) take(n int, now time.Time) bool {
	if d := now.Sub(b.at); d > 0 {
		b.level = min(b.most, b.level+b.rate*d.Seconds())
		b.at = now
	}
	if b.level < float64(n) {
		return false
	}
	b.level -= float64(n)
	return true
}
