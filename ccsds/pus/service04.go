package pus

import "github.com/perilune/perilune/ccsds/timecode"

// ServiceStatistics reports what parameters did over a time (ECSS-E-ST-70-41C §6.4).
const ServiceStatistics = 4

// StatisticsRequest is TC[4,1]: report now, and perhaps begin anew.
type StatisticsRequest struct{ Reset bool }

// StatisticsReport is TM[4,2].
type StatisticsReport struct {
	Start, End timecode.Instant
	Parameters []Statistics
}

// Statistics are those of one parameter.
type Statistics struct {
	Parameter       uint16
	Samples         uint32
	Max             float64
	MaxAt           timecode.Instant
	Min             float64
	MinAt           timecode.Instant
	Mean, Deviation float64 // standard deviation
}

// StatisticsPeriod is TC[4,4]: the reporting interval in milliseconds.
type StatisticsPeriod struct{ Interval uint32 }

// StatisticsDefinitions is TC[4,6]: what to watch, sampled each so many milliseconds.
type StatisticsDefinitions struct{ Definitions []StatisticsDefinition }

// StatisticsDefinition is one parameter to watch.
type StatisticsDefinition struct {
	Parameter uint16
	Interval  uint32 // milliseconds
}

// StatisticsDefinitionReport is TM[4,9].
type StatisticsDefinitionReport struct {
	Interval    uint32 // of the reports in milliseconds, 0 if there are none
	Definitions []StatisticsDefinition
}

var statisticsMessages = map[Kind]any{
	tcKind(4, 1): StatisticsRequest{},
	tmKind(4, 2): StatisticsReport{},
	tcKind(4, 3): None{}, // reset
	tcKind(4, 4): StatisticsPeriod{},
	tcKind(4, 5): None{}, // no periodic reports
	tcKind(4, 6): StatisticsDefinitions{},
	tcKind(4, 7): IDs{},  // delete
	tcKind(4, 8): None{}, // report definitions
	tmKind(4, 9): StatisticsDefinitionReport{},
}
