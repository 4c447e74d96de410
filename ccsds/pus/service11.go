package pus

import "github.com/perilune/perilune/ccsds/timecode"

// ActivityShift is TC[11,7]: activities later or, below zero, earlier.
type ActivityShift struct {
	Milliseconds int32
	Requests     []RequestName
}

// ActivityShiftAll is TC[11,15].
type ActivityShiftAll struct{ Milliseconds int32 }

// ActivityDetails is TM[11,10].
type ActivityDetails struct{ Activities []ActivityDetail }

// ActivityDetail is an activity with its whole request.
type ActivityDetail struct {
	Release timecode.Instant
	Request Packet
}

// ActivitySummary is TM[11,13].
type ActivitySummary struct{ Activities []ActivityName }

// ActivityName is when a request is released, and which.
type ActivityName struct {
	Release timecode.Instant
	Request RequestName
}

// scheduleMessages are those of ECSS-E-ST-70-41C §6.11 besides TC[11,1] to TC[11,4], without
// filters, sub-schedules and groups.
var scheduleMessages = map[Kind]any{
	tcKind(11, 5):  RequestNames{}, // delete
	tcKind(11, 7):  ActivityShift{},
	tcKind(11, 9):  RequestNames{}, // report in detail
	tmKind(11, 10): ActivityDetails{},
	tcKind(11, 12): RequestNames{}, // report in short
	tmKind(11, 13): ActivitySummary{},
	tcKind(11, 15): ActivityShiftAll{},
	tcKind(11, 16): None{}, // all in detail
	tcKind(11, 17): None{}, // all in short
}
