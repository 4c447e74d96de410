package database

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds/timecode"
)

// EventByID finds an event, nil if there is none.
func (d *Database) EventByID(id uint16) *Event {
	for i := range d.Events {
		if d.Events[i].ID == id {
			return &d.Events[i]
		}
	}
	return nil
}

// Encode codes the values of the event's fields, which stand behind its text.
func (e *Event) Encode(values ...any) (out []byte, err error) {
	if len(values) != len(e.Fields) {
		return nil, fmt.Errorf("event %s: %d values, want %d", e.Name, len(values), len(e.Fields))
	}
	for i, f := range e.Fields {
		switch v := values[i].(type) {
		case string:
			out, err = appendText(out, f.Type, v)
		case timecode.Instant:
			out, err = timecode.Default.Append(out, v)
		default:
			out, err = appendNumber(out, f.Type, fmt.Sprint(v), nil)
		}
		if err != nil {
			return nil, fmt.Errorf("event %s: %s: %w", e.Name, f.Name, err)
		}
	}
	return out, nil
}

// Decode reads the fields of an event. One that was sent without them has none.
func (e *Event) Decode(data []byte) (values []Value, err error) {
	if len(data) == 0 {
		return nil, nil
	}
	for i := range e.Fields {
		var v Value
		if v, data, err = e.Fields[i].Decode(data); err != nil {
			return nil, fmt.Errorf("decode event %s: %w", e.Name, err)
		}
		values = append(values, v)
	}
	return values, nil
}

func (e *Event) checkFields() error {
	once := uniq{}
	if len(e.Fields) > maxFields {
		return fmt.Errorf("more than %d fields", maxFields)
	}
	for i := range e.Fields {
		if err := errors.Join(once.add("field", e.Fields[i].Name), e.Fields[i].check()); err != nil {
			return err
		}
	}
	return nil
}
