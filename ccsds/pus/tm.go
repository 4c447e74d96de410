package pus

import (
	"encoding/binary"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/timecode"
)

// tmHeaderLength is seven octets and the time.
const tmHeaderLength = 7 + timeLength

// LayerTypeTM is the gopacket type of the telemetry layer, the user data of a
// space packet of type 0 with a secondary header.
var LayerTypeTM = gopacket.RegisterLayerType(ccsds.LayerNumberPUSTM,
	gopacket.LayerTypeMetadata{Name: "PUS TM", Decoder: gopacket.DecodeFunc(decodeTM)})

// TM is the secondary header of a telemetry packet; Payload is the message,
// and PEC the checksum that closes the packet.
type TM struct {
	ccsds.BaseLayer
	Version     uint8 // ECSS-E-ST-70-41C §7.4.3.1b: 2
	Quality     timecode.Quality
	Service     uint8
	Subtype     uint8
	Count       uint16 // of messages of this type to this destination, §7.4.3.1g
	Destination uint16
	Time        timecode.Instant
	PEC         uint16 // not checked here, since it also covers the primary header
}

// LayerType is LayerTypeTM.
func (t *TM) LayerType() gopacket.LayerType { return LayerTypeTM }

// CanDecode is LayerTypeTM.
func (t *TM) CanDecode() gopacket.LayerClass { return LayerTypeTM }

// NextLayerType is the message, which has no layer of its own.
func (t *TM) NextLayerType() gopacket.LayerType { return gopacket.LayerTypePayload }

// DecodeFromBytes reads a packet data field, secondary header to PEC. The
// layer refers to data.
func (t *TM) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	if len(data) < tmHeaderLength+pecLength {
		df.SetTruncated()
		return ccsds.Errorf("pus tm", len(data), ccsds.ErrTruncated, "shorter than header and checksum")
	}
	if v := data[0] >> 4; v != Version {
		return ccsds.Errorf("pus tm", 0, ccsds.ErrVersion, "PUS version %d, want %d", v, Version)
	}
	at, err := readTime(data[7:tmHeaderLength])
	if err != nil {
		return err
	}
	end := len(data) - pecLength
	*t = TM{
		BaseLayer:   ccsds.BaseLayer{Contents: data[:tmHeaderLength], Payload: data[tmHeaderLength:end]},
		Version:     data[0] >> 4,
		Quality:     timecode.Quality(data[0] & 0x0F), // time reference status, §7.4.3.1d
		Service:     data[1],
		Subtype:     data[2],
		Count:       binary.BigEndian.Uint16(data[3:]),
		Destination: binary.BigEndian.Uint16(data[5:]),
		Time:        at,
		PEC:         binary.BigEndian.Uint16(data[end:]),
	}
	return nil
}

// SerializeTo puts the secondary header before the message in b and PEC after
// it. The checksum covers the primary header, so a caller who wants a whole
// packet uses BuildTM.
func (t *TM) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	h, err := t.appendHeader(nil)
	if err != nil {
		return err
	}
	tail, err := b.AppendBytes(pecLength)
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(tail, t.PEC)
	front, err := b.PrependBytes(len(h))
	if err != nil {
		return err
	}
	copy(front, h)
	return nil
}

func (t *TM) appendHeader(dst []byte) ([]byte, error) {
	dst = append(dst, Version<<4|byte(t.Quality)&0x0F, t.Service, t.Subtype)
	dst = binary.BigEndian.AppendUint16(dst, t.Count)
	dst = binary.BigEndian.AppendUint16(dst, t.Destination)
	return appendTime(dst, t.Time)
}

func decodeTM(data []byte, p gopacket.PacketBuilder) error {
	return ccsds.DecodeLayer(&TM{}, data, p)
}
