// Package tm is the TM Space Data Link Protocol, CCSDS 132.0-B-3: the fixed-length
// transfer frame, a Builder that packs packets into frames and an Extractor that finds
// them again, also after frames were lost.
//
//	+---------+------+------+-----+------+------+--------+-----------+-----+------+
//	| version | SCID | VCID | OCF | MCFC | VCFC | status | data      | OCF | FECF |
//	| 2 bits  | 10   | 3    | 1   | 8    | 8    | 16     | field     | 32  | 16   |
//	+---------+------+------+-----+------+------+--------+-----------+-----+------+
//
// Length, OCF and FECF are managed parameters: one decoder a channel.
package tm

import (
	"encoding/binary"
	"fmt"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/frames"
)

// Sizes in octets, and the largest virtual channel.
const (
	HeaderLength = 6
	OCFLength    = frames.OCFLength
	FECFLength   = frames.FECFLength
	MaxLength    = 2048

	MaxVCID  ccsds.VCID = 7
	IdleVCID ccsds.VCID = 7 // carries only idle data in our profile
)

// Values of the first header pointer that point nowhere (§4.1.2.7.6).
const (
	NoPacketStart uint16 = 0x7FF // no packet begins in this frame
	OnlyIdleData  uint16 = 0x7FE // the data field is idle data
)

// Params are the managed parameters of a physical channel (§5).
type Params struct {
	SCID        ccsds.SCID
	FrameLength int  // octets of the whole frame
	OCF         bool // each frame carries an operational control field
	FECF        bool // each frame ends in a frame error control field
}

// DataLength is the data field in octets, for frames without secondary header.
func (p Params) DataLength() int { return p.FrameLength - HeaderLength - p.trailer() }

func (p Params) trailer() int { return frames.TrailerLength(p.OCF, p.FECF) }

// Validate reports parameters that no frame can have.
func (p Params) Validate() error {
	switch {
	case !p.SCID.Valid():
		return fmt.Errorf("tm parameters: spacecraft %d has more than 10 bits", p.SCID)
	case p.FrameLength > MaxLength:
		return fmt.Errorf("tm parameters: frame of %d octets, limit is %d", p.FrameLength, MaxLength)
	case p.DataLength() < ccsds.MinPacketLength:
		return fmt.Errorf("tm parameters: frame of %d octets leaves %d for data, want %d", p.FrameLength, p.DataLength(), ccsds.MinPacketLength)
	}
	return nil
}

// LayerTypeFrame is the gopacket layer type of a TM transfer frame. Its registered
// decoder knows no managed parameters: it takes frames of any spacecraft and length,
// with FECF, and an OCF when the flag says so.
var LayerTypeFrame = gopacket.RegisterLayerType(ccsds.LayerNumberTM,
	gopacket.LayerTypeMetadata{Name: "TMFrame", Decoder: gopacket.DecodeFunc(decodeAny)})

// Frame is a TM transfer frame. Contents is the primary header with the secondary header
// if there is one, Payload the data field: both point into the octets that were decoded.
type Frame struct {
	ccsds.BaseLayer
	Params             Params     // managed; set before decoding or encoding, kept by both
	SCID               ccsds.SCID // §4.1.2.2.3
	VCID               ccsds.VCID // §4.1.2.3
	HasOCF             bool       // §4.1.2.4
	MCFC, VCFC         uint8      // §4.1.2.5, §4.1.2.6: frame counts of master and virtual channel
	Sync               bool       // §4.1.2.7.3: data are not packets
	PacketOrder        bool       // §4.1.2.7.4, reserved when Sync is false
	SegLengthID        uint8      // §4.1.2.7.5, 3 when Sync is false
	FirstHeaderPointer uint16     // §4.1.2.7.6, 11 bits
	SecondaryHeader    []byte     // §4.1.3, 2 to 64 octets with its identification, nil if absent
	OCF                [4]byte    // §4.1.5
}

// LayerType implements gopacket.Layer.
func (f *Frame) LayerType() gopacket.LayerType { return LayerTypeFrame }

// CanDecode implements gopacket.DecodingLayer.
func (f *Frame) CanDecode() gopacket.LayerClass { return LayerTypeFrame }

// NextLayerType implements gopacket.DecodingLayer. Packets span frames, so the data
// field is payload; an Extractor finds the packets.
func (f *Frame) NextLayerType() gopacket.LayerType { return gopacket.LayerTypePayload }

// Idle reports whether the frame carries only idle data.
func (f *Frame) Idle() bool { return !f.Sync && f.FirstHeaderPointer == OnlyIdleData }

// DecodeFromBytes checks and reads one frame of exactly Params.FrameLength octets. df may
// be nil. Errors wrap ccsds.ErrLength, ErrVersion, ErrChecksum, ErrForeign or ErrReserved.
func (f *Frame) DecodeFromBytes(data []byte, _ gopacket.DecodeFeedback) error {
	if len(data) != f.Params.FrameLength {
		return ccsds.Errorf("tm frame", len(data), ccsds.ErrLength, "have %d octets, want %d", len(data), f.Params.FrameLength)
	}
	if err := f.Params.Validate(); err != nil {
		return ccsds.Errorf("tm frame", -1, ccsds.ErrLength, "%v", err)
	}
	if f.Params.FECF && ccsds.CRC16(data) != 0 {
		return ccsds.Errorf("tm frame", len(data)-FECFLength, ccsds.ErrChecksum, "frame error control field does not match")
	}
	id := binary.BigEndian.Uint16(data)
	if v := id >> 14; v != 0 {
		return ccsds.Errorf("tm frame", 0, ccsds.ErrVersion, "transfer frame version number %d, want 0", v)
	}
	f.SCID = ccsds.SCID(id>>4) & ccsds.MaxSCID
	f.VCID = ccsds.VCID(id>>1) & MaxVCID
	f.HasOCF = id&1 != 0
	f.MCFC, f.VCFC = data[2], data[3]
	if f.SCID != f.Params.SCID {
		return ccsds.Errorf("tm frame", 0, ccsds.ErrForeign, "spacecraft %d, want %d", f.SCID, f.Params.SCID)
	}
	if f.HasOCF != f.Params.OCF {
		return ccsds.Errorf("tm frame", 1, ccsds.ErrReserved, "operational control field flag is %t, want %t", f.HasOCF, f.Params.OCF)
	}
	return f.decodeField(data)
}

// decodeField reads the data field status and sets the slices.
func (f *Frame) decodeField(data []byte) error {
	status := binary.BigEndian.Uint16(data[4:])
	f.Sync, f.PacketOrder = status&0x4000 != 0, status&0x2000 != 0
	f.SegLengthID = uint8(status >> 11 & 3)
	f.FirstHeaderPointer = status & 0x7FF
	end := len(data) - f.Params.trailer()
	start := HeaderLength
	f.SecondaryHeader = nil
	if status&0x8000 != 0 {
		n := int(data[start]&0x3F) + 1
		if v := data[start] >> 6; v != 0 {
			return ccsds.Errorf("tm frame", start, ccsds.ErrVersion, "secondary header version %d, want 0", v)
		}
		if n < 2 || start+n >= end {
			return ccsds.Errorf("tm frame", start, ccsds.ErrLength, "secondary header of %d octets", n)
		}
		f.SecondaryHeader = data[start : start+n : start+n]
		start += n
	}
	if f.Params.OCF {
		copy(f.OCF[:], data[end:])
	}
	f.Contents, f.Payload = data[:start:start], data[start:end:end]
	if p := f.FirstHeaderPointer; !f.Sync && p < OnlyIdleData && int(p) >= len(f.Payload) {
		return ccsds.Errorf("tm frame", 4, ccsds.ErrReserved, "first header pointer %d lies behind the data field of %d octets", p, len(f.Payload))
	}
	return nil
}

// NewDecoder returns a gopacket decoder for frames of one physical channel.
func NewDecoder(p Params) gopacket.Decoder {
	return gopacket.DecodeFunc(func(data []byte, b gopacket.PacketBuilder) error {
		return ccsds.DecodeLayer(&Frame{Params: p}, data, b)
	})
}

func decodeAny(data []byte, b gopacket.PacketBuilder) error {
	if len(data) < HeaderLength {
		return ccsds.Errorf("tm frame", len(data), ccsds.ErrTruncated, "header needs %d octets, have %d", HeaderLength, len(data))
	}
	id := binary.BigEndian.Uint16(data)
	return NewDecoder(Params{
		SCID: ccsds.SCID(id>>4) & ccsds.MaxSCID, FrameLength: len(data), OCF: id&1 != 0, FECF: true,
	}).Decode(data, b)
}
