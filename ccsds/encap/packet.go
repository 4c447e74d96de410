// Package encap is the Encapsulation Packet Protocol, CCSDS 133.1-B-3: packets that carry
// the data of other protocols, with headers of one, two, four or eight octets.
//
//	+---------+----------+----------+--------------+-----------+---------+--------+------+
//	| version | protocol | length   | user defined | extension | CCSDS   | length | data |
//	| 3 bits  | 3        | of len 2 | 4            | 4         | 16      | 0–32   |      |
//	+---------+----------+----------+--------------+-----------+---------+--------+------+
//	|<-------- always ------------->|<- headers of 4 and 8 --->|<- of 8->|
package encap

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// version is the packet version number, 3 bits (§4.1.2.2).
const version = 7

// Protocol is the encapsulation protocol identifier, 3 bits (§4.1.2.3; values are
// registered with SANA).
type Protocol uint8

// Protocols of the header's first octet.
const (
	Idle     Protocol = 0 // fill
	LTP      Protocol = 1 // Licklider Transmission Protocol
	IPE      Protocol = 2 // Internet Protocol Extension
	CFDP     Protocol = 3 // CCSDS File Delivery Protocol
	BP       Protocol = 4 // Bundle Protocol
	Extended Protocol = 6 // the protocol is in Packet.Extension
	Mission  Protocol = 7 // private to the mission
)

// LayerTypePacket is the gopacket layer type of an encapsulation packet.
var LayerTypePacket = gopacket.RegisterLayerType(ccsds.LayerNumberEncap,
	gopacket.LayerTypeMetadata{Name: "EncapsulationPacket", Decoder: gopacket.DecodeFunc(decode)})

// Packet is an encapsulation packet. Contents is the header, Payload the data zone: both
// point into the octets that were decoded.
type Packet struct {
	ccsds.BaseLayer
	Protocol     Protocol
	HeaderLength int    // 1, 2, 4 or 8 octets; 0 when encoding: the shortest that fits
	UserDefined  uint8  // §4.1.2.5, 4 bits, in headers of 4 and 8 octets
	Extension    uint8  // §4.1.2.6, 4 bits, likewise
	CCSDSDefined uint16 // §4.1.2.7, in headers of 8 octets

	// Next is the layer type of the data zone; zero leaves it as plain payload. Decoding
	// keeps it.
	Next gopacket.LayerType
}

// LayerType implements gopacket.Layer.
func (p *Packet) LayerType() gopacket.LayerType { return LayerTypePacket }

// CanDecode implements gopacket.DecodingLayer.
func (p *Packet) CanDecode() gopacket.LayerClass { return LayerTypePacket }

// NextLayerType implements gopacket.DecodingLayer.
func (p *Packet) NextLayerType() gopacket.LayerType {
	if p.Next != gopacket.LayerTypeZero && p.Protocol != Idle {
		return p.Next
	}
	return gopacket.LayerTypePayload
}

// TotalLength returns the octets of the whole packet that begins with hdr, of which as many
// are needed as its first octet says.
func TotalLength(hdr []byte) (int, error) {
	if len(hdr) == 0 {
		return 0, ccsds.Errorf("encapsulation packet", 0, ccsds.ErrTruncated, "it is empty")
	}
	if v := hdr[0] >> 5; v != version {
		return 0, ccsds.Errorf("encapsulation packet", 0, ccsds.ErrVersion, "packet version number %d, want %d", v, version)
	}
	h := 1 << (hdr[0] & 3)
	if len(hdr) < h {
		return 0, ccsds.Errorf("encapsulation packet", len(hdr), ccsds.ErrTruncated, "header needs %d octets, have %d", h, len(hdr))
	}
	n := uint64(1)
	switch h {
	case 1:
		if Protocol(hdr[0]>>2&7) != Idle {
			return 0, ccsds.Errorf("encapsulation packet", 0, ccsds.ErrReserved, "packet of one octet is not idle")
		}
	case 2:
		n = uint64(hdr[1])
	case 4:
		n = uint64(binary.BigEndian.Uint16(hdr[2:]))
	default:
		n = uint64(binary.BigEndian.Uint32(hdr[4:]))
	}
	if n < uint64(h) || n > math.MaxInt32 {
		return 0, ccsds.Errorf("encapsulation packet", h/2, ccsds.ErrLength, "length of %d octets with a header of %d", n, h)
	}
	return int(n), nil
}

// DecodeFromBytes reads the packet that data begins with; octets behind its end, which
// TotalLength tells, are not looked at. df may be nil. Errors wrap ccsds.ErrTruncated,
// ErrVersion, ErrReserved or ErrLength.
func (p *Packet) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	n, err := TotalLength(data)
	if err != nil {
		return err
	}
	if len(data) < n {
		if df != nil {
			df.SetTruncated()
		}
		return ccsds.Errorf("encapsulation packet", len(data), ccsds.ErrTruncated, "length says %d octets, have %d", n, len(data))
	}
	h := 1 << (data[0] & 3)
	p.Protocol, p.HeaderLength = Protocol(data[0]>>2&7), h
	p.UserDefined, p.Extension, p.CCSDSDefined = 0, 0, 0
	if h >= 4 {
		p.UserDefined, p.Extension = data[1]>>4, data[1]&15
	}
	if h == 8 {
		p.CCSDSDefined = binary.BigEndian.Uint16(data[2:])
	}
	p.Contents, p.Payload = data[:h:h], data[h:n:n]
	switch {
	case p.Extension != 0 && p.Protocol != Extended:
		return ccsds.Errorf("encapsulation packet", 1, ccsds.ErrReserved, "extension %d of protocol %d", p.Extension, p.Protocol)
	case p.Protocol == Extended && h < 4:
		return ccsds.Errorf("encapsulation packet", 0, ccsds.ErrReserved, "header of %d octets has no protocol extension", h)
	}
	return nil
}

// Append appends the packet with the given data zone to dst.
func Append(dst []byte, p *Packet, data []byte) ([]byte, error) {
	h, err := p.header(len(data))
	if err != nil {
		return dst, err
	}
	var hdr [8]byte
	p.putHeader(hdr[:h], h+len(data))
	return append(append(dst, hdr[:h]...), data...), nil
}

// SerializeTo implements gopacket.SerializableLayer: the data zone is what b holds.
func (p *Packet) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	n := len(b.Bytes())
	h, err := p.header(n)
	if err != nil {
		return err
	}
	hdr, err := b.PrependBytes(h)
	if err != nil {
		return fmt.Errorf("encode encapsulation packet: %w", err)
	}
	p.putHeader(hdr, h+n)
	return nil
}

// header checks the packet and chooses its header.
func (p *Packet) header(data int) (int, error) {
	least := 8
	switch {
	case p.CCSDSDefined != 0 || data > math.MaxUint16-4:
	case p.UserDefined != 0 || p.Extension != 0 || p.Protocol == Extended || data > math.MaxUint8-2:
		least = 4
	case p.Protocol != Idle || data > 0:
		least = 2
	default:
		least = 1
	}
	h := max(p.HeaderLength, least)
	switch {
	case p.Protocol > Mission:
		return 0, fmt.Errorf("encode encapsulation packet: protocol %d has more than 3 bits", p.Protocol)
	case p.UserDefined > 15 || p.Extension > 15:
		return 0, fmt.Errorf("encode encapsulation packet: user defined field %d or extension %d has more than 4 bits", p.UserDefined, p.Extension)
	case p.Extension != 0 && p.Protocol != Extended:
		return 0, fmt.Errorf("encode encapsulation packet: extension %d of protocol %d", p.Extension, p.Protocol)
	case data > math.MaxInt32-8:
		return 0, fmt.Errorf("encode encapsulation packet: data of %d octets", data)
	case p.HeaderLength != 0 && p.HeaderLength != h || h&(h-1) != 0 || h > 8:
		return 0, fmt.Errorf("encode encapsulation packet: header of %d octets, needs %d", p.HeaderLength, least)
	}
	return h, nil
}

func (p *Packet) putHeader(hdr []byte, total int) {
	hdr[0] = version<<5 | byte(p.Protocol)<<2 | byte(bits.TrailingZeros(uint(len(hdr))))
	switch len(hdr) {
	case 2:
		hdr[1] = byte(total)
	case 4:
		hdr[1] = p.UserDefined<<4 | p.Extension
		binary.BigEndian.PutUint16(hdr[2:], uint16(total))
	case 8:
		hdr[1] = p.UserDefined<<4 | p.Extension
		binary.BigEndian.PutUint16(hdr[2:], p.CCSDSDefined)
		binary.BigEndian.PutUint32(hdr[4:], uint32(total))
	}
}

// AppendIdle appends an idle packet of n octets in all to dst; for n below 1 nothing.
func AppendIdle(dst []byte, n int) []byte {
	for h := 1; h <= 8; h *= 2 {
		p := Packet{HeaderLength: h}
		if got, err := p.header(n - h); err == nil && got == h && n >= h {
			at := len(dst)
			dst = append(dst, make([]byte, h)...)
			p.putHeader(dst[at:], n)
			return ccsds.AppendIdleData(dst, n-h)
		}
	}
	return dst
}

func decode(data []byte, b gopacket.PacketBuilder) error {
	return ccsds.DecodeLayer(&Packet{}, data, b)
}
