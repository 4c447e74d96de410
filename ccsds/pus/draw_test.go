package pus_test

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// widths are those of the values of parameters.
var widths = pus.Widths{1: 1, 2: 2, 3: 4, 4: 8, 7: 4}

// draw fills v with anything that its type can say.
func draw(t *rapid.T, v reflect.Value) { drawFor(t, v, 0) }

// drawFor draws values of a parameter.
func drawFor(t *rapid.T, v reflect.Value, parameter uint16) {
	switch v.Interface().(type) {
	case timecode.Instant:
		octets := rapid.SliceOfN(rapid.Byte(), 7, 7).Draw(t, "time") // a time that CUC can say
		at, err := timecode.Default.Decode(octets)
		if err != nil {
			t.Fatal(err)
		}
		if octets, err = timecode.Default.Encode(at); err == nil {
			at, err = timecode.Default.Decode(octets)
		}
		if err == nil {
			v.SetInt(int64(at))
		}
		return
	case pus.Packet:
		p := make([]byte, rapid.IntRange(7, 30).Draw(t, "packet"))
		p[1] = rapid.Byte().Draw(t, "apid")
		binary.BigEndian.PutUint16(p[4:], uint16(len(p)-7))
		v.SetBytes(p)
		return
	case pus.Value:
		v.SetBytes(rapid.SliceOfN(rapid.Byte(), widths[parameter], widths[parameter]).Draw(t, "value"))
		return
	case pus.Octets, pus.Part:
		v.SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "octets"))
		return
	case pus.Criteria, pus.StoreCopy:
		by := rapid.Uint8Range(0, 2).Draw(t, "by")
		v.Field(0).SetUint(uint64(by))
		for i := 1; i < v.NumField(); i++ {
			tag := v.Type().Field(i).Tag.Get("pus")
			if tag == "" || strings.Contains(tag, fmt.Sprint(by)) {
				drawFor(t, v.Field(i), parameter)
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Parameter" {
				parameter = rapid.Uint16Range(0, 4).Draw(t, "parameter")
				v.Field(i).SetUint(uint64(parameter))
				continue
			}
			drawFor(t, v.Field(i), parameter)
		}
		if v.NumField() == 0 {
			return
		}
		if w, ok := v.Field(0).Interface().(pus.Window); ok { // only the ends that it has
			w &= 3
			v.Field(0).SetUint(uint64(w))
			if w != pus.WindowWithin && w != pus.WindowFrom {
				v.Field(1).SetZero()
			}
			if w != pus.WindowWithin && w != pus.WindowUpTo {
				v.Field(2).SetZero()
			}
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, "count")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			drawFor(t, v.Index(i), parameter)
		}
	case reflect.String:
		v.SetString(rapid.StringN(0, 10, 30).Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "truth"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "figure"))
	case reflect.Int32:
		v.SetInt(int64(rapid.Int32().Draw(t, "number")))
	default:
		v.SetUint(rapid.Uint64().Draw(t, "number") & (1<<(8*v.Type().Size()) - 1))
	}
}

// sameBody compares two bodies; an empty list is one that is not there.
func sameBody(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if !sameBody(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameBody(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// full has all that a mission may leave out.
var full = pus.Form{SubSchedules: true, Groups: true, Arrays: true, Widths: &widths}
