package database

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/perilune/perilune/ccsds/timecode"
)

// Type is how a value is coded.
type Type string

// Types. Numbers are big-endian.
const (
	Octets      Type = "octets"    // as many as the field's size
	Octets16    Type = "octets16"  // length u16 and octets
	Text8       Type = "text8"     // length u8 and UTF-8
	Text16      Type = "text16"    // length u16 and UTF-8
	Time        Type = "time"      // CUC, 4 octets of seconds and 3 of fraction
	IDList      Type = "ids"       // count u16 and u16 each; names of parameters stand for their numbers
	ParameterID Type = "parameter" // u16, by name or number
	ValueOf     Type = "value"     // the value of the parameter before it
	Degrees     Type = "degrees"   // i32 in 2^-32 of a turn, given in degrees from -180 to below 180
	Checked     Type = "checked"   // length u16, octets in hexadecimal, and their CRC-16
	Packet      Type = "packet"    // a telecommand in words, such as ping
	Steps       Type = "steps"     // of a sequence, such as ping @5s; mission.stop acme beacon
	Arrays      Type = "arrays"    // sampled arrays of service 3, such as 4:uptime,pending;2:mode
)

// widths of numbers in octets.
var widths = map[Type]int{
	"uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8, "int8": 1, "int16": 2, "int32": 4, "int64": 8,
	"float32": 4, "float64": 8, "bool": 1,
}

func (t Type) width() int { return widths[t] }

func (t Type) known() bool {
	return t.width() > 0 || slices.Contains([]Type{Octets, Octets16, Text8, Text16, Time, IDList, ParameterID, ValueOf, Arrays, Packet, Steps, Checked, Degrees}, t)
}

func (t Type) argumentOnly() bool {
	return slices.Contains([]Type{IDList, ParameterID, ValueOf, Arrays, Packet, Steps, Checked, Degrees}, t)
}

func (t Type) signed() bool { return t[0] == 'i' }
func (t Type) float() bool  { return t[0] == 'f' }

// ErrShort says that a packet ends before its structure does.
var ErrShort = errors.New("it ends before the structure does")

// Value is a field of a packet, decoded. Value is the engineering value: a label, a
// calibrated float64, or the raw value. Alarm is empty, "warning" or "critical".
type Value struct {
	Name  string `json:"name"`
	Raw   any    `json:"raw"`
	Value any    `json:"value"`
	Unit  string `json:"unit,omitempty"`
	Alarm string `json:"alarm,omitempty"`
}

func (v Value) String() string {
	s := fmt.Sprintf("%s=%v", v.Name, v.Value)
	if v.Unit != "" {
		s += " " + v.Unit
	}
	if v.Alarm != "" {
		s += " (" + v.Alarm + ")"
	}
	return s
}

// Decode takes the field off the front of data.
func (f *Field) Decode(data []byte) (v Value, rest []byte, err error) {
	v = Value{Name: f.Name, Unit: f.Unit}
	take := func(n int) []byte {
		if n > len(data) {
			err = fmt.Errorf("%s: %w: %d octets wanted, %d left", f.Name, ErrShort, n, len(data))
			return make([]byte, n)
		}
		b := data[:n]
		data = data[n:]
		return b
	}
	switch f.Type {
	case Octets:
		v.Raw = hex.EncodeToString(take(f.Size))
	case Octets16:
		v.Raw = hex.EncodeToString(take(int(uintOf(take(2)))))
	case Text8:
		v.Raw = string(take(int(uintOf(take(1)))))
	case Text16:
		v.Raw = string(take(int(uintOf(take(2)))))
	case Time:
		at, errTime := timecode.Default.Decode(take(timecode.Default.Length()))
		if err == nil {
			err = errTime
		}
		v.Raw = at.Time().UTC().Format(time.RFC3339Nano)
	default:
		v.Raw = number(f.Type, take(f.Type.width()))
	}
	if err != nil {
		return Value{}, nil, err
	}
	f.engineer(&v)
	return v, data, nil
}

func uintOf(b []byte) (n uint64) {
	for _, x := range b {
		n = n<<8 | uint64(x)
	}
	return n
}

// number reads a number as uint64, int64, float64 or bool.
func number(t Type, b []byte) any {
	n, shift := uintOf(b), 64-8*len(b)
	switch {
	case t == "bool":
		return n != 0
	case t == "float32":
		return float64(math.Float32frombits(uint32(n)))
	case t == "float64":
		return math.Float64frombits(n)
	case t.signed():
		return int64(n<<shift) >> shift
	}
	return n
}

// float is a number as float64; false for what is none.
func float(raw any) (float64, bool) {
	switch n := raw.(type) {
	case uint64:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// engineer fills in engineering value and alarm from the raw value.
func (f *Field) engineer(v *Value) {
	v.Value = v.Raw
	x, ok := float(v.Raw)
	if !ok {
		return
	}
	switch {
	case len(f.Labels) > 0:
		if n := int(min(max(x, -1), float64(len(f.Labels)))); n >= 0 && n < len(f.Labels) {
			v.Value = f.Labels[n]
		}
	case len(f.Polynomial) > 0:
		x = polynomial(f.Polynomial, x)
		v.Value = x
	case len(f.Points) > 0:
		x = between(f.Points, x)
		v.Value = x
	}
	switch {
	case outside(f.Critical, x):
		v.Alarm = "critical"
	case outside(f.Warning, x):
		v.Alarm = "warning"
	}
}

func outside(r []float64, x float64) bool { return len(r) == 2 && !(x >= r[0] && x <= r[1]) }

func polynomial(c []float64, x float64) (y float64) {
	for i := len(c) - 1; i >= 0; i-- {
		y = y*x + c[i]
	}
	return y
}

// between interpolates, and goes on in a straight line beyond the ends.
func between(p [][2]float64, x float64) float64 {
	i := 1
	for i < len(p)-1 && x > p[i][0] {
		i++
	}
	a, b := p[i-1], p[i]
	return a[1] + (x-a[0])*(b[1]-a[1])/(b[0]-a[0])
}

// appendNumber codes text as a number of type t, within r if there is one.
func appendNumber(dst []byte, t Type, text string, r []float64) ([]byte, error) {
	bits := 8 * t.width()
	var n uint64
	var x float64
	switch {
	case t == "bool":
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
		if b {
			n = 1
		}
	case t.float():
		f, err := strconv.ParseFloat(text, bits)
		if err != nil {
			return nil, fmt.Errorf("%q is no %s", text, t)
		}
		if x, n = f, math.Float64bits(f); bits == 32 {
			n = uint64(math.Float32bits(float32(f)))
		}
	case t.signed():
		i, err := strconv.ParseInt(text, 0, bits)
		if err != nil {
			return nil, fmt.Errorf("%q is no %s", text, t)
		}
		x, n = float64(i), uint64(i)
	default:
		u, err := strconv.ParseUint(text, 0, bits)
		if err != nil {
			return nil, fmt.Errorf("%q is no %s", text, t)
		}
		x, n = float64(u), u
	}
	if t != "bool" && outside(r, x) {
		return nil, fmt.Errorf("%s: want %v to %v", text, r[0], r[1])
	}
	for i := bits - 8; i >= 0; i -= 8 {
		dst = append(dst, byte(n>>i))
	}
	return dst, nil
}
