package uslp

import (
	"encoding/binary"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// LayerTypeFrame is the gopacket layer type of a USLP transfer frame. Its registered
// decoder knows no managed parameters: it takes frames of any spacecraft and length with
// a short error control field and without insert zone; truncated ones too.
var LayerTypeFrame = gopacket.RegisterLayerType(ccsds.LayerNumberUSLP,
	gopacket.LayerTypeMetadata{Name: "USLPFrame", Decoder: gopacket.DecodeFunc(decodeAny)})

// Frame is a USLP transfer frame. Contents is the primary header, Payload the transfer
// frame data field with its own header: both point into the octets that were decoded.
type Frame struct {
	ccsds.BaseLayer
	Params      Params     // managed; set before decoding or encoding, kept by both
	SCID        ccsds.SCID // §4.1.2.2.3, 16 bits
	Destination bool       // §4.1.2.3: SCID is the destination's
	VCID        ccsds.VCID // §4.1.2.4
	MAP         ccsds.MAPID
	Truncated   bool    // §4.1.2.6: the header ends here, all below is zero
	Bypass      bool    // §4.1.2.8.1: expedited, not sequence controlled
	Command     bool    // §4.1.2.8.2: carries protocol control commands
	HasOCF      bool    // §4.1.2.9
	CountLength uint8   // §4.1.2.10, octets of the frame count, 0 to 7
	Count       uint64  // §4.1.2.11
	InsertZone  []byte  // §4.1.3, as long as Params say
	OCF         [4]byte // §4.1.5
}

// LayerType implements gopacket.Layer.
func (f *Frame) LayerType() gopacket.LayerType { return LayerTypeFrame }

// CanDecode implements gopacket.DecodingLayer.
func (f *Frame) CanDecode() gopacket.LayerClass { return LayerTypeFrame }

// NextLayerType implements gopacket.DecodingLayer. What the data field holds spans frames,
// so it is payload; a Receiver takes it apart.
func (f *Frame) NextLayerType() gopacket.LayerType { return gopacket.LayerTypePayload }

// Idle reports whether the frame carries only idle data.
func (f *Frame) Idle() bool { return f.VCID == IdleVCID }

// Length returns the octets of the whole frame that begins with hdr, of which six are
// needed, or four of a truncated frame, whose length is truncated.
func Length(hdr []byte, truncated int) (int, error) {
	if len(hdr) < TruncatedHeaderLength {
		return 0, ccsds.Errorf("uslp frame", len(hdr), ccsds.ErrTruncated, "header needs %d octets, have %d", TruncatedHeaderLength, len(hdr))
	}
	if v := hdr[0] >> 4; v != version {
		return 0, ccsds.Errorf("uslp frame", 0, ccsds.ErrVersion, "transfer frame version number %d, want %d", v, version)
	}
	if hdr[3]&1 != 0 {
		if truncated == 0 {
			return 0, ccsds.Errorf("uslp frame", 3, ccsds.ErrReserved, "truncated frame on a channel without")
		}
		return truncated, nil
	}
	if len(hdr) < 6 {
		return 0, ccsds.Errorf("uslp frame", len(hdr), ccsds.ErrTruncated, "length needs 6 octets, have %d", len(hdr))
	}
	return int(binary.BigEndian.Uint16(hdr[4:])) + 1, nil
}

// DecodeFromBytes checks and reads the frame that data begins with. Where frames have a
// fixed length data must be as long; otherwise octets behind the frame are not looked at.
// df may be nil. Errors wrap ccsds.ErrTruncated, ErrLength, ErrVersion, ErrReserved,
// ErrChecksum or ErrForeign.
func (f *Frame) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	if err := f.Params.Validate(); err != nil {
		return ccsds.Errorf("uslp frame", -1, ccsds.ErrLength, "%v", err)
	}
	n, err := Length(data, f.Params.TruncatedLength)
	if err != nil {
		return err
	}
	switch {
	case n < TruncatedHeaderLength:
		return ccsds.Errorf("uslp frame", 4, ccsds.ErrLength, "length says %d octets", n)
	case f.Params.Fixed() && (n != f.Params.FrameLength || n != len(data)):
		return ccsds.Errorf("uslp frame", 4, ccsds.ErrLength, "length says %d octets, have %d, want %d", n, len(data), f.Params.FrameLength)
	case n > f.Params.limit():
		return ccsds.Errorf("uslp frame", 4, ccsds.ErrLength, "length says %d octets, limit is %d", n, f.Params.limit())
	case n > len(data):
		if df != nil {
			df.SetTruncated()
		}
		return ccsds.Errorf("uslp frame", 4, ccsds.ErrTruncated, "length says %d octets, have %d", n, len(data))
	case !f.Params.checksumHolds(data[:n]):
		return ccsds.Errorf("uslp frame", n-int(f.Params.FECF), ccsds.ErrChecksum, "frame error control field does not match")
	}
	if err := f.decode(data[:n]); err != nil {
		return err
	}
	if f.SCID != f.Params.SCID {
		return ccsds.Errorf("uslp frame", 0, ccsds.ErrForeign, "spacecraft %d, want %d", f.SCID, f.Params.SCID)
	}
	return nil
}

// decode reads a whole frame whose checksum holds.
func (f *Frame) decode(data []byte) error {
	id := binary.BigEndian.Uint32(data)
	f.SCID, f.Destination = ccsds.SCID(id>>12), id&0x800 != 0
	f.VCID, f.MAP = ccsds.VCID(id>>5)&ccsds.MaxVCID, ccsds.MAPID(id>>1)&MaxMAP
	f.Truncated = id&1 != 0
	f.Bypass, f.Command, f.HasOCF, f.CountLength, f.Count = false, false, false, 0, 0
	f.OCF, f.InsertZone = [4]byte{}, nil
	start, end := TruncatedHeaderLength, len(data)-int(f.Params.FECF)
	if !f.Truncated {
		if len(data) < MinHeaderLength {
			return ccsds.Errorf("uslp frame", len(data), ccsds.ErrLength, "length of %d octets ends in the header", len(data))
		}
		f.decodeFlags(data[6])
		start = MinHeaderLength + int(f.CountLength)
		if f.HasOCF {
			end -= OCFLength
		}
	}
	zone := 0
	if !f.Truncated {
		zone = f.Params.InsertZone
	}
	if start+zone >= end {
		return ccsds.Errorf("uslp frame", 4, ccsds.ErrLength, "length of %d octets leaves no data field", len(data))
	}
	if !f.Truncated && data[6]&0x30 != 0 {
		return ccsds.Errorf("uslp frame", 6, ccsds.ErrReserved, "spare bits are not zero")
	}
	for _, b := range data[min(start, MinHeaderLength):start] {
		f.Count = f.Count<<8 | uint64(b)
	}
	if f.HasOCF {
		copy(f.OCF[:], data[end:])
	}
	f.Contents = data[:start:start]
	if zone > 0 {
		f.InsertZone = data[start : start+zone : start+zone]
	}
	f.Payload = data[start+zone : end : end]
	return nil
}

func (f *Frame) decodeFlags(b byte) {
	f.Bypass, f.Command = b&0x80 != 0, b&0x40 != 0
	f.HasOCF, f.CountLength = b&8 != 0, b&7
}

func (p Params) checksumHolds(frame []byte) bool {
	switch p.FECF {
	case CRC16:
		return ccsds.CRC16(frame) == 0
	case CRC32:
		return Checksum32(frame) == 0
	}
	return true
}

// Field takes the data field apart.
func (f *Frame) Field() (Field, error) { return ParseField(f.Payload, f.Truncated) }

// NewDecoder returns a gopacket decoder for frames of one physical channel.
func NewDecoder(p Params) gopacket.Decoder {
	return gopacket.DecodeFunc(func(data []byte, b gopacket.PacketBuilder) error {
		return ccsds.DecodeLayer(&Frame{Params: p}, data, b)
	})
}

func decodeAny(data []byte, b gopacket.PacketBuilder) error {
	if len(data) < TruncatedHeaderLength {
		return ccsds.Errorf("uslp frame", len(data), ccsds.ErrTruncated, "header needs %d octets, have %d", TruncatedHeaderLength, len(data))
	}
	p := Params{SCID: ccsds.SCID(binary.BigEndian.Uint32(data) >> 12), FECF: CRC16}
	if data[3]&1 != 0 {
		p.TruncatedLength = len(data)
	}
	return NewDecoder(p).Decode(data, b)
}
