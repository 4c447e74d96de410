package pus

import "fmt"

// ServicePosition releases telecommands by where the craft is (ECSS-E-ST-70-41C §6.22).
// Subtypes are those of service 11 for what the two have in common.
const ServicePosition = 22

// Position is a place on an orbit.
type Position struct {
	Orbit uint32 // number of the orbit
	Angle uint32 // from the ascending node, in 2^-32 of a turn
}

// PositionAt is the position of an angle in degrees, 0 to below 360.
func PositionAt(orbit uint32, degrees float64) (Position, error) {
	if !(degrees >= 0 && degrees < 360) {
		return Position{}, fmt.Errorf("angle %g, want 0 to below 360 degrees", degrees)
	}
	return Position{orbit, uint32(min(degrees*(1<<32)/360+0.5, 1<<32-1))}, nil
}

func (p Position) String() string {
	return fmt.Sprintf("orbit %d, %.4f°", p.Orbit, float64(p.Angle)*360/(1<<32))
}

// PositionInsert is TC[22,4].
type PositionInsert struct {
	SubSchedule uint16 `pus:"sub-schedule"`
	Activities  []PositionActivity
}

// PositionActivity is a telecommand and the place of its release.
type PositionActivity struct {
	Group   uint16 `pus:"group"` // 0: none
	Release Position
	Request Packet
}

// PositionDetails is TM[22,10].
type PositionDetails struct{ Activities []PositionDetail }

// PositionDetail is an activity with its whole request.
type PositionDetail struct {
	SubSchedule uint16 `pus:"sub-schedule"`
	Group       uint16 `pus:"group"`
	Release     Position
	Request     Packet
}

// RequestNames is TC[22,5], delete, TC[22,9], report, and TC[22,12], summary: activities by
// who sent their requests.
type RequestNames struct{ Requests []RequestName }

// RequestName names a request.
type RequestName struct {
	Source uint16
	APID   uint16
	Seq    uint16
}

// PositionShift is TC[22,7]: activities released later, or earlier.
type PositionShift struct {
	Orbits   int32
	Angle    int32 // in 2^-32 of a turn
	Requests []RequestName
}

// PositionShiftAll is TC[22,15].
type PositionShiftAll struct {
	Orbits int32
	Angle  int32
}

// PositionSummary is TM[22,13].
type PositionSummary struct{ Activities []PositionName }

// PositionName is a place and the request that is released there.
type PositionName struct {
	SubSchedule uint16 `pus:"sub-schedule"`
	Group       uint16 `pus:"group"`
	Release     Position
	Request     RequestName
}

// PositionFilter is TC[22,6], delete, TC[22,11], report in detail, and TC[22,14], in short.
type PositionFilter struct {
	Window       PositionWindow
	SubSchedules []uint16
	Groups       []uint16
}

// PositionShiftFilter is TC[22,8].
type PositionShiftFilter struct {
	Orbits int32
	Angle  int32
	Filter PositionFilter
}

// OrbitNumber is TC[22,28]: what the orbit after this one is counted as.
type OrbitNumber struct{ Orbit uint32 }

var positionMessages = map[Kind]any{
	tcKind(22, 1):  None{}, // on
	tcKind(22, 2):  None{}, // off
	tcKind(22, 3):  None{}, // empty
	tcKind(22, 4):  PositionInsert{},
	tcKind(22, 5):  RequestNames{},
	tcKind(22, 7):  PositionShift{},
	tcKind(22, 9):  RequestNames{},
	tmKind(22, 10): PositionDetails{},
	tcKind(22, 12): RequestNames{},
	tmKind(22, 13): PositionSummary{},
	tcKind(22, 15): PositionShiftAll{},
	tcKind(22, 16): None{}, // report all
	tcKind(22, 17): None{}, // summary of all
	tcKind(22, 6):  PositionFilter{},
	tcKind(22, 8):  PositionShiftFilter{},
	tcKind(22, 11): PositionFilter{},
	tcKind(22, 14): PositionFilter{},
	tcKind(22, 18): None{}, // report sub-schedules
	tmKind(22, 19): ScheduleStates{},
	tcKind(22, 20): IDs{}, // sub-schedules on
	tcKind(22, 21): IDs{}, // off
	tcKind(22, 22): ScheduleStates{},
	tcKind(22, 23): IDs{},  // delete groups
	tcKind(22, 24): IDs{},  // groups on
	tcKind(22, 25): IDs{},  // off
	tcKind(22, 26): None{}, // report groups
	tmKind(22, 27): ScheduleStates{},
	tcKind(22, 28): OrbitNumber{},
}
