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

// Filestore actions, table 5-16.
const (
	ActionCreateFile      = 0
	ActionDeleteFile      = 1
	ActionRenameFile      = 2
	ActionAppendFile      = 3
	ActionReplaceFile     = 4
	ActionCreateDirectory = 5
	ActionRemoveDirectory = 6
	ActionDenyFile        = 7
	ActionDenyDirectory   = 8
)

// FilestoreRequest is the value of a filestore request field, §5.4.1. This
// entity performs none; it answers each as not performed.
type FilestoreRequest struct {
	Action        uint8
	First, Second string // Second only for rename, append and replace
}

// DecodeFilestoreRequest reads the value of a filestore request.
func DecodeFilestoreRequest(value []byte) (FilestoreRequest, error) {
	r := &reader{data: value}
	f := FilestoreRequest{Action: r.u8() >> 4, First: string(r.lv())}
	if f.twoNames() {
		f.Second = string(r.lv())
	}
	return f, r.end()
}

func (f FilestoreRequest) twoNames() bool {
	return f.Action >= ActionRenameFile && f.Action <= ActionReplaceFile
}

// notPerformed is the response field that answers f, §5.4.2.
func (f FilestoreRequest) notPerformed() (TLV, error) {
	v, err := appendLV([]byte{f.Action<<4 | 0x0F}, f.First)
	if err == nil && f.twoNames() {
		v, err = appendLV(v, f.Second)
	}
	if err != nil || len(v)+1 > math.MaxUint8 {
		return TLV{}, fmt.Errorf("filestore response of %d octets", len(v)+1)
	}
	return TLV{Type: TLVFilestoreResponse, Value: append(v, 0)}, nil // no message
}
