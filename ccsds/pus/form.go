package pus

import (
	"fmt"
	"reflect"
	"strings"
)

// Form says which fields that ECSS-E-ST-70-41C leaves to the mission are in its messages.
// Craft and ground must have the same; the mission database holds it. The zero Form is
// that of a craft which has none of them.
type Form struct {
	SubSchedules bool `toml:"sub_schedules" json:"sub_schedules"` // services 11 and 22: an activity's sub-schedule (§8.11.2.4, §8.22.2.4)
	Groups       bool `toml:"groups" json:"groups"`               // services 11 and 22: an activity's group
	Arrays       bool `toml:"arrays" json:"arrays"`               // service 3: parameters that are sampled several times in a period (§8.3.2.1)

	Widths *Widths `toml:"-" json:"-"` // nil: no message has the value of a parameter
}

// Widths says how many octets the value of a parameter has, by the parameter's number:
// messages do not (§8.12.2.5, §8.20.2.2).
type Widths map[uint16]int

// width is that of a parameter; 0 is no parameter, whose value has no octets.
func (f Form) width(parameter uint16) (int, error) {
	if parameter == 0 {
		return 0, nil
	}
	if f.Widths != nil {
		if n, ok := (*f.Widths)[parameter]; ok {
			return n, nil
		}
	}
	return 0, fmt.Errorf("no parameter %d", parameter)
}

// has says whether messages have a field of that tag.
func (f Form) has(tag string) bool {
	switch tag {
	case "sub-schedule":
		return f.SubSchedules
	case "group":
		return f.Groups
	case "arrays":
		return f.Arrays
	}
	return true
}

// there says whether field i of a struct is in its message: its form may lack it, and a
// Window in front rules over the two fields that follow.
func (f Form) there(v reflect.Value, i int) (bool, error) {
	tag := v.Type().Field(i).Tag.Get("pus")
	if by := strings.Fields(tag); len(by) > 1 {
		return selected(v, i, by[0], by[1:])
	}
	if f.has(tag) {
		return windowed(v, i)
	}
	if !v.Field(i).IsZero() {
		return false, fmt.Errorf("it is set, but this craft's messages have no %s", tag)
	}
	return false, nil
}

// Encode returns the message of kind k, whose body must be of BodyType.
func (f Form) Encode(k Kind, body any) ([]byte, error) {
	t := kinds[k]
	switch {
	case t == nil:
		return nil, fmt.Errorf("encode %s: no such message", k)
	case reflect.TypeOf(body) != t:
		return nil, fmt.Errorf("encode %s: body is %T, want %s", k, body, t)
	}
	w := writer{form: f}
	b, err := w.appendRecord(nil, reflect.ValueOf(body))
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", k, err)
	}
	if len(b) > maxPacketData {
		return nil, fmt.Errorf("encode %s: %d octets do not fit a packet", k, len(b))
	}
	return b, nil
}

// Decode reads the message of kind k and returns its body, of BodyType, which does not
// refer to data. Octets left over are an error.
func (f Form) Decode(k Kind, data []byte) (any, error) {
	r := newReader(k.String(), data)
	r.form = f
	t := kinds[k]
	if t == nil {
		return nil, dataError(r.what, -1, "no such message")
	}
	body := reflect.New(t).Elem()
	r.record(body)
	if err := r.end(); err != nil {
		return nil, err
	}
	return body.Interface(), nil
}
