package tc

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// SegFlags place a segment in its packet (§4.1.3.2.2.2).
type SegFlags uint8

// The four positions of a segment.
const (
	Continuation SegFlags = 0
	First        SegFlags = 1
	Last         SegFlags = 2
	Unsegmented  SegFlags = 3
)

// SegmentHeaderLength is the segment header in octets.
const SegmentHeaderLength = 1

// ErrSegment is wrapped by all errors of a Reassembler: the segment did not fit what
// came before it, and what had been collected on its access point is dropped.
var ErrSegment = errors.New("segment out of place")

// SegmentHeader makes the octet in front of each segment (§4.1.3.2.2).
func SegmentHeader(m ccsds.MAPID, f SegFlags) byte { return byte(f)<<6 | byte(m&ccsds.MaxMAPID) }

// ParseSegmentHeader takes a segment header apart.
func ParseSegmentHeader(b byte) (ccsds.MAPID, SegFlags) {
	return ccsds.MAPID(b) & ccsds.MaxMAPID, SegFlags(b >> 6)
}

// Segment cuts a packet into segments for access point m, each with its header and at
// most max octets with it (what a data field holds when security has taken its share).
func Segment(m ccsds.MAPID, packet []byte, max int) ([][]byte, error) {
	switch {
	case !m.Valid():
		return nil, fmt.Errorf("segment packet: access point %d has more than 6 bits", m)
	case max <= SegmentHeaderLength:
		return nil, fmt.Errorf("segment packet: %d octets leave no room behind the segment header", max)
	case len(packet) == 0:
		return nil, errors.New("segment packet: it is empty")
	}
	room := max - SegmentHeaderLength
	segments := make([][]byte, 0, (len(packet)+room-1)/room)
	for at := 0; at < len(packet); at += room {
		end := min(at+room, len(packet))
		f := Continuation
		switch {
		case at == 0 && end == len(packet):
			f = Unsegmented
		case at == 0:
			f = First
		case end == len(packet):
			f = Last
		}
		s := make([]byte, 0, SegmentHeaderLength+end-at)
		s = append(s, SegmentHeader(m, f))
		segments = append(segments, append(s, packet[at:end]...))
	}
	return segments, nil
}
