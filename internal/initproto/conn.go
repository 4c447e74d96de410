package initproto

import (
	"os"

	"github.com/perilune/perilune/internal/seqpacket"
)

// Conn is one end of the socket.
type Conn = seqpacket.Conn[Message]

var protocol = seqpacket.Protocol[Message]{Encode: Encode, Decode: Decode, MaxMessage: MaxMessage, MaxFiles: MaxFiles}

// Pair makes both ends: init keeps the first, flight inherits the second.
func Pair() (ours *Conn, theirs *os.File, err error) {
	f, theirs, err := seqpacket.Pair("flight")
	if err != nil {
		return nil, nil, err
	}
	if ours, err = NewConn(f); err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// Inherited is flight's end, as file descriptor FD.
func Inherited() (*Conn, error) { return NewConn(os.NewFile(FD, "init")) }

// NewConn takes over f, a SEQPACKET socket, and makes it non-blocking.
func NewConn(f *os.File) (*Conn, error) { return seqpacket.New(f, protocol) }
