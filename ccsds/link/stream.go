package link

import (
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/packets"
)

// packetStream finds the packets in a stream of octets from which nothing is missing: each
// begins where the one before ends. Octets that begin no packet are passed over, so that
// a stream that did lose something is found again sooner or later.
type packetStream struct {
	encap   bool
	buf     []byte
	at      uint64 // octet of the stream that buf begins with
	packets uint64
	skipped uint64
}

func newPacketStream(encap bool) *packetStream { return &packetStream{encap: encap} }

// push takes the next octets and calls emit for each packet, idle ones excepted. The
// octets given to emit are valid only during the call.
func (p *packetStream) push(octets []byte, emit func(packet []byte, bit uint64)) {
	p.buf = append(p.buf, octets...)
	rest := p.buf
	for len(rest) > 0 {
		n, ok := packets.Length(rest, p.encap)
		if !ok || n > ccsds.MaxPacketLength {
			p.skipped++
			p.at++
			rest = rest[1:]
			continue
		}
		if n == 0 || n > len(rest) {
			break
		}
		if !packets.Idle(rest[:n]) {
			p.packets++
			emit(rest[:n:n], 8*p.at)
		}
		p.at += uint64(n)
		rest = rest[n:]
	}
	p.buf = append(p.buf[:0], rest...)
}

// reset forgets the packet that has begun.
func (p *packetStream) reset() {
	p.at += uint64(len(p.buf))
	p.buf = p.buf[:0]
}
