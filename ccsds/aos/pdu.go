package aos

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// pduHeaderLength is the header of an M_PDU and of a B_PDU in octets.
const pduHeaderLength = 2

// Values of the first header pointer of an M_PDU that point nowhere (§4.1.4.2.2.3).
const (
	NoPacketStart uint16 = 0x7FF // no packet begins in this frame
	OnlyIdleData  uint16 = 0x7FE // the packet zone is idle data
)

// Values of the bitstream data pointer of a B_PDU (§4.1.4.3.2.3).
const (
	allValid uint16 = 0x3FFF // the whole zone is the user's
	allIdle  uint16 = 0x3FFE // none of it is
)

// MPDU is a data field that carries packets (§4.1.4.2).
type MPDU struct {
	First uint16 // first header pointer, 11 bits
	Zone  []byte // packets end to end
}

// ParseMPDU reads a data field as an M_PDU. Errors wrap ccsds.ErrTruncated or ErrReserved.
func ParseMPDU(data []byte) (MPDU, error) {
	if len(data) <= pduHeaderLength {
		return MPDU{}, ccsds.Errorf("aos m_pdu", len(data), ccsds.ErrTruncated, "have %d octets, want more than %d", len(data), pduHeaderLength)
	}
	h := binary.BigEndian.Uint16(data)
	m := MPDU{First: h & 0x7FF, Zone: data[pduHeaderLength:]}
	switch {
	case h>>11 != 0:
		return MPDU{}, ccsds.Errorf("aos m_pdu", 0, ccsds.ErrReserved, "spare bits are %05b", h>>11)
	case m.First < OnlyIdleData && int(m.First) >= len(m.Zone):
		return MPDU{}, ccsds.Errorf("aos m_pdu", 0, ccsds.ErrReserved, "first header pointer %d lies behind the packet zone of %d octets", m.First, len(m.Zone))
	}
	return m, nil
}

// Append appends the data field to dst.
func (m MPDU) Append(dst []byte) []byte {
	return append(binary.BigEndian.AppendUint16(dst, m.First&0x7FF), m.Zone...)
}

// BPDU is a data field that carries a stream of bits (§4.1.4.3).
type BPDU struct {
	Bits int    // how many bits of Zone are the user's, from its beginning
	Zone []byte // bitstream data zone
}

// ParseBPDU reads a data field as a B_PDU. Errors wrap ccsds.ErrTruncated or ErrReserved.
func ParseBPDU(data []byte) (BPDU, error) {
	if len(data) <= pduHeaderLength {
		return BPDU{}, ccsds.Errorf("aos b_pdu", len(data), ccsds.ErrTruncated, "have %d octets, want more than %d", len(data), pduHeaderLength)
	}
	h := binary.BigEndian.Uint16(data)
	if h>>14 != 0 {
		return BPDU{}, ccsds.Errorf("aos b_pdu", 0, ccsds.ErrReserved, "spare bits are %02b", h>>14)
	}
	b := BPDU{Zone: data[pduHeaderLength:]}
	switch h {
	case allValid:
		b.Bits = 8 * len(b.Zone)
	case allIdle:
	default:
		if b.Bits = int(h) + 1; b.Bits > 8*len(b.Zone) {
			return BPDU{}, ccsds.Errorf("aos b_pdu", 0, ccsds.ErrReserved, "bitstream data pointer %d lies behind the data zone of %d octets", h, len(b.Zone))
		}
	}
	return b, nil
}

// Append appends the data field to dst. The zone may have more bits than the pointer
// counts only if all of them are the user's.
func (b BPDU) Append(dst []byte) ([]byte, error) {
	var pointer uint16
	switch {
	case b.Bits < 0 || b.Bits > 8*len(b.Zone):
		return dst, fmt.Errorf("encode aos b_pdu: %d bits in %d octets", b.Bits, len(b.Zone))
	case b.Bits == 8*len(b.Zone):
		pointer = allValid
	case b.Bits == 0:
		pointer = allIdle
	case b.Bits-1 >= int(allIdle):
		return dst, fmt.Errorf("encode aos b_pdu: %d bits are more than the pointer counts", b.Bits)
	default:
		pointer = uint16(b.Bits - 1)
	}
	return append(binary.BigEndian.AppendUint16(dst, pointer), b.Zone...), nil
}
