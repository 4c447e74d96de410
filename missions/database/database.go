// Package database reads database.toml, which says what the packets of a craft mean:
// application processes, parameters, housekeeping structures, events, functions,
// telecommands and CFDP entities. Flight takes its structures and parameters from it, the
// ground its names, units and limits, other mission-control systems their XTCE, and
// ccsds/pus the numbers of its events by go generate.
package database

import (
	_ "embed"
	"fmt"
	"os"
	"sync"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/config"
)

//go:generate go run ./events -o ../../ccsds/pus/eventids.go

//go:embed flatsat.toml
var flatsat []byte

// Default is the flat-sat's database, which is part of every program.
var Default = sync.OnceValue(func() *Database {
	d, err := Parse(flatsat, "flatsat.toml")
	if err != nil {
		panic(err) // a test parses it
	}
	return d
})

// Database is database.toml.
type Database struct {
	Name       string      `toml:"name" json:"name"`
	Form       pus.Form    `toml:"form" json:"form"` // what its messages have that the standard leaves open
	APIDs      []Named     `toml:"apid" json:"apids"`
	Entities   []Named     `toml:"entity" json:"entities"`
	Memories   []Named     `toml:"memory" json:"memories"`
	Objects    []Object    `toml:"object" json:"objects"`
	Parameters []Parameter `toml:"parameter" json:"parameters"`
	Structures []Structure `toml:"structure" json:"structures"`
	Telemetry  []Telemetry `toml:"telemetry" json:"telemetry"`
	Events     []Event     `toml:"event" json:"events"`
	Functions  []Function  `toml:"function" json:"functions"`
	Commands   []Command   `toml:"command" json:"commands"`
}

// Named is a number with a name: an APID, a CFDP entity, a memory.
type Named struct {
	ID   uint16 `toml:"id" json:"id"`
	Name string `toml:"name" json:"name"`
	Text string `toml:"text" json:"text,omitempty"`
}

// Field is a value in a packet.
type Field struct {
	Name       string       `toml:"name" json:"name"`
	Type       Type         `toml:"type" json:"type"`
	Size       int          `toml:"size" json:"size,omitempty"` // octets, of type octets
	Unit       string       `toml:"unit" json:"unit,omitempty"` // of the engineering value
	Labels     []string     `toml:"labels" json:"labels,omitempty"`
	Polynomial []float64    `toml:"polynomial" json:"polynomial,omitempty"` // raw to engineering: c0 + c1 x + c2 x² …
	Points     [][2]float64 `toml:"points" json:"points,omitempty"`         // raw to engineering, linear between
	Warning    []float64    `toml:"warning" json:"warning,omitempty"`       // low and high; the engineering value belongs between them
	Critical   []float64    `toml:"critical" json:"critical,omitempty"`
	Text       string       `toml:"text" json:"text,omitempty"`
}

// Parameter is a field that has a number of its own, for services 3, 12 and 20.
type Parameter struct {
	Field
	ID       uint16    `toml:"id" json:"id"`
	Settable bool      `toml:"settable" json:"settable,omitempty"` // by TC[20,3]
	Range    []float64 `toml:"range" json:"range,omitempty"`       // raw values that can be set
}

// Structure is a report of TM[3,25]: parameters, or a count (u8) and as many rows.
type Structure struct {
	SID        uint16   `toml:"sid" json:"sid"`
	Name       string   `toml:"name" json:"name"`
	PeriodMS   uint32   `toml:"period_ms" json:"period_ms,omitempty"` // 0: not by itself
	Parameters []string `toml:"parameters" json:"parameters,omitempty"`
	Rows       []Field  `toml:"rows" json:"rows,omitempty"`
	Text       string   `toml:"text" json:"text,omitempty"`
}

// Event is a report of service 5.
type Event struct {
	ID       uint16  `toml:"id" json:"id"`
	Name     string  `toml:"name" json:"name"`
	Severity string  `toml:"severity" json:"severity"`       // info, low, medium, high
	Fields   []Field `toml:"fields" json:"fields,omitempty"` // behind the text
	Text     string  `toml:"text" json:"text,omitempty"`
}

// Object is a file of the file store that service 6 loads, dumps and checks in part.
type Object struct {
	Memory uint16 `toml:"memory" json:"memory"`
	Base   uint32 `toml:"base" json:"base"`
	Name   string `toml:"name" json:"name"`
	File   string `toml:"file" json:"file"`
	Size   uint32 `toml:"size" json:"size"` // octets
	Text   string `toml:"text" json:"text,omitempty"`
}

// Function is one that TC[8,1] performs; its arguments are texts.
type Function struct {
	Name      string   `toml:"name" json:"name"`
	Arguments []string `toml:"arguments" json:"arguments,omitempty"`
	Text      string   `toml:"text" json:"text,omitempty"`
}

// Command is a telecommand with a name.
type Command struct {
	Name      string     `toml:"name" json:"name"`
	Service   uint8      `toml:"service" json:"service"`
	Subtype   uint8      `toml:"subtype" json:"subtype"`
	APID      uint16     `toml:"apid" json:"apid"`               // 0: flight's
	Tenant    string     `toml:"tenant" json:"tenant,omitempty"` // whose mission it is for, by TC[128,1]; empty: none
	Mission   string     `toml:"mission" json:"mission,omitempty"`
	Arguments []Argument `toml:"arguments" json:"arguments,omitempty"`
	Text      string     `toml:"text" json:"text,omitempty"`
}

// Argument is a field of a telecommand. Value, if there is one, is what it always has.
type Argument struct {
	Name    string    `toml:"name" json:"name"`
	Type    Type      `toml:"type" json:"type"`
	Range   []float64 `toml:"range" json:"range,omitempty"`
	Value   string    `toml:"value" json:"value,omitempty"`
	Default *string   `toml:"default" json:"default,omitempty"` // where it is not given; nil: it must be
}

// Load reads the database at path.
func Load(path string) (*Database, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(data, path)
}

// Parse reads a database; file is the name used in messages, which name the line too.
func Parse(data []byte, file string) (*Database, error) {
	d := &Database{}
	if err := config.Decode(data, file, d); err != nil {
		return nil, err
	}
	if w := d.check(); w != nil {
		return nil, fmt.Errorf("%s:%d: %s %d: %w", file, lineOf(data, w.kind, w.index), w.kind, w.index+1, w.err)
	}
	widths := pus.Widths{}
	for i := range d.Parameters {
		if n := d.Parameters[i].Type.width(); n > 0 {
			widths[d.Parameters[i].ID] = n
		}
	}
	d.Form.Widths = &widths
	return d, nil
}

// Parameter finds a parameter by name, nil if there is none.
func (d *Database) Parameter(name string) *Parameter {
	for i := range d.Parameters {
		if d.Parameters[i].Name == name {
			return &d.Parameters[i]
		}
	}
	return nil
}

// ParameterByID finds a parameter by number, nil if there is none.
func (d *Database) ParameterByID(id uint16) *Parameter {
	for i := range d.Parameters {
		if d.Parameters[i].ID == id {
			return &d.Parameters[i]
		}
	}
	return nil
}

// Structure finds a structure, nil if there is none.
func (d *Database) Structure(sid uint16) *Structure {
	for i := range d.Structures {
		if d.Structures[i].SID == sid {
			return &d.Structures[i]
		}
	}
	return nil
}

// Object finds an object, nil if there is none.
func (d *Database) Object(memory uint16, base uint32) *Object {
	for i := range d.Objects {
		if d.Objects[i].Memory == memory && d.Objects[i].Base == base {
			return &d.Objects[i]
		}
	}
	return nil
}

// Command finds a telecommand, nil if there is none.
func (d *Database) Command(name string) *Command {
	for i := range d.Commands {
		if d.Commands[i].Name == name {
			return &d.Commands[i]
		}
	}
	return nil
}
