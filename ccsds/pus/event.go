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
	Data     []byte // the event's fields as the mission database says, behind the text
}

// Encode returns the message of TM[5,Severity]: id (u16), text and fields.
func (e Event) Encode() ([]byte, error) {
	if e.Severity < EventInfo || e.Severity > EventHigh {
		return nil, fmt.Errorf("encode TM[5,%d]: no such severity", e.Severity)
	}
	b, err := appendText16(binary.BigEndian.AppendUint16(nil, uint16(e.ID)), e.Text)
	return append(b, e.Data...), err
}

// DecodeEvent reads the message of TM[5,severity].
func DecodeEvent(severity uint8, data []byte) (Event, error) {
	r := newReader(fmt.Sprintf("TM[5,%d]", severity), data)
	if severity < EventInfo || severity > EventHigh {
		return Event{}, dataError(r.what, -1, "no such severity")
	}
	e := Event{Severity: severity, ID: EventID(r.u16()), Text: r.text16()}
	if rest := r.rest(); len(rest) > 0 {
		e.Data = rest
	}
	return e, r.end()
}
