package aos

import (
	"encoding/binary"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// LayerTypeFrame is the gopacket layer type of an AOS transfer frame. Its registered
// decoder knows no managed parameters: it takes frames of any spacecraft and length with
// FECF and without header error control, insert zone and OCF.
var LayerTypeFrame = gopacket.RegisterLayerType(ccsds.LayerNumberAOS,
	gopacket.LayerTypeMetadata{Name: "AOSFrame", Decoder: gopacket.DecodeFunc(decodeAny)})

// Frame is an AOS transfer frame. Contents is the primary header, Payload the data field:
// both point into the octets that were decoded, or into a corrected copy.
type Frame struct {
	ccsds.BaseLayer
	Params     Params     // managed; set before decoding or encoding, kept by both
	SCID       ccsds.SCID // §4.1.2.2.3; the high 2 of 10 bits stand in the signaling field
	VCID       ccsds.VCID // §4.1.2.3
	VCFC       uint32     // §4.1.2.4, frame count of the virtual channel, 24 bits
	Replay     bool       // §4.1.2.5.2: the frame comes from a recorder
	CycleUsed  bool       // §4.1.2.5.3
	Cycle      uint8      // §4.1.2.5.5, 4 bits above VCFC
	Corrected  int        // symbols of the header that FHEC has corrected, 0 to 2
	InsertZone []byte     // §4.1.3, as long as Params say
	OCF        [4]byte    // §4.1.5
}

// LayerType implements gopacket.Layer.
func (f *Frame) LayerType() gopacket.LayerType { return LayerTypeFrame }

// CanDecode implements gopacket.DecodingLayer.
func (f *Frame) CanDecode() gopacket.LayerClass { return LayerTypeFrame }

// NextLayerType implements gopacket.DecodingLayer. Packets span frames, so the data
// field is payload; an Extractor finds the packets.
func (f *Frame) NextLayerType() gopacket.LayerType { return gopacket.LayerTypePayload }

// Idle reports whether the frame carries only idle data.
func (f *Frame) Idle() bool { return f.VCID == IdleVCID }

// Count is the frame count with its cycle, if that is used.
func (f *Frame) Count() uint32 {
	if f.CycleUsed {
		return uint32(f.Cycle)<<24 | f.VCFC
	}
	return f.VCFC
}

// DecodeFromBytes checks and reads one frame of exactly Params.FrameLength octets. df may
// be nil. Errors wrap ccsds.ErrLength, ErrVersion, ErrChecksum or ErrForeign.
func (f *Frame) DecodeFromBytes(data []byte, _ gopacket.DecodeFeedback) error {
	if len(data) != f.Params.FrameLength {
		return ccsds.Errorf("aos frame", len(data), ccsds.ErrLength, "have %d octets, want %d", len(data), f.Params.FrameLength)
	}
	if err := f.Params.Validate(); err != nil {
		return ccsds.Errorf("aos frame", -1, ccsds.ErrLength, "%v", err)
	}
	f.Corrected = 0
	if f.Params.FHEC {
		var err error
		if data, f.Corrected, err = correctHeader(data); err != nil {
			return err
		}
	}
	if f.Params.FECF && ccsds.CRC16(data) != 0 {
		return ccsds.Errorf("aos frame", len(data)-FECFLength, ccsds.ErrChecksum, "frame error control field does not match")
	}
	if v := data[0] >> 6; v != version {
		return ccsds.Errorf("aos frame", 0, ccsds.ErrVersion, "transfer frame version number %d, want %d", v, version)
	}
	f.decodeHeader(data)
	if f.SCID != f.Params.SCID {
		return ccsds.Errorf("aos frame", 0, ccsds.ErrForeign, "spacecraft %d, want %d", f.SCID, f.Params.SCID)
	}
	start, end := f.Params.headerLength(), len(data)-f.Params.trailer()
	f.Contents = data[:start:start]
	f.InsertZone = data[start : start+f.Params.InsertZone : start+f.Params.InsertZone]
	f.Payload = data[start+f.Params.InsertZone : end : end]
	f.OCF = [4]byte{}
	if f.Params.OCF {
		copy(f.OCF[:], data[end:])
	}
	return nil
}

func (f *Frame) decodeHeader(data []byte) {
	id, signaling := binary.BigEndian.Uint16(data), data[5]
	f.SCID = ccsds.SCID(id>>6&0xFF) | ccsds.SCID(signaling>>4&3)<<8
	f.VCID = ccsds.VCID(id) & ccsds.MaxVCID
	f.VCFC = uint32(data[2])<<16 | uint32(data[3])<<8 | uint32(data[4])
	f.Replay, f.CycleUsed = signaling&0x80 != 0, signaling&0x40 != 0
	f.Cycle = signaling & 0xF
}

// NewDecoder returns a gopacket decoder for frames of one physical channel.
func NewDecoder(p Params) gopacket.Decoder {
	return gopacket.DecodeFunc(func(data []byte, b gopacket.PacketBuilder) error {
		return ccsds.DecodeLayer(&Frame{Params: p}, data, b)
	})
}

func decodeAny(data []byte, b gopacket.PacketBuilder) error {
	if len(data) < HeaderLength {
		return ccsds.Errorf("aos frame", len(data), ccsds.ErrTruncated, "header needs %d octets, have %d", HeaderLength, len(data))
	}
	var f Frame
	f.decodeHeader(data)
	return NewDecoder(Params{SCID: f.SCID, FrameLength: len(data), FECF: true}).Decode(data, b)
}
