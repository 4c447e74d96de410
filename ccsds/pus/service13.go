package pus

// ServiceLarge carries messages that are longer than a packet (ECSS-E-ST-70-41C §6.13).
const ServiceLarge = 13

// LargePart is a part of a large message: TM[13,1] the first, TM[13,2] one between,
// TM[13,3] the last, and TC[13,9], TC[13,10] and TC[13,11] the same way up.
type LargePart struct {
	Transaction uint16
	Number      uint16 // from 1
	Data        Part
}

// LargeAbort is TM[13,16]: an upward transfer has ended early.
type LargeAbort struct {
	Transaction uint16
	Reason      uint16
}

var largeMessages = map[Kind]any{
	tmKind(13, 1):  LargePart{},
	tmKind(13, 2):  LargePart{},
	tmKind(13, 3):  LargePart{},
	tcKind(13, 9):  LargePart{},
	tcKind(13, 10): LargePart{},
	tcKind(13, 11): LargePart{},
	tmKind(13, 16): LargeAbort{},
}
