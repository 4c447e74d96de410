package database

import (
	"fmt"
	"os"
	"slices"

	"github.com/perilune/perilune/internal/config"
)

// FirstAdded is the first number of parameters and events that are a craft's own: those
// below are the built-in database's, and may be used there later.
const FirstAdded = 1000

// Telemetry is what a mission's reports, TM[128,1], hold after its name.
type Telemetry struct {
	Tenant     string   `toml:"tenant" json:"tenant,omitempty"` // the name of its apid
	Mission    string   `toml:"mission" json:"mission,omitempty"`
	Parameters []string `toml:"parameters" json:"parameters,omitempty"`
	Text       string   `toml:"text" json:"text,omitempty"`
}

// Extend reads the file at path, a database of what a craft has besides base: application
// processes, parameters, telemetry of missions, events and telecommands. The base stays as
// it is.
func Extend(base *Database, path string) (*Database, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseExtension(base, data, path)
}

// ParseExtension is Extend of data; file is the name used in messages, which name the line.
func ParseExtension(base *Database, data []byte, file string) (*Database, error) {
	add := &Database{}
	if err := config.Decode(data, file, add); err != nil {
		return nil, err
	}
	for kind, n := range map[string]int{"entity": len(add.Entities), "structure": len(add.Structures), "function": len(add.Functions), "memory": len(add.Memories)} {
		if n > 0 {
			return nil, fmt.Errorf("%s:%d: a craft's own database has no %s: these are the flight software's", file, lineOf(data, kind, 0), kind)
		}
	}
	if add.Form != (Database{}).Form {
		return nil, fmt.Errorf("%s:%d: the form of messages is the flight software's", file, config.Line(data, "form", ""))
	}
	for i, p := range add.Parameters {
		if p.ID < FirstAdded || p.Settable {
			return nil, fmt.Errorf("%s:%d: parameter %q: want an id from %d on, and not settable", file, lineOf(data, "parameter", i), p.Name, FirstAdded)
		}
	}
	for i, e := range add.Events {
		if e.ID < FirstAdded {
			return nil, fmt.Errorf("%s:%d: event %q: want an id from %d on", file, lineOf(data, "event", i), e.Name, FirstAdded)
		}
	}
	d := base.with(add)
	w := d.check()
	if w == nil {
		return d, nil
	}
	// What is wrong is in the addition: the base was right without it.
	i := w.index - map[string]int{"apid": len(base.APIDs), "parameter": len(base.Parameters), "event": len(base.Events), "command": len(base.Commands),
		"telemetry": len(base.Telemetry), "object": len(base.Objects)}[w.kind]
	return nil, fmt.Errorf("%s:%d: %s %d: %w", file, lineOf(data, w.kind, max(0, i)), w.kind, i+1, w.err)
}

// with is the database with what add has too.
func (d *Database) with(add *Database) *Database {
	out := *d
	if add.Name != "" {
		out.Name = add.Name
	}
	out.APIDs = slices.Concat(d.APIDs, add.APIDs)
	out.Parameters = slices.Concat(d.Parameters, add.Parameters)
	out.Telemetry = slices.Concat(d.Telemetry, add.Telemetry)
	out.Events = slices.Concat(d.Events, add.Events)
	out.Commands = slices.Concat(d.Commands, add.Commands)
	out.Objects = slices.Concat(d.Objects, add.Objects)
	return &out
}

// APID finds the application process of a name, 0 if there is none.
func (d *Database) APID(name string) uint16 {
	for _, a := range d.APIDs {
		if a.Name == name {
			return a.ID
		}
	}
	return 0
}

// TelemetryOf finds what a mission's reports hold, nil if nobody says.
func (d *Database) TelemetryOf(apid uint16, mission string) *Telemetry {
	for i := range d.Telemetry {
		if t := &d.Telemetry[i]; t.Mission == mission && d.APID(t.Tenant) == apid {
			return t
		}
	}
	return nil
}

// DecodeTelemetry reads what a mission's report holds after its name.
func (d *Database) DecodeTelemetry(t *Telemetry, data []byte) ([]Value, error) {
	return d.Decode(&Structure{Name: t.Tenant + "/" + t.Mission, Parameters: t.Parameters}, data)
}

func (d *Database) checkTelemetry(t Telemetry) error {
	if d.APID(t.Tenant) == 0 {
		return fmt.Errorf("tenant %q has no [[apid]] of this name", t.Tenant)
	}
	if t.Mission == "" || len(t.Mission) > maxMission {
		return fmt.Errorf("mission %q: want 1 to %d octets", t.Mission, maxMission)
	}
	if len(t.Parameters) == 0 || len(t.Parameters) > maxFields {
		return fmt.Errorf("%d parameters, want 1 to %d", len(t.Parameters), maxFields)
	}
	for _, name := range t.Parameters {
		p := d.Parameter(name)
		if p == nil || p.ID < FirstAdded {
			return fmt.Errorf("no parameter %q of its own", name)
		}
	}
	return nil
}
