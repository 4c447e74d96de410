package pus

import (
	"encoding/binary"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// Version is the PUS version number of packets made here: 2 stands for
// ECSS-E-ST-70-41C.
const Version = 2

// Ack says which reports of service 1 a telecommand asks for
// (ECSS-E-ST-70-41C §7.4.4.1d).
type Ack uint8

// Acknowledgement flags. Failures are reported whether asked for or not.
const (
	AckAcceptance Ack = 1 << 3
	AckStart      Ack = 1 << 2
	AckProgress   Ack = 1 << 1
	AckCompletion Ack = 1 << 0
	AckAll        Ack = AckAcceptance | AckStart | AckProgress | AckCompletion
	AckNone       Ack = 0
)

const (
	tcHeaderLength = 5
	pecLength      = 2
)

// LayerTypeTC is the gopacket type of the telecommand layer, the user data of
// a space packet of type 1.
var LayerTypeTC = gopacket.RegisterLayerType(ccsds.LayerNumberPUSTC,
	gopacket.LayerTypeMetadata{Name: "PUS TC", Decoder: gopacket.DecodeFunc(decodeTC)})

// TC is the secondary header of a telecommand; Payload is the message, and
// PEC the checksum that closes the packet.
type TC struct {
	ccsds.BaseLayer
	Version uint8 // ECSS-E-ST-70-41C §7.4.4.1c: 2
	Ack     Ack
	Service uint8
	Subtype uint8
	Source  uint16 // who sent it, §7.4.4.1e
	PEC     uint16 // annex B.1; not checked here, since it also covers the primary header
}

// LayerType is LayerTypeTC.
func (t *TC) LayerType() gopacket.LayerType { return LayerTypeTC }

// CanDecode is LayerTypeTC.
func (t *TC) CanDecode() gopacket.LayerClass { return LayerTypeTC }

// NextLayerType is the message, which has no layer of its own.
func (t *TC) NextLayerType() gopacket.LayerType { return gopacket.LayerTypePayload }

// DecodeFromBytes reads a packet data field, secondary header to PEC. The
// layer refers to data.
func (t *TC) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	if len(data) < tcHeaderLength+pecLength {
		df.SetTruncated()
		return ccsds.Errorf("pus tc", len(data), ccsds.ErrTruncated, "shorter than header and checksum")
	}
	if v := data[0] >> 4; v != Version {
		return ccsds.Errorf("pus tc", 0, ccsds.ErrVersion, "PUS version %d, want %d", v, Version)
	}
	end := len(data) - pecLength
	*t = TC{
		BaseLayer: ccsds.BaseLayer{Contents: data[:tcHeaderLength], Payload: data[tcHeaderLength:end]},
		Version:   data[0] >> 4,
		Ack:       Ack(data[0] & 0x0F),
		Service:   data[1],
		Subtype:   data[2],
		Source:    binary.BigEndian.Uint16(data[3:]),
		PEC:       binary.BigEndian.Uint16(data[end:]),
	}
	return nil
}

// SerializeTo puts the secondary header before the message in b and PEC after
// it. The checksum covers the primary header, so a caller who wants a whole
// packet uses BuildTC.
func (t *TC) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	tail, err := b.AppendBytes(pecLength)
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(tail, t.PEC)
	h, err := b.PrependBytes(tcHeaderLength)
	if err != nil {
		return err
	}
	t.putHeader(h)
	return nil
}

func (t *TC) putHeader(h []byte) {
	h[0] = Version<<4 | byte(t.Ack&AckAll)
	h[1], h[2] = t.Service, t.Subtype
	binary.BigEndian.PutUint16(h[3:], t.Source)
}

func decodeTC(data []byte, p gopacket.PacketBuilder) error {
	return ccsds.DecodeLayer(&TC{}, data, p)
}
