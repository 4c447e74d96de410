package pus

// ServiceSequence runs sequences of telecommands (ECSS-E-ST-70-41C §6.21).
const ServiceSequence = 21

// SequenceLoad is TC[21,1] and TM[21,12]: a sequence and what it holds.
type SequenceLoad struct {
	Sequence uint16
	Steps    []SequenceStep
}

// SequenceStep is a telecommand and how long to wait after its release.
type SequenceStep struct {
	Request Packet
	Delay   uint32 // milliseconds
}

// SequenceFile is TC[21,2], load from a file, and TC[21,8], load and run.
type SequenceFile struct {
	Sequence         uint16
	Repository, File string
}

// SequenceID is TC[21,3] unload, [21,4] run, [21,5] abort, [21,9] checksum, [21,11] report.
type SequenceID struct{ Sequence uint16 }

// SequenceStatus is TM[21,7].
type SequenceStatus struct{ Sequences []SequenceState }

// SequenceState is whether a sequence runs.
type SequenceState struct {
	Sequence uint16
	Running  bool
}

// SequenceChecksum is TM[21,10].
type SequenceChecksum struct {
	Sequence uint16
	Checksum uint16
}

var sequenceMessages = map[Kind]any{
	tcKind(21, 1):  SequenceLoad{},
	tcKind(21, 2):  SequenceFile{},
	tcKind(21, 3):  SequenceID{},
	tcKind(21, 4):  SequenceID{},
	tcKind(21, 5):  SequenceID{},
	tcKind(21, 6):  None{}, // report states
	tmKind(21, 7):  SequenceStatus{},
	tcKind(21, 8):  SequenceFile{},
	tcKind(21, 9):  SequenceID{},
	tmKind(21, 10): SequenceChecksum{},
	tcKind(21, 11): SequenceID{},
	tmKind(21, 12): SequenceLoad{},
	tcKind(21, 13): None{}, // abort all and report
	tmKind(21, 14): IDs{},  // which were aborted
}
