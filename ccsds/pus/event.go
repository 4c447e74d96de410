package pus

import (
	"encoding/binary"
	"fmt"
)

// Event is a report of service 5. Severity is the subtype, EventInfo (1) to
// EventHigh (4).
type Event struct {
	Severity uint8
	ID       EventID
	Text     string
}

// Encode returns the message of TM[5,Severity]: id (u16) and text.
func (e Event) Encode() ([]byte, error) {
	if e.Severity < EventInfo || e.Severity > EventHigh {
		return nil, fmt.Errorf("encode TM[5,%d]: no such severity", e.Severity)
	}
	return appendText16(binary.BigEndian.AppendUint16(nil, uint16(e.ID)), e.Text)
}

// DecodeEvent reads the message of TM[5,severity].
func DecodeEvent(severity uint8, data []byte) (Event, error) {
	r := newReader(fmt.Sprintf("TM[5,%d]", severity), data)
	if severity < EventInfo || severity > EventHigh {
		return Event{}, dataError(r.what, -1, "no such severity")
	}
	e := Event{Severity: severity, ID: EventID(r.u16()), Text: r.text16()}
	return e, r.end()
}
