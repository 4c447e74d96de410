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
	SubSchedule uint16 `pus:"sub-schedule"`
	Group       uint16 `pus:"group"` // 0: none
	Release     timecode.Instant
	Request     Packet
}

// ActivitySummary is TM[11,13].
type ActivitySummary struct{ Activities []ActivityName }

// ActivityName is when a request is released, and which.
type ActivityName struct {
	SubSchedule uint16 `pus:"sub-schedule"`
	Group       uint16 `pus:"group"`
	Release     timecode.Instant
	Request     RequestName
}

// ActivityFilter is TC[11,6], delete, TC[11,11], report in detail, and TC[11,14], in short:
// activities by their time, sub-schedule and group. An empty list stands for all of them.
type ActivityFilter struct {
	Window       TimeWindow
	SubSchedules []uint16
	Groups       []uint16
}

// ActivityShiftFilter is TC[11,8].
type ActivityShiftFilter struct {
	Milliseconds int32
	Filter       ActivityFilter
}

// ScheduleStates is TM[11,19] and TM[22,19], of sub-schedules, TM[11,27] and TM[22,27], of
// groups, and TC[11,22] and TC[22,22], create groups.
type ScheduleStates struct{ States []ScheduleState }

// ScheduleState is a sub-schedule or group and whether its activities are released.
type ScheduleState struct {
	ID      uint16
	Enabled bool
}

// scheduleMessages are those of ECSS-E-ST-70-41C §6.11 besides TC[11,1] to TC[11,4].
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
	tcKind(11, 6):  ActivityFilter{},
	tcKind(11, 8):  ActivityShiftFilter{},
	tcKind(11, 11): ActivityFilter{},
	tcKind(11, 14): ActivityFilter{},
	tcKind(11, 18): None{}, // report sub-schedules
	tmKind(11, 19): ScheduleStates{},
	tcKind(11, 20): IDs{}, // sub-schedules on
	tcKind(11, 21): IDs{}, // off
	tcKind(11, 22): ScheduleStates{},
	tcKind(11, 23): IDs{},  // delete groups
	tcKind(11, 24): IDs{},  // groups on
	tcKind(11, 25): IDs{},  // off
	tcKind(11, 26): None{}, // report groups
	tmKind(11, 27): ScheduleStates{},
}
