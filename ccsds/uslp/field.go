package uslp

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// Rule says how a data zone is made of what it carries (§4.1.4.2.2).
type Rule uint8

// The construction rules. The first three are for zones of fixed length and have a pointer
// in front of the zone, the others for zones that end where the data do.
const (
	PacketsSpanning   Rule = 0 // packets end to end, across frames
	StartOfSDU        Rule = 1 // a service data unit begins at the first octet
	ContinuesSDU      Rule = 2 // and goes on
	OctetStream       Rule = 3
	StartingSegment   Rule = 4
	ContinuingSegment Rule = 5
	LastSegment       Rule = 6
	NoSegmentation    Rule = 7 // whole packets, or a whole service data unit
)

// NoPointer is the pointer of a zone in which no packet begins, or no unit ends.
const NoPointer = 0xFFFF

// fieldHeaderLength is the header of a data field with pointer, in octets.
const fieldHeaderLength = 3

func (r Rule) String() string {
	names := [...]string{
		"packets spanning frames", "start of unit", "continuing unit", "octet stream",
		"starting segment", "continuing segment", "last segment", "no segmentation",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("rule(%d)", uint8(r))
}

// HasPointer reports whether zones of this rule have a first header pointer or last valid
// octet pointer. Truncated frames have none.
func (r Rule) HasPointer() bool { return r <= ContinuesSDU }

// UPID is the USLP protocol identifier, 5 bits: what a data zone carries (§4.1.4.2.3; the
// values are registered with SANA).
type UPID uint8

// Protocol identifiers.
const (
	Packets       UPID = 0 // space packets and encapsulation packets
	COP1          UPID = 1 // COP-1 control commands
	COPP          UPID = 2 // COP-P control commands
	SDLS          UPID = 3 // security extended procedures
	UserOctets    UPID = 4 // octet stream of the user
	MissionSDU    UPID = 5 // service data units of the mission
	Proximity1PP1 UPID = 6 // Proximity-1 pseudo packets, identifier 1
	Proximity1    UPID = 7 // Proximity-1 supervisory data
	Proximity1PP2 UPID = 8 // Proximity-1 pseudo packets, identifier 2
	IdleData      UPID = 31

	maxUPID UPID = 31
)

// Field is a transfer frame data field (§4.1.4).
type Field struct {
	Rule    Rule
	UPID    UPID
	Pointer uint16 // first header pointer (rule 000) or last valid octet pointer (001, 010)
	Zone    []byte
}

// ParseField reads the data field of a frame. Errors wrap ccsds.ErrTruncated or
// ErrReserved.
func ParseField(data []byte, truncated bool) (Field, error) {
	if len(data) == 0 {
		return Field{}, ccsds.Errorf("uslp data field", 0, ccsds.ErrTruncated, "it is empty")
	}
	f := Field{Rule: Rule(data[0] >> 5), UPID: UPID(data[0]) & maxUPID}
	n := 1
	if f.Rule.HasPointer() && !truncated {
		if n = fieldHeaderLength; len(data) < n {
			return Field{}, ccsds.Errorf("uslp data field", len(data), ccsds.ErrTruncated, "header needs %d octets, have %d", n, len(data))
		}
		f.Pointer = binary.BigEndian.Uint16(data[1:])
	}
	f.Zone = data[n:]
	if n == fieldHeaderLength && f.Pointer != NoPointer && int(f.Pointer) >= len(f.Zone) {
		return Field{}, ccsds.Errorf("uslp data field", 1, ccsds.ErrReserved, "pointer %d lies behind the data zone of %d octets", f.Pointer, len(f.Zone))
	}
	return f, nil
}

// Append appends the data field to dst.
func (f Field) Append(dst []byte, truncated bool) ([]byte, error) {
	if f.Rule > NoSegmentation || f.UPID > maxUPID {
		return dst, fmt.Errorf("encode uslp data field: rule %d and identifier %d, want 0 to 7 and 0 to 31", f.Rule, f.UPID)
	}
	dst = append(dst, byte(f.Rule)<<5|byte(f.UPID))
	if f.Rule.HasPointer() && !truncated {
		dst = binary.BigEndian.AppendUint16(dst, f.Pointer)
	}
	return append(dst, f.Zone...), nil
}
