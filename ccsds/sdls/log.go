package sdls

import (
	"encoding/binary"
	"errors"
)

// LogSize is how many events a Log holds; the newest replaces the oldest.
const LogSize = 64

// LogCode says what an event of the log is.
type LogCode uint8

// The codes: of frames that were refused, and of procedures.
const (
	LogTruncated   LogCode = 1
	LogUnknownSPI  LogCode = 2
	LogChannel     LogCode = 3 // the association is not for this virtual channel
	LogForged      LogCode = 4
	LogReplayed    LogCode = 5
	LogRefused     LogCode = 16 // procedure
	LogCarriedOut  LogCode = 17 // procedure that changes something
	LogSelfTestBad LogCode = 18
)

// LogFrame is the tag of events about frames. Those about procedures have the PDU's.
const LogFrame byte = 0xFF

// LogEvent is one event of a Log. The SPI and the anti-replay number of a refused frame are
// what it claims; of a procedure the number is that of a key.
type LogEvent struct {
	Tag    byte
	Code   LogCode
	SPI    uint16
	Number uint64
}

const (
	eventHeader = 3 // tag, and length in octets
	eventValue  = 1 + 2 + 8
)

// Log is the security log of CCSDS 355.1-B-1 §3.4. It lives in memory: who wants it to last
// saves Events when Changes has grown, and gives them to Restore.
type Log struct {
	events  []LogEvent
	changes uint64
}

// Changes grows with each event that is added, and when all are erased.
func (l *Log) Changes() uint64 { return l.changes }

// Restore begins with the events of an earlier log, oldest first; of too many the newest.
func (l *Log) Restore(events []LogEvent) {
	l.events = append([]LogEvent(nil), events[max(0, len(events)-LogSize):]...)
	l.changes++
}

// Add appends an event.
func (l *Log) Add(e LogEvent) {
	l.changes++
	if len(l.events) == LogSize {
		l.events = l.events[:copy(l.events, l.events[1:])]
	}
	l.events = append(l.events, e)
}

// Frame notes what Open said of a frame; a good one is no event. field and layout are as for
// FSR.Note.
func (l *Log) Frame(field []byte, layout Layout, err error) {
	e := LogEvent{Tag: LogFrame}
	switch {
	case errors.Is(err, ErrTruncated):
		e.Code = LogTruncated
	case errors.Is(err, ErrSPI):
		e.Code = LogUnknownSPI
	case errors.Is(err, ErrVC):
		e.Code = LogChannel
	case errors.Is(err, ErrForged):
		e.Code = LogForged
	case errors.Is(err, ErrReplayed):
		e.Code = LogReplayed
	default:
		return
	}
	if len(field) >= spiLength {
		e.SPI = binary.BigEndian.Uint16(field)
	}
	if layout == (Layout{}) {
		layout = DefaultLayout(AESGCM, AuthenticatedEncryption)
	}
	if n := layout.Header(); n <= len(field) {
		a := association{SA: SA{Layout: layout}}
		e.Number = a.number(field[:n])
	}
	l.Add(e)
}

// Procedure notes one that was carried out, or refused. Its number is that of the first key
// which it names.
func (l *Log) Procedure(p PDU, err error) {
	e := LogEvent{Tag: p.Tag(), Code: LogCarriedOut}
	if err != nil {
		e.Code = LogRefused
	}
	if len(p.Data) >= 2 {
		first := binary.BigEndian.Uint16(p.Data)
		switch {
		case p.Procedure.Group == AssociationManagement:
			e.SPI = first
		case p.Procedure == KeyActivate || p.Procedure == KeyDeactivate || p.Procedure == KeyDestroy:
			e.Number = uint64(first)
		}
	}
	l.Add(e)
}

// Events are the events, oldest first.
func (l *Log) Events() []LogEvent { return append([]LogEvent(nil), l.events...) }

// Erase forgets all.
func (l *Log) Erase() { l.events, l.changes = nil, l.changes+1 }

// status is the reply to LogStatus and EraseLog: events held and places free.
func (l *Log) status() []byte {
	n := uint16(len(l.events))
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, n), LogSize-n)
}

// AppendLog appends events as the reply to DumpLog has them, which ParseLog reads: for each
// tag, length of the value, and value, which is ours: code, SPI, number.
func AppendLog(dst []byte, events []LogEvent) []byte {
	for _, e := range events {
		dst = binary.BigEndian.AppendUint16(append(dst, e.Tag), eventValue)
		dst = binary.BigEndian.AppendUint16(append(dst, byte(e.Code)), e.SPI)
		dst = binary.BigEndian.AppendUint64(dst, e.Number)
	}
	return dst
}
