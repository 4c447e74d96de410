package pus

// ServiceForwarding says which reports go to the ground at once (ECSS-E-ST-70-41C §6.14).
const ServiceForwarding = 14

// ReportTypes is TC[14,1], add, TC[14,2], delete, and TM[14,4]: kinds of reports. A process
// without services stands for all of its reports, a service without subtypes for all of
// the service.
type ReportTypes struct{ Processes []ProcessReports }

// ProcessReports are reports of one application process.
type ProcessReports struct {
	APID     uint16
	Services []ServiceReports
}

// ServiceReports are reports of one service.
type ServiceReports struct {
	Service  uint8
	Subtypes []uint8
}

// Structures is TC[14,5] and TC[14,9], add, TC[14,6] and TC[14,10], delete, TM[14,8] and
// TM[14,12]: housekeeping and diagnostic structures.
type Structures struct{ Processes []ProcessStructures }

// ProcessStructures are structures of one application process.
type ProcessStructures struct {
	APID       uint16
	Structures []StructureRate
}

// StructureRate is a structure of which one report in so many is forwarded.
type StructureRate struct {
	SID  uint16
	Rate uint16 // 0 or 1: each
}

// BlockedEvents is TC[14,13], delete, TC[14,14], add, and TM[14,16]: events that are not
// forwarded.
type BlockedEvents struct{ Processes []ProcessEvents }

// ProcessEvents are events of one application process.
type ProcessEvents struct {
	APID   uint16
	Events []uint16
}

var forwardingMessages = map[Kind]any{
	tcKind(14, 1):  ReportTypes{},
	tcKind(14, 2):  ReportTypes{},
	tcKind(14, 3):  None{},
	tmKind(14, 4):  ReportTypes{},
	tcKind(14, 5):  Structures{},
	tcKind(14, 6):  Structures{},
	tcKind(14, 7):  None{},
	tmKind(14, 8):  Structures{},
	tcKind(14, 9):  Structures{},
	tcKind(14, 10): Structures{},
	tcKind(14, 11): None{},
	tmKind(14, 12): Structures{},
	tcKind(14, 13): BlockedEvents{},
	tcKind(14, 14): BlockedEvents{},
	tcKind(14, 15): None{},
	tmKind(14, 16): BlockedEvents{},
}
