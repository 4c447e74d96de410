package tm

import (
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/packets"
)

// ExtractorStats count what an Extractor did.
type ExtractorStats = packets.Stats

// Extractor finds the packets in the frames of one virtual channel. After lost frames or
// nonsense in the data it goes on at the next first header pointer.
type Extractor struct {
	j    *packets.Joiner
	seen bool  // a frame has been here before
	vcfc uint8 // its count
}

// NewExtractor returns an Extractor that drops packets longer than maxPacket octets; 0 or
// too much means as long as a packet can be.
func NewExtractor(maxPacket int) *Extractor {
	if maxPacket < ccsds.MinPacketLength || maxPacket > ccsds.MaxPacketLength {
		maxPacket = ccsds.MaxPacketLength
	}
	return &Extractor{j: packets.NewJoiner(maxPacket, false)}
}

// Stats returns the counters so far.
func (x *Extractor) Stats() ExtractorStats { return x.j.Stats }

// Frame takes the next frame and calls emit for each packet that is complete with it,
// idle packets excepted; the octets given to emit are valid only during the call. It
// returns how many frames of the virtual channel are missing before f by its count,
// modulo 256.
func (x *Extractor) Frame(f *Frame, emit func(packet []byte)) (lost int) {
	if x.seen {
		lost = int(f.VCFC - x.vcfc - 1)
	}
	x.seen, x.vcfc = true, f.VCFC
	x.j.Missed(uint64(lost))
	switch {
	case f.Sync || f.FirstHeaderPointer == OnlyIdleData:
	case f.FirstHeaderPointer == NoPacketStart:
		x.j.Push(f.Payload, -1, emit)
	default:
		x.j.Push(f.Payload, int(f.FirstHeaderPointer), emit)
	}
	return lost
}
