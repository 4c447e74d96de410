// Package tc is the TC Space Data Link Protocol, CCSDS 232.0-B-4: the transfer frame,
// its error control field, and the segments that carry packets longer than a frame.
//
//	+---------+--------+---------+-------+------+------+----------+-----+------------+------+
//	| version | bypass | control | spare | SCID | VCID | length-1 | seq | data field | FECF |
//	| 2 bits  | 1      | 1       | 2     | 10   | 6    | 10       | 8   |            | 16   |
//	+---------+--------+---------+-------+------+------+----------+-----+------------+------+
//
// Whether there is a FECF, which spacecraft is meant and how long a frame may be are
// managed parameters: they are not in the frame but in Params.
package tc

import (
	"encoding/binary"
	"fmt"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// Sizes in octets.
const (
	HeaderLength = 5
	FECFLength   = 2
	MaxLength    = 1024
)

// Params are the managed parameters of a physical channel (§5).
type Params struct {
	SCID      ccsds.SCID
	FECF      bool // frames end in a frame error control field
	MaxLength int  // octets, 0 means 1024
	AnySCID   bool // for monitors: frames for every spacecraft are taken
}

// MaxData is the largest data field in octets.
func (p Params) MaxData() int {
	n := p.limit() - HeaderLength
	if p.FECF {
		n -= FECFLength
	}
	return n
}

func (p Params) limit() int {
	if p.MaxLength <= 0 || p.MaxLength > MaxLength {
		return MaxLength
	}
	return p.MaxLength
}

// LayerTypeFrame is the gopacket layer type of a TC transfer frame. Its registered
// decoder knows no managed parameters and takes frames of any spacecraft with FECF.
var LayerTypeFrame = gopacket.RegisterLayerType(ccsds.LayerNumberTC,
	gopacket.LayerTypeMetadata{Name: "TCFrame", Decoder: NewDecoder(Params{FECF: true, AnySCID: true})})

// Frame is a TC transfer frame. Contents is the primary header, Payload the data field
// without FECF: both point into the octets that were decoded.
type Frame struct {
	ccsds.BaseLayer
	Params  Params     // managed; set before decoding or encoding, kept by both
	Bypass  bool       // §4.1.2.3.1: FARM lets it pass unchecked (type B)
	Control bool       // §4.1.2.3.2: carries a COP-1 control command (type C)
	SCID    ccsds.SCID // §4.1.2.5
	VCID    ccsds.VCID // §4.1.2.6
	Seq     uint8      // §4.1.2.8, N(S); 0 in type-B frames
}

// LayerType implements gopacket.Layer.
func (f *Frame) LayerType() gopacket.LayerType { return LayerTypeFrame }

// CanDecode implements gopacket.DecodingLayer.
func (f *Frame) CanDecode() gopacket.LayerClass { return LayerTypeFrame }

// NextLayerType implements gopacket.DecodingLayer. Segments and security stand between
// a frame and its packets, so the data field is payload.
func (f *Frame) NextLayerType() gopacket.LayerType { return gopacket.LayerTypePayload }

// Kind names the frame's service: "AD", "BD", "BC", or "reserved".
func (f *Frame) Kind() string {
	switch {
	case f.Control && !f.Bypass:
		return "reserved"
	case f.Control:
		return "BC"
	case f.Bypass:
		return "BD"
	}
	return "AD"
}

// Length returns the octets of the whole frame that begins with hdr, of which the five
// of the primary header are needed.
func Length(hdr []byte) (int, error) {
	if len(hdr) < HeaderLength {
		return 0, ccsds.Errorf("tc frame", len(hdr), ccsds.ErrTruncated, "header needs %d octets, have %d", HeaderLength, len(hdr))
	}
	return int(binary.BigEndian.Uint16(hdr[2:])&0x3FF) + 1, nil
}

// DecodeFromBytes checks and reads the frame that data begins with. Octets behind its
// end are not looked at: a CLTU fills its last codeblock. df may be nil. Errors wrap
// ccsds.ErrTruncated, ErrVersion, ErrReserved, ErrForeign, ErrLength or ErrChecksum.
func (f *Frame) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	n, err := Length(data)
	if err != nil {
		return err
	}
	if v := data[0] >> 6; v != 0 {
		return ccsds.Errorf("tc frame", 0, ccsds.ErrVersion, "transfer frame version number %d, want 0", v)
	}
	if n > len(data) {
		if df != nil {
			df.SetTruncated()
		}
		return ccsds.Errorf("tc frame", 2, ccsds.ErrTruncated, "length says %d octets, have %d", n, len(data))
	}
	end, err := f.checkLength(n)
	if err != nil {
		return err
	}
	if f.Params.FECF && ccsds.CRC16(data[:n]) != 0 {
		return ccsds.Errorf("tc frame", end, ccsds.ErrChecksum, "frame error control field does not match")
	}
	id := binary.BigEndian.Uint16(data)
	f.Bypass, f.Control = id&0x2000 != 0, id&0x1000 != 0
	f.SCID = ccsds.SCID(id) & ccsds.MaxSCID
	f.VCID = ccsds.VCID(data[2] >> 2)
	f.Seq = data[4]
	f.Contents, f.Payload = data[:HeaderLength:HeaderLength], data[HeaderLength:end:end]
	switch {
	case id&0x0C00 != 0:
		return ccsds.Errorf("tc frame", 0, ccsds.ErrReserved, "spare bits are not zero")
	case f.Control && !f.Bypass:
		return ccsds.Errorf("tc frame", 0, ccsds.ErrReserved, "control command without bypass flag")
	case f.SCID != f.Params.SCID && !f.Params.AnySCID:
		return ccsds.Errorf("tc frame", 0, ccsds.ErrForeign, "spacecraft %d, want %d", f.SCID, f.Params.SCID)
	}
	return nil
}

// checkLength checks a frame of n octets against the managed parameters and returns
// where its data field ends.
func (f *Frame) checkLength(n int) (end int, err error) {
	if n > f.Params.limit() {
		return 0, ccsds.Errorf("tc frame", 2, ccsds.ErrLength, "length %d, limit is %d", n, f.Params.limit())
	}
	end = n
	if f.Params.FECF {
		end -= FECFLength
	}
	if end <= HeaderLength {
		return 0, ccsds.Errorf("tc frame", 2, ccsds.ErrLength, "length %d leaves no data field", n)
	}
	return end, nil
}

// AppendHeader appends the primary header of a frame whose data field, without FECF,
// has data octets. Security needs it before the data field is final.
func AppendHeader(dst []byte, f *Frame, data int) ([]byte, error) {
	switch {
	case !f.SCID.Valid():
		return dst, fmt.Errorf("encode tc frame: spacecraft %d has more than 10 bits", f.SCID)
	case !f.VCID.Valid():
		return dst, fmt.Errorf("encode tc frame: virtual channel %d has more than 6 bits", f.VCID)
	case f.Control && !f.Bypass:
		return dst, fmt.Errorf("encode tc frame: control command without bypass flag")
	case data < 1 || data > f.Params.MaxData():
		return dst, fmt.Errorf("encode tc frame: data field of %d octets, want 1 to %d", data, f.Params.MaxData())
	}
	id := uint16(f.SCID)
	if f.Bypass {
		id |= 0x2000
	}
	if f.Control {
		id |= 0x1000
	}
	n := HeaderLength + data - 1
	if f.Params.FECF {
		n += FECFLength
	}
	dst = binary.BigEndian.AppendUint16(dst, id)
	dst = binary.BigEndian.AppendUint16(dst, uint16(f.VCID)<<10|uint16(n))
	return append(dst, f.Seq), nil
}

// Append appends the frame with the given data field to dst, FECF included.
func Append(dst []byte, f *Frame, data []byte) ([]byte, error) {
	start := len(dst)
	dst, err := AppendHeader(dst, f, len(data))
	if err != nil {
		return dst, err
	}
	dst = append(dst, data...)
	if f.Params.FECF {
		dst = binary.BigEndian.AppendUint16(dst, ccsds.CRC16(dst[start:]))
	}
	return dst, nil
}

// SerializeTo implements gopacket.SerializableLayer: the data field is what b holds.
func (f *Frame) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	var room [HeaderLength]byte
	hdr, err := AppendHeader(room[:0], f, len(b.Bytes()))
	if err != nil {
		return err
	}
	front, err := b.PrependBytes(HeaderLength)
	if err != nil {
		return fmt.Errorf("encode tc frame: %w", err)
	}
	copy(front, hdr)
	if !f.Params.FECF {
		return nil
	}
	crc := ccsds.CRC16(b.Bytes())
	back, err := b.AppendBytes(FECFLength)
	if err != nil {
		return fmt.Errorf("encode tc frame: %w", err)
	}
	binary.BigEndian.PutUint16(back, crc)
	return nil
}

// NewDecoder returns a gopacket decoder for frames of one physical channel.
func NewDecoder(p Params) gopacket.Decoder {
	return gopacket.DecodeFunc(func(data []byte, b gopacket.PacketBuilder) error {
		return ccsds.DecodeLayer(&Frame{Params: p}, data, b)
	})
}
