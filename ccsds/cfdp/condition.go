package cfdp

import "fmt"

// Condition is why a transaction ended, 727.0-B-5 table 5-5.
type Condition uint8

// Condition codes.
const (
	NoError              Condition = 0
	AckLimitReached      Condition = 1
	KeepAliveLimit       Condition = 2
	InvalidMode          Condition = 3
	FilestoreRejection   Condition = 4
	ChecksumFailure      Condition = 5
	FileSizeError        Condition = 6
	NAKLimitReached      Condition = 7
	InactivityDetected   Condition = 8
	InvalidFileStructure Condition = 9
	CheckLimitReached    Condition = 10
	UnsupportedChecksum  Condition = 11
	SuspendReceived      Condition = 14
	CancelReceived       Condition = 15
)

var conditionNames = [16]string{
	"no error", "ACK limit reached", "keep alive limit reached", "invalid transmission mode",
	"filestore rejection", "file checksum failure", "file size error", "NAK limit reached",
	"inactivity detected", "invalid file structure", "check limit reached",
	"unsupported checksum type", "", "", "suspended", "cancelled",
}

func (c Condition) String() string {
	if int(c) < len(conditionNames) && conditionNames[c] != "" {
		return conditionNames[c]
	}
	return fmt.Sprintf("condition %d", uint8(c))
}

// TransactionID names a transaction: the source entity and its number.
type TransactionID struct {
	Source   uint64
	Sequence uint64
}

func (id TransactionID) String() string { return fmt.Sprintf("%d-%d", id.Source, id.Sequence) }
