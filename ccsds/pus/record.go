package pus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/timecode"
)

// The messages of the services that are not written out by hand are Go structs, coded
// field by field in their order:
//
//	unsigned, signed, float   as wide as their Go type, big-endian
//	bool                      one octet, 0 or 1
//	timecode.Instant          CUC, 7 octets
//	string, Octets            length (u16) and octets
//	Value                     as many octets as the parameter has that stands in front
//	Packet                    a whole space packet, which knows its length
//	Part                      the rest of the message
//	slices of anything else   count (u16) and elements
//	Window, From, To          one octet, and those of the two that it says
//
// A field with a tag, pus:"group" for one, is there if the craft's Form has it; with
// pus:"Check 1 2", if the field Check in front is 1 or 2.

// Value is the value of a parameter, coded as the mission database says. Its length is not
// in the message: the parameter, the last field of that name, says it.
type Value []byte

// Octets are data behind their length.
type Octets []byte

// Packet is a whole telecommand packet inside a message.
type Packet []byte

// Part is data up to the end of the message.
type Part []byte

var (
	instantType = reflect.TypeFor[timecode.Instant]()
	valueType   = reflect.TypeFor[Value]()
	octetsType  = reflect.TypeFor[Octets]()
	packetType  = reflect.TypeFor[Packet]()
	partType    = reflect.TypeFor[Part]()
)

// writer appends messages of a form.
type writer struct {
	form      Form
	parameter uint16 // whose values come next
}

// appendRecord appends v to dst.
func (w *writer) appendRecord(dst []byte, v reflect.Value) (_ []byte, err error) {
	switch v.Type() {
	case instantType:
		return appendTime(dst, timecode.Instant(v.Int()))
	case valueType:
		if n, err := w.form.width(w.parameter); err != nil || n != v.Len() {
			return nil, errors.Join(fmt.Errorf("%d octets, want %d of parameter %d", v.Len(), n, w.parameter), err)
		}
		return append(dst, v.Bytes()...), nil
	case octetsType:
		return appendText16(dst, string(v.Bytes()))
	case packetType:
		if n, err := ccsds.PacketLength(v.Bytes()); err != nil || n != v.Len() {
			return nil, fmt.Errorf("%d octets are no packet: %w", v.Len(), ccsds.ErrLength)
		}
		return append(dst, v.Bytes()...), nil
	case partType:
		return append(dst, v.Bytes()...), nil
	}
	switch v.Kind() {
	case reflect.Struct:
		outside := w.parameter
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if there, err := w.form.there(v, i); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			} else if !there {
				continue
			}
			if dst, err = w.appendRecord(dst, v.Field(i)); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if name == parameterField {
				w.parameter = uint16(v.Field(i).Uint())
			}
		}
		w.parameter = outside
		return dst, nil
	case reflect.Slice:
		if v.Len() > math.MaxUint16 {
			return nil, fmt.Errorf("%d elements do not fit a 16-bit count", v.Len())
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(v.Len()))
		for i := range v.Len() {
			if dst, err = w.appendRecord(dst, v.Index(i)); err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
		}
		return dst, nil
	case reflect.String:
		return appendText16(dst, v.String())
	}
	return appendNumber(dst, v), nil
}

// parameterField is the name of the field that says whose values follow.
const parameterField = "Parameter"

// selected says whether field i of a struct is in its message: if the field by has one of
// these values.
func selected(v reflect.Value, i int, by string, values []string) (bool, error) {
	is := v.FieldByName(by).Uint()
	if slices.Contains(values, strconv.FormatUint(is, 10)) {
		return true, nil
	}
	if !v.Field(i).IsZero() {
		return false, fmt.Errorf("it is set, but %s %d has none", by, is)
	}
	return false, nil
}

// windowed says whether field i of a struct is in its message: a Window in front rules over
// the two that follow it.
func windowed(v reflect.Value, i int) (there bool, err error) {
	w, ok := v.Field(0).Interface().(Window)
	switch {
	case !ok || i == 0:
		return true, nil
	case w > WindowUpTo:
		return false, fmt.Errorf("no window of type %d", w)
	case i == 1:
		there = w == WindowWithin || w == WindowFrom
	default:
		there = w == WindowWithin || w == WindowUpTo
	}
	if !there && !v.Field(i).IsZero() {
		err = fmt.Errorf("it is set, but a window of type %d has none", w)
	}
	return there, err
}

// appendNumber appends a number or truth, as wide as its type.
func appendNumber(dst []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(dst, 1)
		}
		return append(dst, 0)
	case reflect.Float32:
		return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(v.Float())))
	case reflect.Float64:
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(v.Float()))
	}
	n := uint64(0)
	if v.CanInt() {
		n = uint64(v.Int())
	} else {
		n = v.Uint()
	}
	for i := int(v.Type().Size()) - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

// record reads v from the front of the message.
func (r *reader) record(v reflect.Value) {
	switch v.Type() {
	case instantType:
		v.SetInt(int64(r.time()))
		return
	case valueType:
		n, err := r.form.width(r.parameter)
		if err != nil && r.err == nil {
			r.err = dataError(r.what, r.at, err.Error())
		}
		v.SetBytes(append(Value(nil), r.take(n)...))
		return
	case octetsType:
		v.SetBytes(append(Octets(nil), r.take(int(r.u16()))...))
		return
	case packetType:
		v.SetBytes(append(Packet(nil), r.packet()...))
		return
	case partType:
		v.SetBytes(append(Part(nil), r.rest()...))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		outside := r.parameter
		for i := range v.NumField() {
			at := r.at
			there, err := r.form.there(v, i)
			if err != nil && r.err == nil {
				r.err = dataError(r.what, at-1, err.Error())
			}
			if there && r.err == nil {
				r.record(v.Field(i))
			}
			if v.Type().Field(i).Name == parameterField {
				r.parameter = uint16(v.Field(i).Uint())
			}
		}
		r.parameter = outside
	case reflect.Slice:
		for range int(r.u16()) {
			if r.err != nil {
				return
			}
			e := reflect.New(v.Type().Elem()).Elem()
			r.record(e)
			v.Set(reflect.Append(v, e))
		}
	case reflect.String:
		v.SetString(r.text16())
	default:
		r.number(v)
	}
}

// number reads a number or truth, as wide as its type.
func (r *reader) number(v reflect.Value) {
	at, size := r.at, int(v.Type().Size())
	n := uint64(0)
	for _, b := range r.take(size) {
		n = n<<8 | uint64(b)
	}
	switch {
	case v.Kind() == reflect.Bool:
		if n > 1 {
			r.err = dataError(r.what, at, fmt.Sprintf("%d is neither 0 nor 1", n))
		}
		v.SetBool(n == 1)
	case v.Kind() == reflect.Float32:
		v.SetFloat(float64(math.Float32frombits(uint32(n))))
	case v.Kind() == reflect.Float64:
		v.SetFloat(math.Float64frombits(n))
	case v.CanInt():
		shift := 64 - 8*size
		v.SetInt(int64(n<<shift) >> shift)
	default:
		v.SetUint(n)
	}
}

// packet takes a whole space packet.
func (r *reader) packet() []byte {
	if r.err != nil {
		return nil
	}
	n, err := ccsds.PacketLength(r.data[r.at:])
	if err != nil {
		r.err = dataError(r.what, r.at, err.Error())
		return nil
	}
	return r.take(n)
}
