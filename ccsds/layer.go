package ccsds

// BaseLayer gives a gopacket layer its two slices. Both point into the decoded octets.
type BaseLayer struct {
	Contents []byte // header of the layer
	Payload  []byte // what the layer carries
}

// LayerContents returns the octets of the layer itself.
func (b *BaseLayer) LayerContents() []byte { return b.Contents }

// LayerPayload returns the octets that the layer carries.
func (b *BaseLayer) LayerPayload() []byte { return b.Payload }
