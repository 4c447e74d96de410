package aos

import (
	"encoding/binary"
	"fmt"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// Append appends the frame with the given data field, security included, to dst. The data
// field must fill the frame that Params describe.
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
	hdr := f.appendHeader(make([]byte, 0, f.Params.headerLength()+f.Params.InsertZone))
	front, err := b.PrependBytes(len(hdr))
	if err != nil {
		return fmt.Errorf("encode aos frame: %w", err)
	}
	copy(front, hdr)
	if f.Params.OCF {
		ocf, err := b.AppendBytes(OCFLength)
		if err != nil {
			return fmt.Errorf("encode aos frame: %w", err)
		}
		copy(ocf, f.OCF[:])
	}
	if f.Params.FECF {
		crc := ccsds.CRC16(b.Bytes())
		back, err := b.AppendBytes(FECFLength)
		if err != nil {
			return fmt.Errorf("encode aos frame: %w", err)
		}
		binary.BigEndian.PutUint16(back, crc)
	}
	return nil
}

func (f *Frame) check(data int) error {
	if err := f.Params.Validate(); err != nil {
		return fmt.Errorf("encode aos frame: %w", err)
	}
	switch {
	case !f.SCID.Valid():
		return fmt.Errorf("encode aos frame: spacecraft %d has more than 10 bits", f.SCID)
	case !f.VCID.Valid():
		return fmt.Errorf("encode aos frame: virtual channel %d has more than 6 bits", f.VCID)
	case f.VCFC >= 1<<24:
		return fmt.Errorf("encode aos frame: frame count %d has more than 24 bits", f.VCFC)
	case f.Cycle > 15 || f.Cycle != 0 && !f.CycleUsed:
		return fmt.Errorf("encode aos frame: frame count cycle %d", f.Cycle)
	case len(f.InsertZone) != f.Params.InsertZone:
		return fmt.Errorf("encode aos frame: insert zone of %d octets, want %d", len(f.InsertZone), f.Params.InsertZone)
	case data != f.Params.fieldLength():
		return fmt.Errorf("encode aos frame: data field of %d octets, want %d", data, f.Params.fieldLength())
	}
	return nil
}

// appendHeader appends primary header and insert zone.
func (f *Frame) appendHeader(dst []byte) []byte {
	signaling := byte(f.SCID>>8)<<4 | f.Cycle
	if f.Replay {
		signaling |= 0x80
	}
	if f.CycleUsed {
		signaling |= 0x40
	}
	id := version<<14 | uint16(f.SCID&0xFF)<<6 | uint16(f.VCID)
	dst = binary.BigEndian.AppendUint16(dst, id)
	dst = append(dst, byte(f.VCFC>>16), byte(f.VCFC>>8), byte(f.VCFC), signaling)
	if f.Params.FHEC {
		dst = binary.BigEndian.AppendUint16(dst, HeaderControl(id, signaling))
	}
	return append(dst, f.InsertZone...)
}

// appendTrailer closes the frame that begins at dst[start].
func (f *Frame) appendTrailer(dst []byte, start int) []byte {
	if f.Params.OCF {
		dst = append(dst, f.OCF[:]...)
	}
	if f.Params.FECF {
		dst = binary.BigEndian.AppendUint16(dst, ccsds.CRC16(dst[start:]))
	}
	return dst
}
