package pus

import "github.com/perilune/perilune/ccsds/timecode"

// Window says which ends a window of a filter has (ECSS-E-ST-70-41C §6.11.10). An end that it
// does not have is not in the message, and zero.
type Window uint8

// The types of a window.
const (
	WindowAll    Window = 0
	WindowWithin Window = 1 // From and To
	WindowFrom   Window = 2 // From alone
	WindowUpTo   Window = 3 // To alone
)

// TimeWindow is a stretch of time.
type TimeWindow struct {
	Type     Window
	From, To timecode.Instant
}

// PositionWindow is a stretch of the orbit.
type PositionWindow struct {
	Type     Window
	From, To Position
}
