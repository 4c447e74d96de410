package pus

// StructureDefinition is TC[3,1] and TC[3,2], create: a housekeeping or diagnostic structure
// (ECSS-E-ST-70-41C §6.3).
type StructureDefinition struct {
	SID        uint16
	Period     uint32 // milliseconds; 0: not by itself
	Parameters []uint16
	Arrays     []SampleArray `pus:"arrays"`
}

// SampleArray are parameters that are sampled several times in a period, evenly. In the
// report the samples follow the simple parameters, each with all of its parameters.
type SampleArray struct {
	Samples    uint16 // in a period
	Parameters []uint16
}

// StructureReport is TM[3,10] and TM[3,12]: one structure, and whether it is sent by itself.
type StructureReport struct {
	SID        uint16
	Enabled    bool
	Period     uint32 // milliseconds
	Parameters []uint16
	Arrays     []SampleArray `pus:"arrays"`
}

// StructureAppend is TC[3,29] and TC[3,30]: more parameters at the end.
type StructureAppend struct {
	SID        uint16
	Parameters []uint16
	Arrays     []SampleArray `pus:"arrays"`
}

// StructurePeriods is TC[3,31] and TC[3,32], new periods.
type StructurePeriods struct{ Structures []StructurePeriod }

// StructurePeriod is the period of a structure in milliseconds.
type StructurePeriod struct {
	SID    uint16
	Period uint32
}

// StructurePeriodStates is TM[3,35] and TM[3,36].
type StructurePeriodStates struct{ Structures []StructurePeriodState }

// StructurePeriodState is a period and whether it is in use.
type StructurePeriodState struct {
	SID     uint16
	Enabled bool
	Period  uint32
}

// FunctionalReporting is TC[3,38], create, TM[3,41], report, TC[3,42], add, and TC[3,44],
// modify: which structures are sent by themselves while the definition is applied.
type FunctionalReporting struct {
	Definition uint16
	Processes  []ReportingProcess
}

// ReportingProcess are structures of one application process.
type ReportingProcess struct {
	APID       uint16
	Structures []ReportingStructure
}

// ReportingStructure is a structure and how it is sent.
type ReportingStructure struct {
	Diagnostic bool
	SID        uint16
	Enabled    bool
	Period     uint32 // milliseconds
}

// FunctionalRemove is TC[3,43].
type FunctionalRemove struct {
	Definition uint16
	Processes  []RemovedProcess
}

// RemovedProcess are structures of one application process.
type RemovedProcess struct {
	APID       uint16
	Structures []RemovedStructure
}

// RemovedStructure is a structure that the definition no longer rules.
type RemovedStructure struct {
	Diagnostic bool
	SID        uint16
}

var structureMessages = map[Kind]any{
	tcKind(3, 1):  StructureDefinition{},
	tcKind(3, 2):  StructureDefinition{},
	tcKind(3, 3):  IDs{}, // delete
	tcKind(3, 4):  IDs{},
	tcKind(3, 5):  IDs{}, // periodic reports on
	tcKind(3, 6):  IDs{}, // off
	tcKind(3, 7):  IDs{},
	tcKind(3, 8):  IDs{},
	tcKind(3, 9):  IDs{}, // report structures
	tmKind(3, 10): StructureReport{},
	tcKind(3, 11): IDs{},
	tmKind(3, 12): StructureReport{},
	tcKind(3, 27): IDs{}, // one report now
	tcKind(3, 28): IDs{},
	tcKind(3, 29): StructureAppend{},
	tcKind(3, 30): StructureAppend{},
	tcKind(3, 31): StructurePeriods{},
	tcKind(3, 32): StructurePeriods{},
	tcKind(3, 33): IDs{}, // report periods
	tcKind(3, 34): IDs{},
	tmKind(3, 35): StructurePeriodStates{},
	tmKind(3, 36): StructurePeriodStates{},
	tcKind(3, 37): IDs{}, // apply
	tcKind(3, 38): FunctionalReporting{},
	tcKind(3, 39): IDs{}, // delete
	tcKind(3, 40): IDs{}, // report
	tmKind(3, 41): FunctionalReporting{},
	tcKind(3, 42): FunctionalReporting{},
	tcKind(3, 43): FunctionalRemove{},
	tcKind(3, 44): FunctionalReporting{},
}

var eventMessages = map[Kind]any{
	tcKind(5, 5): IDs{},  // reports on
	tcKind(5, 6): IDs{},  // off
	tcKind(5, 7): None{}, // report which are off
	tmKind(5, 8): IDs{},
}

// TestProcess is TC[17,3] and TM[17,4]: the connection between two application processes.
type TestProcess struct{ APID uint16 }

var testMessages = map[Kind]any{
	tcKind(17, 3): TestProcess{},
	tmKind(17, 4): TestProcess{},
}
