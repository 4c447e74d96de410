package packets

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// MaxPending bounds the octets that wait in a Queue.
const MaxPending = 1 << 20

// ErrFull says that too many octets wait.
var ErrFull = errors.New("too many octets wait")

// Queue is what waits on one channel: packets end to end, to be cut into data fields.
type Queue struct {
	buf    []byte // octets not yet in a frame
	starts []int  // where packets begin in buf, rising
	fill   int    // octets at the end of buf that are the rest of an idle packet
}

// Append queues one whole packet, one of the Encapsulation Packet Protocol too if encap says
// so. The octets are copied. Errors wrap ccsds.ErrLength or ErrFull.
func (q *Queue) Append(packet []byte, encap bool) error {
	if err := Check(packet, encap); err != nil {
		return err
	}
	if len(q.buf)+len(packet) > MaxPending {
		return ErrFull
	}
	q.starts = append(q.starts, len(q.buf))
	q.buf = append(q.buf, packet...)
	q.fill = 0
	return nil
}

// Check reports octets that are not one whole packet. Errors wrap ccsds.ErrLength.
func Check(packet []byte, encap bool) error {
	if n, ok := Length(packet, encap); !ok || n == 0 || n != len(packet) {
		return fmt.Errorf("%d octets are no packet of a valid version: %w", len(packet), ccsds.ErrLength)
	}
	return nil
}

// Pending returns the octets of packets that wait; fill does not count.
func (q *Queue) Pending() int { return len(q.buf) - q.fill }

// Next returns the next data field of room octets, valid until Drop, and where in it the
// first packet begins, -1 when none does. ok is false when too little waits: less than
// room, or with flush nothing at all. With flush an idle packet fills the rest; where less
// than the seven octets of the shortest space packet are left, its end goes into the next
// field.
func (q *Queue) Next(room int, flush bool) (data []byte, first int, ok bool) {
	if short := room - len(q.buf); short > 0 {
		if !flush || q.Pending() == 0 {
			return nil, -1, false
		}
		n := max(short, ccsds.MinPacketLength)
		q.starts = append(q.starts, len(q.buf))
		q.buf = ccsds.AppendIdlePacket(q.buf, n)
		q.fill = n - short
	}
	first = -1
	if len(q.starts) > 0 && q.starts[0] < room {
		first = q.starts[0]
	}
	return q.buf[:room], first, true
}

// Units returns what a data field of at most room octets without pointers carries next, valid
// until Drop: whole packets, as many as fit; or a piece of one that is longer. first and last
// say whether the field begins and ends with a packet.
func (q *Queue) Units(room int) (data []byte, first, last bool) {
	end := func(i int) int { // of the packet before start i
		if i < len(q.starts) {
			return q.starts[i]
		}
		return len(q.buf)
	}
	i := 0
	if first = len(q.starts) > 0 && q.starts[0] == 0; first {
		i = 1
	}
	n := end(i)
	if n > room {
		return q.buf[:room], first, false
	}
	for first && i < len(q.starts) && end(i+1) <= room {
		i++
		n = end(i)
	}
	return q.buf[:n], first, true
}

// Head is how long the packet is that waits first, 0 if some of it has gone.
func (q *Queue) Head() int {
	if len(q.starts) == 0 || q.starts[0] > 0 {
		return 0
	}
	if len(q.starts) > 1 {
		return q.starts[1]
	}
	return len(q.buf)
}

// Drop removes the first n octets and the packet starts in them.
func (q *Queue) Drop(n int) {
	q.buf = append(q.buf[:0], q.buf[n:]...)
	gone := 0
	for gone < len(q.starts) && q.starts[gone] < n {
		gone++
	}
	q.starts = append(q.starts[:0], q.starts[gone:]...)
	for i := range q.starts {
		q.starts[i] -= n
	}
}
