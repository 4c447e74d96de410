package pus

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Service types used by the craft (ECSS-E-ST-70-41C §6; 128 and above are
// mission specific).
const (
	ServiceVerification = 1
	ServiceHousekeeping = 3
	ServiceEvent        = 5
	ServiceFunction     = 8
	ServiceTime         = 9
	ServiceSchedule     = 11
	ServiceTest         = 17
	ServiceTenant       = 128
	ServiceSecurity     = 129
)

// Message subtypes, named as service and direction.
const (
	AcceptanceSuccess = 1  // TM[1,1]
	AcceptanceFailure = 2  // TM[1,2]
	StartSuccess      = 3  // TM[1,3]
	StartFailure      = 4  // TM[1,4]
	ProgressSuccess   = 5  // TM[1,5]
	ProgressFailure   = 6  // TM[1,6]
	CompletionSuccess = 7  // TM[1,7]
	CompletionFailure = 8  // TM[1,8]
	RoutingFailure    = 10 // TM[1,10]

	HousekeepingReport = 25 // TM[3,25]

	EventInfo   = 1 // TM[5,1]
	EventLow    = 2 // TM[5,2]
	EventMedium = 3 // TM[5,3]
	EventHigh   = 4 // TM[5,4]

	PerformFunction = 1 // TC[8,1]

	TimeReport = 2   // TM[9,2]
	SetTime    = 128 // TC[9,128]

	ScheduleEnable  = 1 // TC[11,1]
	ScheduleDisable = 2 // TC[11,2]
	ScheduleReset   = 3 // TC[11,3]
	ScheduleInsert  = 4 // TC[11,4]

	AreYouAlive = 1 // TC[17,1]
	IAmAlive    = 2 // TM[17,2]

	TenantCommand   = 1 // TC[128,1]
	TenantTelemetry = 1 // TM[128,1]
	TenantConsole   = 2 // TM[128,2]

	SecurityCommand = 1 // TC[129,1]: a PDU of CCSDS 355.1-B-1
	SecurityReply   = 1 // TM[129,1]
)

// reader takes fields off the front of a message. The first field that does
// not fit sets err, and all later fields are zero, so a decoder checks once.
type reader struct {
	what string
	data []byte
	at   int
	form Form
	err  error

	parameter uint16 // whose values come next
}

func newReader(what string, data []byte) *reader { return &reader{what: what, data: data} }

func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || len(r.data)-r.at < n {
		r.err = dataError(r.what, r.at, fmt.Sprintf("needs %d octets, %d left", n, len(r.data)-r.at))
		return nil
	}
	b := r.data[r.at : r.at+n]
	r.at += n
	return b
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) text8() string  { return string(r.take(int(r.u8()))) }
func (r *reader) text16() string { return string(r.take(int(r.u16()))) }

// rest returns everything not yet taken.
func (r *reader) rest() []byte {
	if r.err != nil {
		return nil
	}
	return r.take(len(r.data) - r.at)
}

// end returns the first error, or one if octets are left over.
func (r *reader) end() error {
	if r.err == nil && r.at != len(r.data) {
		r.err = dataError(r.what, r.at, fmt.Sprintf("%d octets too many", len(r.data)-r.at))
	}
	return r.err
}

func appendText8(dst []byte, s string) ([]byte, error) {
	if len(s) > math.MaxUint8 {
		return nil, fmt.Errorf("text of %d octets does not fit an 8-bit length", len(s))
	}
	return append(append(dst, byte(len(s))), s...), nil
}

func appendText16(dst []byte, s string) ([]byte, error) {
	if len(s) > math.MaxUint16 {
		return nil, fmt.Errorf("text of %d octets does not fit a 16-bit length", len(s))
	}
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...), nil
}
