package modules

import (
	"os"

	"github.com/perilune/perilune/hvt"
)

// NewChannel takes over f, a SEQPACKET socket whose other end is another
// guest's, and lets messages of 1 to limit octets through. Where a packet
// device makes the guest wait for room, a channel says ResultAgain: its peer
// may not run for a long time. A peer whose end is gone is like one that
// does not read, and is never ready.
func NewChannel(f *os.File, limit int) (*Net, error) {
	n, err := newNet(f, 0, [6]byte{2})
	if err == nil {
		n.socket, n.limit = true, min(limit, hvt.MaxChannelMessage)
	}
	return n, err
}
