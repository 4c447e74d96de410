package pus

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// RequestID names the telecommand that a verification report is about: the
// first four octets of its packet (ECSS-E-ST-70-41C §8.1.2.1).
//
//	version 3 | type 1 | secondary header 1 | APID 11 | flags 2 | count 14
type RequestID uint32

// NewRequestID makes the id of a telecommand with an unsegmented packet.
func NewRequestID(apid ccsds.APID, seq uint16) RequestID {
	return RequestID(1<<28 | 1<<27 | uint32(apid&ccsds.MaxAPID)<<16 | 3<<14 | uint32(seq&0x3FFF))
}

// RequestIDOf reads the id from the start of a packet.
func RequestIDOf(packet []byte) (RequestID, bool) {
	if len(packet) < 4 {
		return 0, false
	}
	return RequestID(binary.BigEndian.Uint32(packet)), true
}

// APID is the application process the telecommand was for.
func (id RequestID) APID() ccsds.APID { return ccsds.APID(id>>16) & ccsds.MaxAPID }

// Seq is the packet sequence count of the telecommand.
func (id RequestID) Seq() uint16 { return uint16(id) & 0x3FFF }

func (id RequestID) String() string { return fmt.Sprintf("%d/%d", id.APID(), id.Seq()) }

// Verification is a report of service 1. Subtype is one of the constants
// AcceptanceSuccess … RoutingFailure; Code and Text are sent with the even
// (negative) ones only, Step with the two about progress.
type Verification struct {
	Subtype uint8
	Request RequestID
	Step    uint16
	Code    Failure
	Text    string
}

// Failed says whether the report is a negative one.
func (v Verification) Failed() bool { return v.Subtype%2 == 0 }

func (v Verification) progress() bool {
	return v.Subtype == ProgressSuccess || v.Subtype == ProgressFailure
}

func verificationSubtype(s uint8) bool {
	return s >= AcceptanceSuccess && s <= CompletionFailure || s == RoutingFailure
}

// Encode returns the message of TM[1,Subtype]: request id, on progress the
// step (u16), and on failure the code (u16) and a text.
func (v Verification) Encode() ([]byte, error) {
	if !verificationSubtype(v.Subtype) {
		return nil, fmt.Errorf("encode TM[1,%d]: no such report", v.Subtype)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(v.Request))
	if v.progress() {
		b = binary.BigEndian.AppendUint16(b, v.Step)
	}
	if !v.Failed() {
		return b, nil
	}
	return appendText16(binary.BigEndian.AppendUint16(b, uint16(v.Code)), v.Text)
}

// DecodeVerification reads the message of TM[1,subtype].
func DecodeVerification(subtype uint8, data []byte) (Verification, error) {
	v := Verification{Subtype: subtype}
	r := newReader(fmt.Sprintf("TM[1,%d]", subtype), data)
	if !verificationSubtype(subtype) {
		return v, dataError(r.what, -1, "no such report")
	}
	v.Request = RequestID(r.u32())
	if v.progress() {
		v.Step = r.u16()
	}
	if v.Failed() {
		v.Code = Failure(r.u16())
		v.Text = r.text16()
	}
	return v, r.end()
}
