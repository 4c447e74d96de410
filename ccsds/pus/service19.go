package pus

// ServiceEventAction answers events with telecommands (ECSS-E-ST-70-41C §6.19).
const ServiceEventAction = 19

// EventActions is TC[19,1], add, and TM[19,11], without their states.
type EventActions struct{ Actions []EventAction }

// EventAction is a telecommand that an event of a process releases.
type EventAction struct {
	APID    uint16
	Event   uint16
	Request Packet
}

// EventNames is TC[19,2], delete, TC[19,4], enable, TC[19,5], disable, and TC[19,10],
// report.
type EventNames struct{ Events []EventName }

// EventName is an event of a process.
type EventName struct {
	APID  uint16
	Event uint16
}

// EventActionStatus is TM[19,7].
type EventActionStatus struct{ Events []EventActionState }

// EventActionState is whether an event has its answer.
type EventActionState struct {
	APID    uint16
	Event   uint16
	Enabled bool
}

var eventActionMessages = map[Kind]any{
	tcKind(19, 1):  EventActions{},
	tcKind(19, 2):  EventNames{},
	tcKind(19, 3):  None{}, // delete all
	tcKind(19, 4):  EventNames{},
	tcKind(19, 5):  EventNames{},
	tcKind(19, 6):  None{}, // report states
	tmKind(19, 7):  EventActionStatus{},
	tcKind(19, 8):  None{}, // all of it on
	tcKind(19, 9):  None{}, // off
	tcKind(19, 10): EventNames{},
	tmKind(19, 11): EventActions{},
}
