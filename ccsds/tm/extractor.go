package tm

import "github.com/perilune/perilune/ccsds"

// Extractor finds the packets in the frames of one virtual channel. After lost frames or
// nonsense in the data it goes on at the next first header pointer.
type Extractor struct {
	maxPacket int
	seen      bool  // a frame has been here before
	vcfc      uint8 // its count
	synced    bool  // the next octet continues part, or begins a packet
	part      []byte
	stats     ExtractorStats
}

// ExtractorStats count what an Extractor did.
type ExtractorStats struct {
	Packets uint64 // emitted
	Idle    uint64 // idle packets, not emitted
	Dropped uint64 // packets begun and not finished, or too long, or not packets
	Lost    uint64 // frames missing by their count
}

// NewExtractor returns an Extractor that drops packets longer than maxPacket octets; 0 or
// too much means as long as a packet can be.
func NewExtractor(maxPacket int) *Extractor {
	if maxPacket < ccsds.MinPacketLength || maxPacket > ccsds.MaxPacketLength {
		maxPacket = ccsds.MaxPacketLength
	}
	return &Extractor{maxPacket: maxPacket}
}

// Stats returns the counters so far.
func (x *Extractor) Stats() ExtractorStats { return x.stats }

// Frame takes the next frame and calls emit for each packet that is complete with it,
// idle packets excepted; the octets given to emit are valid only during the call. It
// returns how many frames of the virtual channel are missing before f by its count,
// modulo 256.
func (x *Extractor) Frame(f *Frame, emit func(packet []byte)) (lost int) {
	if x.seen {
		lost = int(f.VCFC - x.vcfc - 1)
	}
	x.seen, x.vcfc = true, f.VCFC
	if lost > 0 {
		x.stats.Lost += uint64(lost)
		x.desync()
	}
	if f.Sync || f.FirstHeaderPointer == OnlyIdleData {
		return lost
	}
	head, tail := f.Payload, []byte(nil)
	if f.FirstHeaderPointer != NoPacketStart {
		n := min(int(f.FirstHeaderPointer), len(f.Payload))
		head, tail = f.Payload[:n], f.Payload[n:]
	}
	x.finish(head, emit)
	if f.FirstHeaderPointer != NoPacketStart {
		if len(x.part) > 0 { // the pointer says that it should have ended
			x.desync()
		}
		x.synced = true
		x.begin(tail, emit)
	}
	return lost
}

// desync gives up the packet in hand.
func (x *Extractor) desync() {
	if len(x.part) > 0 {
		x.stats.Dropped++
	}
	x.part, x.synced = x.part[:0], false
}

// finish continues the packet in hand with the octets in front of the first packet that
// begins in the frame. They must end it, or not, but hold nothing else.
func (x *Extractor) finish(data []byte, emit func([]byte)) {
	if !x.synced || len(data) == 0 {
		return
	}
	if len(x.part) == 0 {
		x.stats.Dropped++
		x.synced = false
		return
	}
	if need := ccsds.PacketHeaderLength - len(x.part); need > 0 {
		n := min(need, len(data))
		x.part = append(x.part, data[:n]...)
		data = data[n:]
		if len(x.part) < ccsds.PacketHeaderLength {
			return
		}
	}
	total, ok := x.length(x.part)
	if !ok || len(x.part)+len(data) > total {
		x.desync()
		return
	}
	x.part = append(x.part, data...)
	if len(x.part) == total {
		x.deliver(x.part, emit)
		x.part = x.part[:0]
	}
}

// begin takes octets that begin with a packet and keeps the last, unfinished one.
func (x *Extractor) begin(data []byte, emit func([]byte)) {
	for len(data) >= ccsds.PacketHeaderLength {
		n, ok := x.length(data)
		if !ok {
			x.stats.Dropped++
			x.synced = false
			return
		}
		if n > len(data) {
			break
		}
		x.deliver(data[:n:n], emit)
		data = data[n:]
	}
	x.part = append(x.part[:0], data...)
}

func (x *Extractor) length(hdr []byte) (n int, ok bool) {
	n, err := ccsds.PacketLength(hdr)
	return n, err == nil && n <= x.maxPacket
}

func (x *Extractor) deliver(packet []byte, emit func([]byte)) {
	if ccsds.PacketIsIdle(packet) {
		x.stats.Idle++
		return
	}
	x.stats.Packets++
	emit(packet)
}
