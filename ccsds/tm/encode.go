package tm

import (
	"encoding/binary"
	"fmt"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds/internal/frames"
)

// Append appends the frame with the given data field to dst. The data field must fill
// the frame that Params describe.
func Append(dst []byte, f *Frame, data []byte) ([]byte, error) {
	if err := f.check(len(data)); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = append(f.appendHeader(dst), data...)
	return f.appendTrailer(dst, start), nil
}

// SerializeTo implements gopacket.SerializableLayer: the data field is what b holds.
func (f *Frame) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	if err := f.check(len(b.Bytes())); err != nil {
		return err
	}
	var room [HeaderLength + 64]byte
	header := f.appendHeader(room[:0])
	return frames.Serialize(b, header, f.ocf(), f.Params.FECF)
}

func (f *Frame) check(data int) error {
	if err := f.Params.Validate(); err != nil {
		return fmt.Errorf("encode tm frame: %w", err)
	}
	sec := len(f.SecondaryHeader)
	switch {
	case !f.SCID.Valid():
		return fmt.Errorf("encode tm frame: spacecraft %d has more than 10 bits", f.SCID)
	case f.VCID > MaxVCID:
		return fmt.Errorf("encode tm frame: virtual channel %d has more than 3 bits", f.VCID)
	case f.SegLengthID > 3:
		return fmt.Errorf("encode tm frame: segment length identifier %d has more than 2 bits", f.SegLengthID)
	case f.FirstHeaderPointer > 0x7FF:
		return fmt.Errorf("encode tm frame: first header pointer %d has more than 11 bits", f.FirstHeaderPointer)
	case sec != 0 && (sec < 2 || sec > 64 || int(f.SecondaryHeader[0]) != sec-1):
		return fmt.Errorf("encode tm frame: secondary header of %d octets does not begin with its length", sec)
	case data != f.Params.DataLength()-sec:
		return fmt.Errorf("encode tm frame: data field of %d octets, want %d", data, f.Params.DataLength()-sec)
	}
	return nil
}

func (f *Frame) appendHeader(dst []byte) []byte {
	id := uint16(f.SCID)<<4 | uint16(f.VCID)<<1
	if f.Params.OCF {
		id |= 1
	}
	status := uint16(f.SegLengthID)<<11 | f.FirstHeaderPointer
	if f.SecondaryHeader != nil {
		status |= 0x8000
	}
	if f.Sync {
		status |= 0x4000
	}
	if f.PacketOrder {
		status |= 0x2000
	}
	dst = binary.BigEndian.AppendUint16(dst, id)
	dst = append(dst, f.MCFC, f.VCFC)
	dst = binary.BigEndian.AppendUint16(dst, status)
	return append(dst, f.SecondaryHeader...)
}

// appendTrailer closes the frame that begins at dst[start].
func (f *Frame) appendTrailer(dst []byte, start int) []byte {
	return frames.AppendTrailer(dst, start, f.ocf(), f.Params.FECF)
}

// ocf is the operational control field, nil where frames have none.
func (f *Frame) ocf() *[4]byte {
	if f.Params.OCF {
		return &f.OCF
	}
	return nil
}
