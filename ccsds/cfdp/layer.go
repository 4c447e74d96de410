package cfdp

import (
	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// LayerTypeCFDP is the gopacket type of a PDU.
var LayerTypeCFDP = gopacket.RegisterLayerType(ccsds.LayerNumberCFDP,
	gopacket.LayerTypeMetadata{Name: "CFDP", Decoder: gopacket.DecodeFunc(decodeLayer)})

// PDU is a protocol data unit as a gopacket layer. It is the last layer of its
// packet: Contents is all of it.
type PDU struct {
	ccsds.BaseLayer
	Header
	Body Body
}

// LayerType is LayerTypeCFDP.
func (p *PDU) LayerType() gopacket.LayerType { return LayerTypeCFDP }

// CanDecode is LayerTypeCFDP.
func (p *PDU) CanDecode() gopacket.LayerClass { return LayerTypeCFDP }

// NextLayerType is none.
func (p *PDU) NextLayerType() gopacket.LayerType { return gopacket.LayerTypeZero }

// DecodeFromBytes reads a PDU. The layer refers to data.
func (p *PDU) DecodeFromBytes(data []byte, _ gopacket.DecodeFeedback) error {
	h, body, err := Decode(data)
	if err != nil {
		return err
	}
	*p = PDU{BaseLayer: ccsds.BaseLayer{Contents: data}, Header: h, Body: body}
	return nil
}

// SerializeTo puts the PDU in front of what is in b, which should be nothing.
func (p *PDU) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	pdu, err := Append(nil, p.Header, p.Body)
	if err != nil {
		return err
	}
	front, err := b.PrependBytes(len(pdu))
	if err != nil {
		return err
	}
	copy(front, pdu)
	return nil
}

func decodeLayer(data []byte, p gopacket.PacketBuilder) error {
	l := &PDU{}
	if err := l.DecodeFromBytes(data, p); err != nil {
		return err
	}
	p.AddLayer(l)
	return nil
}
