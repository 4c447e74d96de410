package cfdp

import (
	"fmt"
	"math"
)

// TLVType says what an optional field of a directive is, 727.0-B-5 §5.4.
type TLVType uint8

// Types of optional fields.
const (
	TLVFilestoreRequest  TLVType = 0x00
	TLVFilestoreResponse TLVType = 0x01
	TLVMessageToUser     TLVType = 0x02
	TLVFaultHandler      TLVType = 0x04
	TLVFlowLabel         TLVType = 0x05
	TLVEntityID          TLVType = 0x06
)

// TLV is an optional field: type, length, value. Types that are not known are
// kept and passed over.
type TLV struct {
	Type  TLVType
	Value []byte
}

// tlvs reads fields up to the end.
func (r *reader) tlvs() []TLV {
	var all []TLV
	for r.err == nil && r.left() > 0 {
		t := TLV{Type: TLVType(r.u8())}
		if t.Value = r.lv(); r.err == nil {
			all = append(all, t)
		}
	}
	return all
}

func appendTLVs(dst []byte, all []TLV) ([]byte, error) {
	for _, t := range all {
		if len(t.Value) > math.MaxUint8 {
			return nil, fmt.Errorf("field of %d octets does not fit an 8-bit length", len(t.Value))
		}
		dst = append(append(dst, byte(t.Type), byte(len(t.Value))), t.Value...)
	}
	return dst, nil
}

// EntityID is an entity id with the number of octets it is written with.
type EntityID struct {
	Value  uint64
	Length uint8 // 1 to 8; 0: there is none
}

func (e EntityID) appendTo(dst []byte) ([]byte, error) {
	if e.Length > 8 {
		return nil, fmt.Errorf("entity id of %d octets", e.Length)
	}
	if e.Length == 0 {
		return dst, nil
	}
	dst = append(dst, byte(TLVEntityID), e.Length)
	return appendUint(dst, e.Value, int(e.Length)), nil
}

// faultLocation finds the entity id among the fields of EOF or Finished. One of
// a length no entity id has is as good as none: the field is informative.
func faultLocation(all []TLV) EntityID {
	for _, t := range all {
		if n := len(t.Value); t.Type == TLVEntityID && n >= 1 && n <= 8 {
			return EntityID{getUint(t.Value, n), uint8(n)}
		}
	}
	return EntityID{}
}
