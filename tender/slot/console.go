package slot

import (
	"time"

	"github.com/perilune/perilune/tender/wire"
	"golang.org/x/sys/unix"
)

// Limits of the console: a guest may burst, then write at a steady rate. What
// is above that, or what flight does not fetch, is dropped and counted; the
// guest never waits for its console.
const (
	burstOctets     = 64 << 10
	octetsPerSecond = 64 << 10
	burstMessages   = 200
	messagesPerSec  = 200

	// requestQueued asks how much of the socket's buffer is in use. It has
	// the number of the terminal's request of the same meaning.
	requestQueued = unix.TIOCOUTQ
)

// console sends the guest's text to flight.
type console struct {
	conn    *wire.Conn
	room    int // octets the socket may hold before text is dropped
	dropped uint32
	told    uint32 // dropped, as of the last message

	octets, messages float64 // left to spend
	last             time.Time
}

func newConsole(conn *wire.Conn) (*console, error) {
	size, err := unix.GetsockoptInt(conn.Fd(), unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		return nil, err
	}
	// Half of the buffer stays free for messages that must get through.
	return &console{conn: conn, room: size / 2, octets: burstOctets, messages: burstMessages, last: time.Now()}, nil
}

// write sends p in messages of at most wire.MaxConsole octets. It runs on the
// vCPU's thread and always succeeds.
func (c *console) write(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), wire.MaxConsole)
		if !c.allow(n) || !c.send(p[:n]) {
			c.dropped += uint32(n)
		}
		p = p[n:]
	}
	return nil
}

// allow spends n octets and one message, if there are as many.
func (c *console) allow(n int) bool {
	now := time.Now()
	passed := now.Sub(c.last).Seconds()
	c.last = now
	c.octets = min(c.octets+passed*octetsPerSecond, burstOctets)
	c.messages = min(c.messages+passed*messagesPerSec, burstMessages)
	if c.octets < float64(n) || c.messages < 1 {
		return false
	}
	c.octets -= float64(n)
	c.messages--
	return true
}

func (c *console) send(p []byte) bool {
	if queued, err := unix.IoctlGetInt(c.conn.Fd(), requestQueued); err != nil || queued > c.room {
		return false
	}
	if c.conn.TrySend(wire.Console{Data: p, Dropped: c.dropped}) != nil {
		return false
	}
	c.told = c.dropped
	return true
}

// rest is the message that counts what was dropped after the last text; ok is
// false when nothing was.
func (c *console) rest() (m wire.Console, ok bool) {
	return wire.Console{Dropped: c.dropped}, c.told != c.dropped
}
