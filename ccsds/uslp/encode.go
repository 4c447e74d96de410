package uslp

import (
	"encoding/binary"
	"fmt"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// AppendHeader appends primary header and insert zone of a frame whose data field has
// data octets. Security needs it before the data field is final.
func AppendHeader(dst []byte, f *Frame, data int) ([]byte, error) {
	n, err := f.length(data)
	if err != nil {
		return dst, err
	}
	id := uint32(version)<<28 | uint32(f.SCID)<<12 | uint32(f.VCID)<<5 | uint32(f.MAP)<<1
	if f.Destination {
		id |= 0x800
	}
	if f.Truncated {
		return binary.BigEndian.AppendUint32(dst, id|1), nil
	}
	flags := f.CountLength
	if f.Bypass {
		flags |= 0x80
	}
	if f.Command {
		flags |= 0x40
	}
	if f.HasOCF {
		flags |= 8
	}
	dst = binary.BigEndian.AppendUint32(dst, id)
	dst = binary.BigEndian.AppendUint16(dst, uint16(n-1))
	dst = append(dst, flags)
	for i := int(f.CountLength) - 1; i >= 0; i-- {
		dst = append(dst, byte(f.Count>>(8*i)))
	}
	return append(dst, f.InsertZone...), nil
}

// length checks the frame and returns its octets in all.
func (f *Frame) length(data int) (int, error) {
	if err := f.Params.Validate(); err != nil {
		return 0, fmt.Errorf("encode uslp frame: %w", err)
	}
	switch {
	case !f.VCID.Valid():
		return 0, fmt.Errorf("encode uslp frame: virtual channel %d has more than 6 bits", f.VCID)
	case f.MAP > MaxMAP:
		return 0, fmt.Errorf("encode uslp frame: access point %d has more than 4 bits", f.MAP)
	case data < 1:
		return 0, fmt.Errorf("encode uslp frame: no data field")
	}
	n, want := TruncatedHeaderLength+data+int(f.Params.FECF), f.Params.TruncatedLength
	if f.Truncated {
		if f.Bypass || f.Command || f.HasOCF || f.CountLength != 0 || f.Count != 0 || len(f.InsertZone) != 0 {
			return 0, fmt.Errorf("encode uslp frame: a truncated frame has none of the later fields")
		}
	} else {
		if f.CountLength > MaxCountLength || f.Count>>(8*f.CountLength) != 0 {
			return 0, fmt.Errorf("encode uslp frame: count %d does not fit %d octets", f.Count, f.CountLength)
		}
		if len(f.InsertZone) != f.Params.InsertZone {
			return 0, fmt.Errorf("encode uslp frame: insert zone of %d octets, want %d", len(f.InsertZone), f.Params.InsertZone)
		}
		n, want = f.overhead()+data, f.Params.FrameLength
	}
	if (f.Truncated || f.Params.Fixed()) && n != want || n > f.Params.limit() {
		return 0, fmt.Errorf("encode uslp frame: data field of %d octets makes a frame of %d, limit is %d", data, n, f.Params.limit())
	}
	return n, nil
}

// overhead is what a frame that is not truncated adds to its data field, in octets.
func (f *Frame) overhead() int {
	n := MinHeaderLength + int(f.CountLength) + f.Params.InsertZone + int(f.Params.FECF)
	if f.HasOCF {
		n += OCFLength
	}
	return n
}

// Append appends the frame with the given data field to dst.
func Append(dst []byte, f *Frame, data []byte) ([]byte, error) {
	start := len(dst)
	dst, err := AppendHeader(dst, f, len(data))
	if err != nil {
		return dst, err
	}
	return f.close(append(dst, data...), start), nil
}

// close appends what follows the data field of the frame that begins at dst[start].
func (f *Frame) close(dst []byte, start int) []byte {
	if f.HasOCF {
		dst = append(dst, f.OCF[:]...)
	}
	return f.Params.appendChecksum(dst, dst[start:])
}

func (p Params) appendChecksum(dst, frame []byte) []byte {
	switch p.FECF {
	case CRC16:
		return binary.BigEndian.AppendUint16(dst, ccsds.CRC16(frame))
	case CRC32:
		return binary.BigEndian.AppendUint32(dst, Checksum32(frame))
	}
	return dst
}

// SerializeTo implements gopacket.SerializableLayer: the data field is what b holds.
func (f *Frame) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	hdr, err := AppendHeader(nil, f, len(b.Bytes()))
	if err != nil {
		return err
	}
	front, err := b.PrependBytes(len(hdr))
	if err != nil {
		return fmt.Errorf("encode uslp frame: %w", err)
	}
	copy(front, hdr)
	if f.HasOCF {
		ocf, err := b.AppendBytes(OCFLength)
		if err != nil {
			return fmt.Errorf("encode uslp frame: %w", err)
		}
		copy(ocf, f.OCF[:])
	}
	sum := f.Params.appendChecksum(nil, b.Bytes())
	back, err := b.AppendBytes(len(sum))
	if err != nil {
		return fmt.Errorf("encode uslp frame: %w", err)
	}
	copy(back, sum)
	return nil
}
