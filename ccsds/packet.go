package ccsds

import "encoding/binary"

// Sizes of a space packet in octets (CCSDS 133.0-B-2 §4.1.2).
const (
	PacketHeaderLength = 6
	MinPacketLength    = PacketHeaderLength + 1
	MaxPacketLength    = PacketHeaderLength + 65536
)

// PacketLength returns the length in octets of the whole space packet that begins with
// hdr, of which six octets are needed. Frames need it to find the packets in their data
// fields without knowing anything else about packets.
func PacketLength(hdr []byte) (int, error) {
	if len(hdr) < PacketHeaderLength {
		return 0, Errorf("space packet", len(hdr), ErrTruncated, "header needs %d octets, have %d", PacketHeaderLength, len(hdr))
	}
	if v := hdr[0] >> 5; v != 0 {
		return 0, Errorf("space packet", 0, ErrVersion, "packet version number %d, want 0", v)
	}
	return PacketHeaderLength + int(binary.BigEndian.Uint16(hdr[4:])) + 1, nil
}

// PacketIsIdle reports whether the space packet that begins with hdr has the idle APID.
func PacketIsIdle(hdr []byte) bool {
	return len(hdr) >= 2 && APID(binary.BigEndian.Uint16(hdr))&MaxAPID == IdleAPID
}

// idleOctet fills idle packets and idle frames: alternating bits keep a receiver's clock.
const idleOctet = 0x55

// AppendIdlePacket appends an idle packet (CCSDS 133.0-B-2 §4.1.3.3.4) of n octets in all
// to dst. Outside MinPacketLength to MaxPacketLength there is no such packet and dst
// returns as it was.
func AppendIdlePacket(dst []byte, n int) []byte {
	if n < MinPacketLength || n > MaxPacketLength {
		return dst
	}
	dst = append(dst, 0x07, 0xFF, 0xC0, 0x00)
	dst = binary.BigEndian.AppendUint16(dst, uint16(n-PacketHeaderLength-1))
	return AppendIdleData(dst, n-PacketHeaderLength)
}

// AppendIdleData appends n octets of idle data to dst.
func AppendIdleData(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, idleOctet)
	}
	return dst
}
