package cfdp

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// version is the CFDP version number of 727.0-B-5 (§5.1.3, table 5-1).
const version = 1

// minHeader is the fixed part of a header; the three identifiers follow.
const minHeader = 4

// maxDataField is the largest PDU data field: its length has 16 bits.
const maxDataField = 65535

// crcLength is the checksum that closes a PDU when the CRC flag is set.
const crcLength = 2

// Mode is the transmission mode: Acknowledged is class 2.
type Mode uint8

// Transmission modes, 727.0-B-5 table 5-1.
const (
	Acknowledged   Mode = 0
	Unacknowledged Mode = 1
)

// Header is the fixed PDU header of 727.0-B-5 §5.1.
//
//	octet 0  version 3 | file data 1 | toward sender 1 | mode 1 | CRC 1 | large file 1
//	octet 1  length of the data field, 16 bits, CRC included
//	octet 3  segmentation control 1 | entity id length-1 3 | segment metadata 1 | sequence length-1 3
//	octet 4  source entity, sequence number, destination entity
type Header struct {
	FileData            bool // the PDU is File Data, not a directive
	TowardSender        bool
	Mode                Mode
	CRC                 bool
	LargeFile           bool // offsets and sizes have 64 bits, not 32
	SegmentationControl bool // record boundaries are kept
	SegmentMetadata     bool
	EntityLength        uint8 // octets of an entity id, 1 to 8
	SequenceLength      uint8 // octets of the sequence number, 1 to 8
	Source              uint64
	Sequence            uint64
	Destination         uint64
}

// Length is the size of the header in octets.
func (h *Header) Length() int {
	return minHeader + 2*int(h.EntityLength) + int(h.SequenceLength)
}

// ID is the transaction that the PDU belongs to.
func (h *Header) ID() TransactionID { return TransactionID{h.Source, h.Sequence} }

// offsetLength is the size of an offset or file size: FSS of 727.0-B-5 §5.1.10.
func (h *Header) offsetLength() int {
	if h.LargeFile {
		return 8
	}
	return 4
}

// DecodeHeader reads a header and checks that pdu is as long as it says, and
// its CRC where there is one. It returns the data field without the CRC, which
// refers to pdu.
func DecodeHeader(pdu []byte) (Header, []byte, error) {
	if len(pdu) < minHeader {
		return Header{}, nil, decodeError(len(pdu), "shorter than a header")
	}
	if v := pdu[0] >> 5; v != version {
		return Header{}, nil, decodeError(0, fmt.Sprintf("version %d, want %d", v, version))
	}
	h := Header{
		FileData:            pdu[0]&0x10 != 0,
		TowardSender:        pdu[0]&0x08 != 0,
		Mode:                Mode(pdu[0] >> 2 & 1),
		CRC:                 pdu[0]&0x02 != 0,
		LargeFile:           pdu[0]&0x01 != 0,
		SegmentationControl: pdu[3]&0x80 != 0,
		EntityLength:        pdu[3]>>4&7 + 1,
		SegmentMetadata:     pdu[3]&0x08 != 0,
		SequenceLength:      pdu[3]&7 + 1,
	}
	n, field := h.Length(), int(binary.BigEndian.Uint16(pdu[1:]))
	if len(pdu) != n+field {
		return Header{}, nil, decodeError(1, fmt.Sprintf("header and data field have %d octets, PDU has %d", n+field, len(pdu)))
	}
	e, s := int(h.EntityLength), int(h.SequenceLength)
	h.Source = getUint(pdu[minHeader:], e)
	h.Sequence = getUint(pdu[minHeader+e:], s)
	h.Destination = getUint(pdu[minHeader+e+s:], e)
	data := pdu[n:]
	if h.CRC {
		if len(data) < crcLength {
			return Header{}, nil, decodeError(n, "no room for the CRC")
		}
		// Over data and its own CRC the remainder is zero (§4.1.3).
		if ccsds.CRC16(pdu) != 0 {
			return Header{}, nil, decodeError(len(pdu)-crcLength, "CRC does not match")
		}
		data = data[:len(data)-crcLength]
	}
	return h, data, nil
}

// appendHeader writes h with a zero length, which seal sets.
func (h *Header) appendTo(dst []byte) ([]byte, error) {
	if h.EntityLength < 1 || h.EntityLength > 8 || h.SequenceLength < 1 || h.SequenceLength > 8 {
		return nil, fmt.Errorf("identifier lengths %d and %d, 1 to 8", h.EntityLength, h.SequenceLength)
	}
	for _, f := range []struct {
		v uint64
		n uint8
	}{{h.Source, h.EntityLength}, {h.Sequence, h.SequenceLength}, {h.Destination, h.EntityLength}} {
		if f.n < 8 && f.v>>(8*f.n) != 0 {
			return nil, fmt.Errorf("identifier %d does not fit %d octets", f.v, f.n)
		}
	}
	dst = append(dst,
		version<<5|bit(h.FileData, 0x10)|bit(h.TowardSender, 0x08)|byte(h.Mode&1)<<2|bit(h.CRC, 0x02)|bit(h.LargeFile, 0x01),
		0, 0,
		bit(h.SegmentationControl, 0x80)|(h.EntityLength-1)<<4|bit(h.SegmentMetadata, 0x08)|(h.SequenceLength-1))
	dst = appendUint(dst, h.Source, int(h.EntityLength))
	dst = appendUint(dst, h.Sequence, int(h.SequenceLength))
	return appendUint(dst, h.Destination, int(h.EntityLength)), nil
}

// seal sets the length of the PDU that starts at dst[start:] and adds its CRC.
func (h *Header) seal(dst []byte, start int) ([]byte, error) {
	field := len(dst) - start - h.Length()
	if h.CRC {
		field += crcLength
	}
	if field > maxDataField {
		return nil, fmt.Errorf("data field of %d octets, at most %d", field, maxDataField)
	}
	binary.BigEndian.PutUint16(dst[start+1:], uint16(field))
	if h.CRC {
		dst = binary.BigEndian.AppendUint16(dst, ccsds.CRC16(dst[start:]))
	}
	return dst, nil
}

func bit(set bool, mask byte) byte {
	if set {
		return mask
	}
	return 0
}

func bitOf(set bool) int { return int(bit(set, 1)) }

// getUint reads n octets, big-endian; b has at least n.
func getUint(b []byte, n int) uint64 {
	var v uint64
	for _, o := range b[:n] {
		v = v<<8 | uint64(o)
	}
	return v
}

func appendUint(dst []byte, v uint64, n int) []byte {
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, byte(v>>(8*i)))
	}
	return dst
}

func decodeError(offset int, reason string) error {
	return &ccsds.DecodeError{Layer: "cfdp", Offset: offset, Reason: reason}
}
