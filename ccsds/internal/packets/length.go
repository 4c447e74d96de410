// Package packets puts packets end to end into the data fields of frames and finds them
// again. TM, AOS and USLP frames carry packets by the same rule: they follow each other
// without gaps, span frames, and a first header pointer says where in a frame the first
// one begins.
package packets

import (
	"encoding/binary"

	"github.com/perilune/perilune/ccsds"
)

// Packet version numbers that frames may carry.
const (
	versionSpace = 0 // space packet, CCSDS 133.0-B-2
	versionEncap = 7 // encapsulation packet, CCSDS 133.1-B-3
)

// encapIdle is the encapsulation packet of one octet, which is always idle
// (CCSDS 133.1-B-3 §4.1.2.3).
const encapIdle = 0xE0

// header returns the octets of the header that b begins with; 0 if it is no packet's.
func header(b byte, encap bool) int {
	switch b >> 5 {
	case versionSpace:
		return ccsds.PacketHeaderLength
	case versionEncap:
		if encap {
			return 1 << (b & 3)
		}
	}
	return 0
}

// Length returns the octets of the whole packet that begins with hdr: 0 when hdr ends
// before the packet's length field does. ok is false when hdr begins no packet. Packets of
// the Encapsulation Packet Protocol count if encap says so.
func Length(hdr []byte, encap bool) (n int, ok bool) {
	if len(hdr) == 0 {
		return 0, true
	}
	h := header(hdr[0], encap)
	switch {
	case h == 0:
		return 0, false
	case len(hdr) < h:
		return 0, true
	case hdr[0]>>5 == versionSpace:
		n, err := ccsds.PacketLength(hdr)
		return n, err == nil
	}
	var long uint64
	switch h {
	case 1:
		return 1, hdr[0] == encapIdle
	case 2:
		long = uint64(hdr[1])
	case 4:
		long = uint64(binary.BigEndian.Uint16(hdr[2:]))
	default:
		long = uint64(binary.BigEndian.Uint32(hdr[4:]))
	}
	return int(long), long >= uint64(h)
}

// Idle reports whether the packet only fills space.
func Idle(packet []byte) bool {
	if len(packet) > 0 && packet[0]>>5 == versionEncap {
		return packet[0]&0x1C == 0
	}
	return ccsds.PacketIsIdle(packet)
}
