package pus

// ServiceFile manages files (ECSS-E-ST-70-41C §6.23).
const ServiceFile = 23

// FileCreate is TC[23,1].
type FileCreate struct {
	Repository, Name string
	Size             uint64 // at most, in octets
	Locked           bool
}

// FileName is TC[23,2] delete, [23,3] report attributes, [23,5] lock, [23,6] unlock, and
// TC[23,9] and [23,10], create and delete a directory.
type FileName struct{ Repository, Name string }

// FileAttributes is TM[23,4].
type FileAttributes struct {
	Repository, Name string
	Size             uint64
	Locked           bool
}

// FileFind is TC[23,7]: a pattern in which * stands for anything.
type FileFind struct{ Repository, Pattern string }

// FilesFound is TM[23,8].
type FilesFound struct {
	Repository, Pattern string
	Files               []FileName
}

// DirectoryRename is TC[23,11].
type DirectoryRename struct{ Repository, Old, New string }

// DirectoryName is TC[23,12]: report what is in it.
type DirectoryName struct{ Repository string }

// DirectorySummary is TM[23,13].
type DirectorySummary struct {
	Repository string
	Objects    []DirectoryObject
}

// DirectoryObject is a file or a directory.
type DirectoryObject struct {
	Directory bool
	Name      string
}

// FileCopy is TC[23,14], copy, and TC[23,15], move.
type FileCopy struct {
	Operation uint16 // number for suspending, resuming and aborting
	From, To  FileName
}

// FileCopyPeriod is TC[23,22]: report what copying has done each so many milliseconds.
type FileCopyPeriod struct{ Interval uint32 }

// FileCopyStatus is TM[23,23].
type FileCopyStatus struct{ Operations []FileCopyState }

// FileCopyState is what one operation has done.
type FileCopyState struct {
	Operation uint16
	Done      uint8 // per cent
}

var fileMessages = map[Kind]any{
	tcKind(23, 1):  FileCreate{},
	tcKind(23, 2):  FileName{},
	tcKind(23, 3):  FileName{},
	tmKind(23, 4):  FileAttributes{},
	tcKind(23, 5):  FileName{},
	tcKind(23, 6):  FileName{},
	tcKind(23, 7):  FileFind{},
	tmKind(23, 8):  FilesFound{},
	tcKind(23, 9):  FileName{},
	tcKind(23, 10): FileName{},
	tcKind(23, 11): DirectoryRename{},
	tcKind(23, 12): DirectoryName{},
	tmKind(23, 13): DirectorySummary{},
	tcKind(23, 14): FileCopy{},
	tcKind(23, 15): FileCopy{},
	tcKind(23, 16): IDs{},           // suspend
	tcKind(23, 17): IDs{},           // resume
	tcKind(23, 18): IDs{},           // abort
	tcKind(23, 19): DirectoryName{}, // suspend all that touch a repository
	tcKind(23, 20): DirectoryName{}, // resume them
	tcKind(23, 21): DirectoryName{}, // abort them
	tcKind(23, 22): FileCopyPeriod{},
	tmKind(23, 23): FileCopyStatus{},
	tcKind(23, 24): None{}, // no more reports
}
