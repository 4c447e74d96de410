package ccsds

import "github.com/google/gopacket"

// layer is what the books' layers have beside gopacket.Layer.
type layer interface {
	gopacket.Layer
	DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error
	NextLayerType() gopacket.LayerType
}

// DecodeLayer decodes data as l, adds l to the packet in the making, and goes on with what l
// carries: what a gopacket decoder does.
func DecodeLayer(l layer, data []byte, b gopacket.PacketBuilder) error {
	if err := l.DecodeFromBytes(data, b); err != nil {
		return err
	}
	b.AddLayer(l)
	return b.NextDecoder(l.NextLayerType())
}

// BaseLayer gives a gopacket layer its two slices. Both point into the decoded octets.
type BaseLayer struct {
	Contents []byte // header of the layer
	Payload  []byte // what the layer carries
}

// LayerContents returns the octets of the layer itself.
func (b *BaseLayer) LayerContents() []byte { return b.Contents }

// LayerPayload returns the octets that the layer carries.
func (b *BaseLayer) LayerPayload() []byte { return b.Payload }
