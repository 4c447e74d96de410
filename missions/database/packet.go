package database

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/timecode"
)

// Decode reads the parameters of structure s, without its id. Octets after the last come
// from a newer craft and are not looked at. Rows come one after the other, their names
// with the number of the row in front.
func (d *Database) Decode(s *Structure, data []byte) (values []Value, err error) {
	var v Value
	if len(s.Rows) == 0 {
		for _, name := range s.Parameters {
			if v, data, err = d.Parameter(name).Decode(data); err != nil {
				return nil, fmt.Errorf("decode structure %s: %w", s.Name, err)
			}
			values = append(values, v)
		}
		return values, nil
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("decode structure %s: %w", s.Name, ErrShort)
	}
	rows := int(data[0])
	data = data[1:]
	for row := range rows {
		for i := range s.Rows {
			if v, data, err = s.Rows[i].Decode(data); err != nil {
				return nil, fmt.Errorf("decode structure %s, row %d: %w", s.Name, row, err)
			}
			v.Name = fmt.Sprintf("%d.%s", row, v.Name)
			values = append(values, v)
		}
	}
	return values, nil
}

// Format writes values in a line.
func Format(values []Value) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = v.String()
	}
	return strings.Join(words, ", ")
}

// Append codes a raw value of parameter p. It is cut to the parameter's width.
func (p *Parameter) Append(dst []byte, raw uint64) []byte {
	for i := 8*p.Type.width() - 8; i >= 0; i -= 8 {
		dst = append(dst, byte(raw>>i))
	}
	return dst
}

// Build codes the message of telecommand c from its arguments by name. All that have no
// value of their own must be there, and no other.
func (d *Database) Build(c *Command, arguments map[string]string) ([]byte, error) {
	var known []string
	var out []byte
	var of *Parameter
	for _, a := range c.Arguments {
		text, given := arguments[a.Name]
		switch {
		case a.Value == "" && !given && a.Default != nil:
			text = *a.Default
		case a.Value == "" && !given:
			return nil, fmt.Errorf("%s: %s is missing (%s)", c.Name, a.Name, c.Usage())
		case a.Value != "" && given:
			return nil, fmt.Errorf("%s: %s is always %s", c.Name, a.Name, a.Value)
		case a.Value != "":
			text = a.Value
		}
		known = append(known, a.Name)
		var err error
		if out, err = d.appendArgument(out, a, text, &of); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", c.Name, a.Name, err)
		}
	}
	for name := range arguments {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%s: no argument %q (%s)", c.Name, name, c.Usage())
		}
	}
	return out, nil
}

// Usage is what to write after the command's name.
func (c *Command) Usage() string {
	words := []string{c.Name}
	for _, a := range c.Arguments {
		word := fmt.Sprintf("%s=%s", a.Name, strings.ToUpper(string(a.Type)))
		switch {
		case a.Default != nil:
			words = append(words, "["+word+"]")
		case a.Value == "":
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

func (d *Database) appendArgument(dst []byte, a Argument, text string, of **Parameter) ([]byte, error) {
	switch a.Type {
	case Text8, Text16, Octets16:
		return appendText(dst, a.Type, text)
	case Time:
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil, fmt.Errorf("%q is no time such as 2026-01-31T12:00:00Z", text)
		}
		return timecode.Default.Append(dst, timecode.FromTime(at))
	case IDList:
		return d.appendIDs(dst, text)
	case Checked:
		at := len(dst) + 2
		dst, err := appendText(dst, Octets16, text)
		if err != nil {
			return nil, err
		}
		return binary.BigEndian.AppendUint16(dst, ccsds.CRC16(dst[at:])), nil
	case Packet:
		packet, err := d.Request(text, 0, sourceStored)
		return append(dst, packet...), err
	case Steps:
		return d.appendSteps(dst, text)
	case Arrays:
		return d.appendArrays(dst, text)
	case Degrees:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x >= -180 && x < 180) {
			return nil, fmt.Errorf("%q: want degrees from -180 to below 180", text)
		}
		return binary.BigEndian.AppendUint32(dst, uint32(int32(min(math.Round(x*(1<<32)/360), math.MaxInt32)))), nil
	case ParameterID:
		id, err := d.id(text)
		if err != nil {
			return nil, err
		}
		if *of = d.ParameterByID(id); *of == nil {
			return nil, fmt.Errorf("no parameter %q", text)
		}
		return binary.BigEndian.AppendUint16(dst, id), nil
	case ValueOf:
		p := *of
		if i := slices.Index(p.Labels, text); i >= 0 {
			text = strconv.Itoa(i)
		}
		return appendNumber(dst, p.Type, text, p.Range)
	}
	return appendNumber(dst, a.Type, text, a.Range)
}

func appendText(dst []byte, t Type, text string) ([]byte, error) {
	if t == Octets16 {
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not hexadecimal", text)
		}
		text = string(b)
	}
	if t == Text8 {
		if len(text) > 0xFF {
			return nil, fmt.Errorf("%d octets, at most 255", len(text))
		}
		return append(append(dst, byte(len(text))), text...), nil
	}
	if len(text) > 0xFFFF {
		return nil, fmt.Errorf("%d octets, at most 65535", len(text))
	}
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(text))), text...), nil
}

func (d *Database) appendIDs(dst []byte, text string) ([]byte, error) {
	var words []string
	if text != "" {
		words = strings.Split(text, ",")
	}
	if len(words) > maxFields {
		return nil, fmt.Errorf("%d numbers, at most %d", len(words), maxFields)
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(words)))
	for _, w := range words {
		id, err := d.id(strings.TrimSpace(w))
		if err != nil {
			return nil, err
		}
		dst = binary.BigEndian.AppendUint16(dst, id)
	}
	return dst, nil
}

// appendArrays codes arrays of samples: count u16, and each samples u16 and parameters.
func (d *Database) appendArrays(dst []byte, text string) ([]byte, error) {
	var words []string
	if text != "" {
		words = strings.Split(text, ";")
	}
	if len(words) > maxFields {
		return nil, fmt.Errorf("%d arrays, at most %d", len(words), maxFields)
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(words)))
	for _, w := range words {
		samples, list, ok := strings.Cut(w, ":")
		n, err := strconv.ParseUint(strings.TrimSpace(samples), 10, 16)
		if !ok || err != nil {
			return nil, fmt.Errorf("%q is no array such as 4:uptime,pending", w)
		}
		if dst, err = d.appendIDs(binary.BigEndian.AppendUint16(dst, uint16(n)), list); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// id is a number, or that of the parameter of this name.
func (d *Database) id(text string) (uint16, error) {
	if p := d.Parameter(text); p != nil {
		return p.ID, nil
	}
	n, err := strconv.ParseUint(text, 0, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number nor a parameter", text)
	}
	return uint16(n), nil
}
