package sdls

import (
	"encoding/binary"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// Lengths in octets.
const (
	HeaderLength  = 14                           // SPI and initialisation vector
	TrailerLength = 16                           // MAC
	Overhead      = HeaderLength + TrailerLength // what protection adds to a frame
	ivLength      = 12
)

// LayerTypeSDLS is the gopacket layer of a protected frame data field.
var LayerTypeSDLS = gopacket.RegisterLayerType(ccsds.LayerNumberSDLS,
	gopacket.LayerTypeMetadata{Name: "SDLS", Decoder: gopacket.DecodeFunc(decode)})

// Field is a protected frame data field taken apart, neither checked nor
// decrypted: Payload is the ciphertext.
type Field struct {
	ccsds.BaseLayer
	SPI     uint16 // security parameter index, §4.1.1.2
	Fixed   uint32 // high 32 bits of the initialisation vector
	Counter uint64 // low 64 bits: the anti-replay number
	MAC     [TrailerLength]byte
}

// LayerType implements gopacket.Layer.
func (f *Field) LayerType() gopacket.LayerType { return LayerTypeSDLS }

// CanDecode implements gopacket.DecodingLayer.
func (f *Field) CanDecode() gopacket.LayerClass { return LayerTypeSDLS }

// NextLayerType implements gopacket.DecodingLayer: what follows is ciphertext.
func (f *Field) NextLayerType() gopacket.LayerType { return gopacket.LayerTypePayload }

// DecodeFromBytes takes a frame data field (after the segment header, before the
// FECF) apart.
func (f *Field) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	if len(data) < Overhead {
		if df != nil {
			df.SetTruncated()
		}
		return ccsds.Errorf("sdls", len(data), ErrTruncated, "shorter than %d octets", Overhead)
	}
	end := len(data) - TrailerLength
	f.BaseLayer = ccsds.BaseLayer{Contents: data[:HeaderLength], Payload: data[HeaderLength:end]}
	f.SPI = binary.BigEndian.Uint16(data)
	f.Fixed = binary.BigEndian.Uint32(data[2:])
	f.Counter = binary.BigEndian.Uint64(data[6:])
	copy(f.MAC[:], data[end:])
	return nil
}

// SerializeTo implements gopacket.SerializableLayer: header before and MAC behind
// what the buffer holds.
func (f *Field) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	tail, err := b.AppendBytes(TrailerLength)
	if err != nil {
		return err
	}
	copy(tail, f.MAC[:])
	head, err := b.PrependBytes(HeaderLength)
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(head, f.SPI)
	binary.BigEndian.PutUint32(head[2:], f.Fixed)
	binary.BigEndian.PutUint64(head[6:], f.Counter)
	return nil
}

func decode(data []byte, p gopacket.PacketBuilder) error {
	return ccsds.DecodeLayer(new(Field), data, p)
}
