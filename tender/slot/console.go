package slot

import (
	"sync"
	"time"

	"github.com/perilune/perilune/tender/console"
	"github.com/perilune/perilune/tender/wire"
	"golang.org/x/sys/unix"
)

// Limits of the text that is sent to flight as it comes: a guest may burst,
// then write at a steady rate. What is above that, or what flight does not
// fetch, stays behind; the guest never waits for its console.
const (
	burstOctets     = 64 << 10
	octetsPerSecond = 64 << 10
	burstMessages   = 200
	messagesPerSec  = 200

	// requestQueued asks how much of the socket's buffer is in use. It has
	// the number of the terminal's request of the same meaning.
	requestQueued = unix.TIOCOUTQ
)

// live sends the guest's text to flight and keeps the last of it.
type live struct {
	conn *wire.Conn
	fd   int    // the socket's number, which the filter knows: conn has none any more once it is closed
	size int    // octets of the socket's buffer
	end  uint64 // offset of what comes next
	told uint64 // offset that flight knows of

	kept             console.History
	octets, messages console.Bucket

	asked sync.Mutex // guards over, and is held while a Recall is answered
	over  bool       // the guest is, and no Recall is answered any more
}

func newLive(conn *wire.Conn) (*live, error) {
	fd := conn.Fd()
	size, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		return nil, err
	}
	c := &live{conn: conn, fd: fd, size: size,
		octets:   console.Bucket{Rate: octetsPerSecond, Burst: burstOctets},
		messages: console.Bucket{Rate: messagesPerSec, Burst: burstMessages}}
	now := time.Now()
	c.octets.Fill(now)
	c.messages.Fill(now)
	return c, nil
}

// write keeps p and sends it in messages of at most wire.MaxConsole octets. It
// runs on the vCPU's thread and always succeeds.
func (c *live) write(p []byte) error {
	c.kept.Write(p)
	for len(p) > 0 {
		n := min(len(p), wire.MaxConsole)
		if c.allow(float64(n)) && c.send(wire.Console{Offset: c.end, Data: p[:n]}, c.size/2) {
			c.told = c.end + uint64(n)
		}
		c.end += uint64(n)
		p = p[n:]
	}
	return nil
}

// allow spends n octets and one message, if there are as many.
func (c *live) allow(n float64) bool {
	now := time.Now()
	if !c.octets.Has(n, now) || !c.messages.Has(1, now) {
		return false
	}
	c.octets.Spend(n)
	c.messages.Spend(1)
	return true
}

// send gives up when more than room octets wait in the socket already: the
// rest of it is for messages that must get through.
func (c *live) send(m wire.Message, room int) bool {
	queued, err := unix.IoctlGetInt(c.fd, requestQueued)
	return err == nil && queued <= room && c.conn.TrySend(m) == nil
}

// recall answers a Recall. It may run beside write, and beside the guest's end, behind which nothing is said.
func (c *live) recall(offset uint64) {
	c.asked.Lock()
	defer c.asked.Unlock()
	if !c.over {
		c.send(c.recalled(offset, false), c.size/2)
	}
}

func (c *live) recalled(offset uint64, last bool) wire.Recalled {
	text := make([]byte, wire.MaxConsole)
	n, from := c.kept.ReadAt(text, offset)
	start, end := c.kept.Bounds()
	// The guest may have written in between.
	return wire.Recalled{Start: min(start, from), Offset: from, End: end, Last: last, Data: text[:n]}
}

// handOver sends what is kept when the guest has ended, for nobody can ask
// afterwards. It waits for room, but not long, and leaves some for Exited.
func (c *live) handOver() {
	c.asked.Lock()
	c.over = true
	c.asked.Unlock()
	at, end := c.kept.Bounds()
	for until := time.Now().Add(lastWord); at < end; {
		m := c.recalled(at, true)
		switch {
		case c.send(m, c.size*3/4):
			at += uint64(len(m.Data))
		case time.Now().After(until):
			return
		default:
			time.Sleep(lastWord / 200)
		}
	}
}

// rest is the message that tells how far the text went, if flight does not
// know.
func (c *live) rest() (m wire.Console, ok bool) {
	return wire.Console{Offset: c.end}, c.told != c.end
}
