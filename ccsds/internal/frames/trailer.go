// Package frames is what TM and AOS transfer frames have in common: how they end.
package frames

import (
	"encoding/binary"
	"fmt"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// Lengths of the operational control field and of the frame error control field, in octets.
const (
	OCFLength  = 4
	FECFLength = 2
)

// TrailerLength is what stands behind the data field of each frame, in octets.
func TrailerLength(ocf, fecf bool) (n int) {
	if ocf {
		n += OCFLength
	}
	if fecf {
		n += FECFLength
	}
	return n
}

// AppendTrailer closes the frame that begins at dst[start]: operational control field, if
// ocf is not nil, and frame error control field.
func AppendTrailer(dst []byte, start int, ocf *[4]byte, fecf bool) []byte {
	if ocf != nil {
		dst = append(dst, ocf[:]...)
	}
	if fecf {
		dst = binary.BigEndian.AppendUint16(dst, ccsds.CRC16(dst[start:]))
	}
	return dst
}

// Serialize puts header and trailer around the data field that b holds.
func Serialize(b gopacket.SerializeBuffer, header []byte, ocf *[4]byte, fecf bool) error {
	front, err := b.PrependBytes(len(header))
	if err != nil {
		return fmt.Errorf("encode frame: %w", err)
	}
	copy(front, header)
	if ocf != nil {
		back, err := b.AppendBytes(len(ocf))
		if err != nil {
			return fmt.Errorf("encode frame: %w", err)
		}
		copy(back, ocf[:])
	}
	if fecf {
		crc := ccsds.CRC16(b.Bytes())
		back, err := b.AppendBytes(FECFLength)
		if err != nil {
			return fmt.Errorf("encode frame: %w", err)
		}
		binary.BigEndian.PutUint16(back, crc)
	}
	return nil
}
