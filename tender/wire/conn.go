package wire

import (
	"os"

	"github.com/perilune/perilune/internal/seqpacket"
)

// Conn is one end of a control socket.
type Conn = seqpacket.Conn[Message]

var protocol = seqpacket.Protocol[Message]{Encode: Encode, Decode: Decode, MaxMessage: MaxMessage, MaxFiles: MaxFiles}

// NewConn takes over f, a SEQPACKET socket, and makes it non-blocking.
func NewConn(f *os.File) (*Conn, error) { return seqpacket.New(f, protocol) }
