package pus

import "fmt"

// Failure is the code of a negative verification report, TM[1,2], [1,4] and
// [1,8] (ECSS-E-ST-70-41C §8.1; the standard leaves the numbers to the craft).
type Failure uint16

// Failures 1 to 9 are found while a telecommand is accepted, 10 and up while
// it starts or runs.
const (
	FailureNone         Failure = 0
	FailureIllegalAPID  Failure = 1
	FailureBadLength    Failure = 2
	FailureBadChecksum  Failure = 3
	FailureIllegalType  Failure = 4 // service or subtype unknown here
	FailureBadData      Failure = 5 // the message does not decode
	FailureBadHeader    Failure = 6 // not a telecommand of PUS version 2
	FailureRefused      Failure = 10
	FailureNotNow       Failure = 11 // the craft's mode or clock forbids it
	FailureUnknownName  Failure = 12 // no such function, mission or tenant
	FailureFull         Failure = 13
	FailureNotPermitted Failure = 14 // grant, order or quota
	FailureInternal     Failure = 15
)

var failureNames = map[Failure]string{
	FailureNone: "none", FailureIllegalAPID: "illegal APID", FailureBadLength: "bad length",
	FailureBadChecksum: "bad checksum", FailureIllegalType: "illegal service or subtype",
	FailureBadData: "bad data", FailureBadHeader: "bad header", FailureRefused: "refused",
	FailureNotNow: "not now", FailureUnknownName: "unknown name", FailureFull: "full",
	FailureNotPermitted: "not permitted", FailureInternal: "internal",
}

func (f Failure) String() string {
	if s, ok := failureNames[f]; ok {
		return s
	}
	return fmt.Sprintf("failure %d", uint16(f))
}

// Refusal is why a packet was not taken. Code and Text go into the report;
// Known says that Request could be read, so that a report can name it.
type Refusal struct {
	Code    Failure
	Text    string
	Request RequestID
	Known   bool
	Err     error // the decoder's own error, if any
}

func (r *Refusal) Error() string {
	if r.Text == "" {
		return r.Code.String()
	}
	return r.Code.String() + ": " + r.Text
}

func (r *Refusal) Unwrap() error { return r.Err }
