// Package spp is the Space Packet Protocol, CCSDS 133.0-B-2.
//
//	+---------+------+-----+----------+-------+-----------+----------+----------------+
//	| version | type | sec | APID     | seq   | seq count | length-1 | data field     |
//	| 3 bits  | 1    | 1   | 11       | 2     | 14        | 16       | 1–65536 octets |
//	+---------+------+-----+----------+-------+-----------+----------+----------------+
package spp

import (
	"encoding/binary"
	"fmt"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// Sizes in octets.
const (
	HeaderLength = ccsds.PacketHeaderLength
	MaxData      = 65536
)

// Type says which way a packet flies (§4.1.3.3.2).
type Type uint8

// The two packet types.
const (
	TM Type = 0
	TC Type = 1
)

func (t Type) String() string {
	if t == TC {
		return "TC"
	}
	return "TM"
}

// SeqFlags place a packet in a group of packets (§4.1.3.4.2).
type SeqFlags uint8

// The four positions in a group.
const (
	Continuation SeqFlags = 0
	First        SeqFlags = 1
	Last         SeqFlags = 2
	Unsegmented  SeqFlags = 3
)

// LayerTypePacket is the gopacket layer type of a space packet.
var LayerTypePacket = gopacket.RegisterLayerType(ccsds.LayerNumberSPP,
	gopacket.LayerTypeMetadata{Name: "SpacePacket", Decoder: gopacket.DecodeFunc(decode)})

// Packet is a space packet. Contents is the primary header, Payload the packet data
// field: both point into the octets that were decoded.
type Packet struct {
	ccsds.BaseLayer
	Version         uint8      // §4.1.3.2, always 0
	Type            Type       // §4.1.3.3.2
	SecondaryHeader bool       // §4.1.3.3.3
	APID            ccsds.APID // §4.1.3.3.4
	SeqFlags        SeqFlags   // §4.1.3.4.2
	SeqCount        uint16     // §4.1.3.4.3, modulo 16384

	// Next is the layer type of the data field. What an application process sends is
	// managed, not in the packet; zero leaves it as plain payload. Decoding keeps it.
	Next gopacket.LayerType
}

// Idle reports whether the packet only fills space.
func (p *Packet) Idle() bool { return p.APID == ccsds.IdleAPID }

// LayerType implements gopacket.Layer.
func (p *Packet) LayerType() gopacket.LayerType { return LayerTypePacket }

// CanDecode implements gopacket.DecodingLayer.
func (p *Packet) CanDecode() gopacket.LayerClass { return LayerTypePacket }

// NextLayerType implements gopacket.DecodingLayer.
func (p *Packet) NextLayerType() gopacket.LayerType {
	if p.Next != gopacket.LayerTypeZero && !p.Idle() {
		return p.Next
	}
	return gopacket.LayerTypePayload
}

// DecodeFromBytes reads the packet that data begins with; octets behind its end, which
// TotalLength tells, are not looked at. df may be nil.
func (p *Packet) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	n, err := ccsds.PacketLength(data)
	if err != nil {
		return err
	}
	if len(data) < n {
		if df != nil {
			df.SetTruncated()
		}
		return ccsds.Errorf("space packet", len(data), ccsds.ErrTruncated, "length says %d octets, have %d", n, len(data))
	}
	id, seq := binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
	p.Version = 0
	p.Type = Type(id >> 12 & 1)
	p.SecondaryHeader = id&0x0800 != 0
	p.APID = ccsds.APID(id) & ccsds.MaxAPID
	p.SeqFlags = SeqFlags(seq >> 14)
	p.SeqCount = seq & 0x3FFF
	p.Contents, p.Payload = data[:HeaderLength:HeaderLength], data[HeaderLength:n:n]
	return nil
}

// SerializeTo implements gopacket.SerializableLayer: the data field is what b holds.
func (p *Packet) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	n := len(b.Bytes())
	if err := p.check(n); err != nil {
		return err
	}
	hdr, err := b.PrependBytes(HeaderLength)
	if err != nil {
		return fmt.Errorf("encode space packet: %w", err)
	}
	p.putHeader(hdr, n)
	return nil
}

// Append appends the packet with the given data field to dst.
func Append(dst []byte, p *Packet, data []byte) ([]byte, error) {
	if err := p.check(len(data)); err != nil {
		return dst, err
	}
	var hdr [HeaderLength]byte
	p.putHeader(hdr[:], len(data))
	return append(append(dst, hdr[:]...), data...), nil
}

// TotalLength returns the octets of the whole packet that begins with hdr.
func TotalLength(hdr []byte) (int, error) { return ccsds.PacketLength(hdr) }

// Idle returns an idle packet of n octets in all, 7 to 65542; otherwise nil.
func Idle(n int) []byte { return ccsds.AppendIdlePacket(nil, n) }

func (p *Packet) check(data int) error {
	switch {
	case p.Version != 0:
		return fmt.Errorf("encode space packet: version %d, want 0", p.Version)
	case p.Type > TC:
		return fmt.Errorf("encode space packet: type %d has more than 1 bit", p.Type)
	case !p.APID.Valid():
		return fmt.Errorf("encode space packet: APID %d has more than 11 bits", p.APID)
	case p.SeqFlags > Unsegmented:
		return fmt.Errorf("encode space packet: sequence flags %d have more than 2 bits", p.SeqFlags)
	case p.SeqCount >= SeqModulo:
		return fmt.Errorf("encode space packet: sequence count %d has more than 14 bits", p.SeqCount)
	case data < 1 || data > MaxData:
		return fmt.Errorf("encode space packet: data field of %d octets, want 1 to %d", data, MaxData)
	}
	return nil
}

func (p *Packet) putHeader(hdr []byte, data int) {
	id := uint16(p.Type)<<12 | uint16(p.APID)
	if p.SecondaryHeader {
		id |= 0x0800
	}
	binary.BigEndian.PutUint16(hdr, id)
	binary.BigEndian.PutUint16(hdr[2:], uint16(p.SeqFlags)<<14|p.SeqCount)
	binary.BigEndian.PutUint16(hdr[4:], uint16(data-1))
}

func decode(data []byte, b gopacket.PacketBuilder) error {
	return ccsds.DecodeLayer(&Packet{}, data, b)
}
