package aos

import (
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/packets"
)

// ExtractorStats count what an Extractor did.
type ExtractorStats = packets.Stats

// Extractor finds the packets in the frames of one virtual channel. After lost frames or
// nonsense in the data it goes on at the next first header pointer.
type Extractor struct {
	j     *packets.Joiner
	seen  bool   // a frame has been here before
	count uint32 // its count
}

// NewExtractor returns an Extractor that drops packets longer than maxPacket octets; 0 or
// too much means as long as a space packet can be. With encap, packets of the
// Encapsulation Packet Protocol are found too.
func NewExtractor(maxPacket int, encap bool) *Extractor {
	if maxPacket < ccsds.MinPacketLength || maxPacket > ccsds.MaxPacketLength {
		maxPacket = ccsds.MaxPacketLength
	}
	return &Extractor{j: packets.NewJoiner(maxPacket, encap)}
}

// Stats returns the counters so far.
func (x *Extractor) Stats() ExtractorStats { return x.j.Stats }

// Frame takes the next frame and calls emit for each packet that is complete with it,
// idle packets excepted; the octets given to emit are valid only during the call. It
// returns how many frames of the virtual channel are missing before f by its count,
// modulo 2^24, or 2^28 if the cycle is used. A frame that holds no M_PDU is an error and
// counts as a break in the stream of packets.
func (x *Extractor) Frame(f *Frame, emit func(packet []byte)) (lost int, err error) {
	if x.seen {
		width := uint32(0xFFFFFF)
		if f.CycleUsed {
			width = 0xFFFFFFF
		}
		lost = int((f.Count() - x.count - 1) & width)
	}
	x.seen, x.count = true, f.Count()
	x.j.Missed(uint64(lost))
	if f.Idle() {
		return lost, nil
	}
	m, err := ParseMPDU(f.Payload)
	if err != nil {
		x.j.Break()
		return lost, err
	}
	switch m.First {
	case OnlyIdleData:
	case NoPacketStart:
		x.j.Push(m.Zone, -1, emit)
	default:
		x.j.Push(m.Zone, int(m.First), emit)
	}
	return lost, nil
}
