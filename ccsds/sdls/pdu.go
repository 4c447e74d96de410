package sdls

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// Group is the service group of an extended procedure (CCSDS 355.1-B-1 §5.3.2.2).
type Group uint8

// The service groups.
const (
	KeyManagement         Group = 0
	AssociationManagement Group = 1
	Monitoring            Group = 3
)

// Procedure is a service group and a procedure in it.
type Procedure struct {
	Group Group
	ID    uint8 // 4 bits
}

// The extended procedures (table 5-1).
var (
	OTAR           = Procedure{KeyManagement, 1}
	KeyActivate    = Procedure{KeyManagement, 2}
	KeyDeactivate  = Procedure{KeyManagement, 3}
	KeyVerify      = Procedure{KeyManagement, 4}
	KeyDestroy     = Procedure{KeyManagement, 6}
	KeyInventory   = Procedure{KeyManagement, 7}
	SAReadARSN     = Procedure{AssociationManagement, 0}
	SACreate       = Procedure{AssociationManagement, 1}
	SADelete       = Procedure{AssociationManagement, 4}
	SASetWindow    = Procedure{AssociationManagement, 5}
	SARekey        = Procedure{AssociationManagement, 6}
	SAExpire       = Procedure{AssociationManagement, 9}
	SASetARSN      = Procedure{AssociationManagement, 10}
	SAStart        = Procedure{AssociationManagement, 11}
	SAStop         = Procedure{AssociationManagement, 14}
	SAStatus       = Procedure{AssociationManagement, 15}
	Ping           = Procedure{Monitoring, 1}
	LogStatus      = Procedure{Monitoring, 2}
	DumpLog        = Procedure{Monitoring, 3}
	EraseLog       = Procedure{Monitoring, 4}
	SelfTesting    = Procedure{Monitoring, 5}
	ResetAlarmFlag = Procedure{Monitoring, 7}
)

// pduHeaderLength is tag and length, in octets.
const pduHeaderLength = 3

// MaxPDUData is the longest data field: its length is counted in bits, in 16 bits.
const MaxPDUData = 8191

// PDU is the protocol data unit of an extended procedure (§5.3): a tag, a length in bits,
// and data that the procedure defines.
type PDU struct {
	Reply     bool // from the recipient back to the initiator
	User      bool // the procedure is the user's, not the book's
	Procedure Procedure
	Data      []byte
}

// Tag is the first octet of the PDU.
func (p PDU) Tag() byte {
	t := byte(p.Procedure.Group)<<4 | p.Procedure.ID&15
	if p.Reply {
		t |= 0x80
	}
	if p.User {
		t |= 0x40
	}
	return t
}

// Append appends the PDU to dst.
func (p PDU) Append(dst []byte) ([]byte, error) {
	if p.Procedure.Group > 3 || p.Procedure.ID > 15 || len(p.Data) > MaxPDUData {
		return dst, fmt.Errorf("encode sdls procedure: group %d, procedure %d, %d octets", p.Procedure.Group, p.Procedure.ID, len(p.Data))
	}
	dst = append(dst, p.Tag())
	dst = binary.BigEndian.AppendUint16(dst, uint16(8*len(p.Data)))
	return append(dst, p.Data...), nil
}

// ParsePDU reads a PDU that fills data. Its Data refers to data.
func ParsePDU(data []byte) (PDU, error) {
	if len(data) < pduHeaderLength {
		return PDU{}, ccsds.Errorf("sdls procedure", len(data), ccsds.ErrTruncated, "header needs %d octets, have %d", pduHeaderLength, len(data))
	}
	n := int(binary.BigEndian.Uint16(data[1:]))
	if n%8 != 0 || n/8 != len(data)-pduHeaderLength {
		return PDU{}, ccsds.Errorf("sdls procedure", 1, ccsds.ErrLength, "length says %d bits, have %d octets", n, len(data)-pduHeaderLength)
	}
	return PDU{
		Reply: data[0]&0x80 != 0, User: data[0]&0x40 != 0,
		Procedure: Procedure{Group(data[0] >> 4 & 3), data[0] & 15}, Data: data[pduHeaderLength:],
	}, nil
}

// Link names a virtual channel or access point in the PDU that starts an association, 32
// bits: version, spacecraft, virtual channel and access point.
type Link struct {
	Version uint8 // transfer frame version number: 0 TM and TC, 1 AOS, 12 USLP
	SCID    ccsds.SCID
	VCID    ccsds.VCID
	MAP     ccsds.MAPID // 0 where there is none
}

func (l Link) append(dst []byte) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(l.Version&15)<<28|uint32(l.SCID)<<12|uint32(l.VCID&ccsds.MaxVCID)<<6|uint32(l.MAP&ccsds.MaxMAPID))
}

func parseLink(b []byte) Link {
	w := binary.BigEndian.Uint32(b)
	return Link{uint8(w >> 28), ccsds.SCID(w >> 12), ccsds.VCID(w>>6) & ccsds.MaxVCID, ccsds.MAPID(w) & ccsds.MaxMAPID}
}

// ParseLinks reads the channels of a StartPDU; what is left over is not looked at.
func ParseLinks(b []byte) (out []Link) {
	for ; len(b) >= 4; b = b[4:] {
		out = append(out, parseLink(b))
	}
	return out
}

// KeysPDU is the command that activates, deactivates or destroys keys (§5.4).
func KeysPDU(p Procedure, keys ...uint16) PDU {
	var data []byte
	for _, k := range keys {
		data = binary.BigEndian.AppendUint16(data, k)
	}
	return PDU{Procedure: p, Data: data}
}

// AssociationPDU is a command that names an association and no more: stop, expire, delete,
// status, or read of its anti-replay number (§5.5).
func AssociationPDU(p Procedure, spi uint16) PDU {
	return PDU{Procedure: p, Data: binary.BigEndian.AppendUint16(nil, spi)}
}

// StartPDU is the command that makes an association operational on some channels.
func StartPDU(spi uint16, links ...Link) PDU {
	p := AssociationPDU(SAStart, spi)
	for _, l := range links {
		p.Data = l.append(p.Data)
	}
	return p
}

// RekeyPDU is the command that gives an association a key and the anti-replay number from
// which it goes on, as wide as the association's vector or sequence number.
func RekeyPDU(spi, key uint16, number uint64, width int) PDU {
	p := AssociationPDU(SARekey, spi)
	p.Data = appendNumber(binary.BigEndian.AppendUint16(p.Data, key), number, width)
	return p
}

// SetARSNPDU is the command that sets an anti-replay number, as wide as RekeyPDU says.
func SetARSNPDU(spi uint16, number uint64, width int) PDU {
	p := AssociationPDU(SASetARSN, spi)
	p.Data = appendNumber(p.Data, number, width)
	return p
}

// SetWindowPDU is the command that sets an anti-replay window, in frames.
func SetWindowPDU(spi uint16, window uint64) PDU {
	p := AssociationPDU(SASetWindow, spi)
	p.Data = binary.BigEndian.AppendUint64(p.Data, window)
	return p
}

// InventoryPDU is the command that asks for the states of the keys first to last.
func InventoryPDU(first, last uint16) PDU {
	return PDU{Procedure: KeyInventory, Data: binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, first), last)}
}

// appendNumber appends the low octets of n, at most eight of them counting.
func appendNumber(dst []byte, n uint64, width int) []byte {
	for i := width - 1; i >= 0; i-- {
		if i > 7 {
			dst = append(dst, 0)
		} else {
			dst = append(dst, byte(n>>(8*i)))
		}
	}
	return dst
}

// number reads octets as a number; ok is false if it has more than 64 bits.
func number(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		if n>>56 != 0 {
			return 0, false
		}
		n = n<<8 | uint64(c)
	}
	return n, true
}
