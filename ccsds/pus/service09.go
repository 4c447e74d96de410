package pus

// TimeRate is TC[9,1] (ECSS-E-ST-70-41C §6.9): a time report every 2^Exponent telemetry
// frames.
type TimeRate struct{ Exponent uint8 }

// DayTime is TM[9,3]: on-board time as day segmented code with its epoch in 1958, and its
// quality as in TimeSetting.
type DayTime struct {
	Day         uint16
	Millisecond uint32
	Quality     uint8
}

var timeMessages = map[Kind]any{
	tcKind(9, 1): TimeRate{},
	tmKind(9, 3): DayTime{},
}
