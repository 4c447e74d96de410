package pus

import "github.com/perilune/perilune/ccsds/timecode"

// ServiceMonitoring watches parameters against limits (ECSS-E-ST-70-41C §6.12).
const ServiceMonitoring = 12

// Checks of a monitoring definition.
const (
	CheckExpected uint8 = 0 // the masked parameter must have a value
	CheckLimits   uint8 = 1 // it must lie between two
	CheckDelta    uint8 = 2 // and so the mean of successive differences
)

// MonitoringDelay is TC[12,3]: milliseconds that transitions may wait for their report.
type MonitoringDelay struct{ Delay uint32 }

// MonitoringDefinitions is TC[12,5], add.
type MonitoringDefinitions struct{ Definitions []MonitoringDefinition }

// MonitoringDefinition is one parameter to watch.
type MonitoringDefinition struct {
	ID         uint16
	Parameter  uint16
	Validity   Validity
	Interval   uint32 // milliseconds between checks
	Repetition uint16 // so many equal results in a row make a transition
	Criteria   Criteria
}

// MonitoringChanges is TC[12,7]: other checks of the same parameters.
type MonitoringChanges struct{ Definitions []MonitoringChange }

// MonitoringChange is the new check of a definition.
type MonitoringChange struct {
	ID         uint16
	Parameter  uint16
	Repetition uint16
	Criteria   Criteria
}

// Criteria are those of a check. An event is what going against them raises, 0 for none.
type Criteria struct {
	Check      uint8
	Mask       Value  `pus:"Check 0"`
	Expected   Value  `pus:"Check 0"`
	Unexpected uint16 `pus:"Check 0"` // event
	Low        Value  `pus:"Check 1 2"`
	LowEvent   uint16 `pus:"Check 1 2"`
	High       Value  `pus:"Check 1 2"`
	HighEvent  uint16 `pus:"Check 1 2"`
	Successive uint16 `pus:"Check 2"` // differences that the mean is taken of
}

// Validity says when a definition is checked: when the masked parameter has the value.
// Parameter 0 means always.
type Validity struct {
	Parameter uint16
	Mask      Value
	Expected  Value
}

// MonitoringDefinitionReport is TM[12,9].
type MonitoringDefinitionReport struct {
	Delay       uint32
	Definitions []MonitoringDefinitionState
}

// MonitoringDefinitionState is a definition and whether it is on.
type MonitoringDefinitionState struct {
	ID         uint16
	Parameter  uint16
	Validity   Validity
	Interval   uint32
	Enabled    bool
	Repetition uint16
	Criteria   Criteria
}

// Transitions is TM[12,11], what is out of limits now, and TM[12,12], what has changed.
type Transitions struct{ Transitions []Transition }

// Transition is a change of the result of a check.
type Transition struct {
	ID        uint16
	Parameter uint16
	Check     uint8
	Value     Value
	Crossed   Value // the limit
	Before    uint8 // checking status
	Now       uint8
	At        timecode.Instant
}

// MonitoringStatus is TM[12,14].
type MonitoringStatus struct{ Definitions []MonitoringState }

// MonitoringState is whether a definition is on.
type MonitoringState struct {
	ID      uint16
	Enabled bool
}

// FunctionalDefinitions is TC[12,23] and, with their states, TM[12,26]: faults that
// follow from several definitions failing at once.
type FunctionalDefinitions struct{ Definitions []FunctionalDefinition }

// FunctionalDefinition raises Event when at least Least of Checks fail.
type FunctionalDefinition struct {
	ID        uint16
	Validity  Validity
	Event     uint16
	Least     uint16
	Checks    []uint16
	Enabled   bool
	Protected bool
}

// FunctionalStatus is TM[12,28].
type FunctionalStatus struct{ Definitions []FunctionalState }

// FunctionalState is what a functional definition is doing.
type FunctionalState struct {
	ID        uint16
	Enabled   bool
	Protected bool
	Checking  uint8
}

var monitoringMessages = map[Kind]any{
	tcKind(12, 1):  IDs{}, // enable
	tcKind(12, 2):  IDs{}, // disable
	tcKind(12, 3):  MonitoringDelay{},
	tcKind(12, 4):  None{}, // delete all
	tcKind(12, 5):  MonitoringDefinitions{},
	tcKind(12, 6):  IDs{}, // delete
	tcKind(12, 7):  MonitoringChanges{},
	tcKind(12, 8):  IDs{}, // report
	tmKind(12, 9):  MonitoringDefinitionReport{},
	tcKind(12, 10): None{}, // report what is out of limits
	tmKind(12, 11): Transitions{},
	tmKind(12, 12): Transitions{},
	tcKind(12, 13): None{}, // report states
	tmKind(12, 14): MonitoringStatus{},
	tcKind(12, 15): None{}, // parameter monitoring on
	tcKind(12, 16): None{}, // off
	tcKind(12, 17): None{}, // functional monitoring on
	tcKind(12, 18): None{}, // off
	tcKind(12, 19): IDs{},  // enable
	tcKind(12, 20): IDs{},  // disable
	tcKind(12, 21): IDs{},  // protect
	tcKind(12, 22): IDs{},  // unprotect
	tcKind(12, 23): FunctionalDefinitions{},
	tcKind(12, 24): IDs{}, // delete
	tcKind(12, 25): IDs{}, // report
	tmKind(12, 26): FunctionalDefinitions{},
	tcKind(12, 27): None{}, // report states
	tmKind(12, 28): FunctionalStatus{},
}
