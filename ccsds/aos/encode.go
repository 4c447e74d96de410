package aos

import (
	"encoding/binary"
	"fmt"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds/internal/frames"
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
	header := f.appendHeader(make([]byte, 0, f.Params.headerLength()+f.Params.InsertZone))
	return frames.Serialize(b, header, f.ocf(), f.Params.FECF)
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
	case data != f.Params.DataLength():
		return fmt.Errorf("encode aos frame: data field of %d octets, want %d", data, f.Params.DataLength())
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
	return frames.AppendTrailer(dst, start, f.ocf(), f.Params.FECF)
}

// ocf is the operational control field, nil where frames have none.
func (f *Frame) ocf() *[4]byte {
	if f.Params.OCF {
		return &f.OCF
	}
	return nil
}
