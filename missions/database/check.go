package database

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Limits of a database.
const (
	maxAPID       = 2039 // 2040 to 2047 are reserved by CCSDS 133.0-B
	maxFields     = 256  // of a structure or a telecommand
	maxOctets     = 1024 // of a fixed field
	maxPolynomial = 8
)

var (
	nameForm  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)
	dotted    = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
	eventForm = regexp.MustCompile(`^[a-z][a-z0-9]*( [a-z0-9]+){0,7}$`)
)

// wrong is what is wrong with one entry of a table.
type wrong struct {
	kind  string
	index int
	err   error
}

// check reports the first thing that makes no sense.
func (d *Database) check() *wrong {
	for kind, list := range map[string][]Named{"apid": d.APIDs, "entity": d.Entities, "memory": d.Memories} {
		if w := checkNamed(kind, list); w != nil {
			return w
		}
	}
	once := uniq{}
	for i, o := range d.Objects {
		if err := errors.Join(once.add("base", fmt.Sprintf("%d of memory %d", o.Base, o.Memory)), once.add("name", o.Name), d.checkObject(o)); err != nil {
			return &wrong{"object", i, err}
		}
	}
	once = uniq{}
	for i, p := range d.Parameters {
		if err := errors.Join(once.add("id", p.ID), once.add("name", p.Name), p.check()); err != nil {
			return &wrong{"parameter", i, err}
		}
	}
	once = uniq{}
	for i, s := range d.Structures {
		if err := errors.Join(once.add("sid", s.SID), once.add("name", s.Name), d.checkStructure(s)); err != nil {
			return &wrong{"structure", i, err}
		}
	}
	once = uniq{}
	for i, t := range d.Telemetry {
		if err := errors.Join(once.add("mission", t.Tenant+"/"+t.Mission), d.checkTelemetry(t)); err != nil {
			return &wrong{"telemetry", i, err}
		}
	}
	once = uniq{}
	for i, e := range d.Events {
		if err := errors.Join(once.add("id", e.ID), once.add("name", e.Name), e.check(), e.checkFields()); err != nil {
			return &wrong{"event", i, err}
		}
	}
	once = uniq{}
	for i, f := range d.Functions {
		if err := errors.Join(once.add("name", f.Name), checkForm(dotted, f.Name), tooLong(f.Name, 24)); err != nil {
			return &wrong{"function", i, err}
		}
	}
	for i, c := range d.Commands {
		if err := errors.Join(once.add("name", c.Name), checkForm(dotted, c.Name), c.check(), d.checkTenant(&c)); err != nil {
			return &wrong{"command", i, err}
		}
	}
	return nil
}

// uniq finds what is there twice.
type uniq map[string]bool

func (u uniq) add(what string, v any) error {
	key := fmt.Sprintf("%s %v", what, v)
	if u[key] {
		return fmt.Errorf("%s is there twice", key)
	}
	u[key] = true
	return nil
}

func checkNamed(kind string, list []Named) *wrong {
	once := uniq{}
	for i, n := range list {
		err := errors.Join(once.add("id", n.ID), once.add("name", n.Name), checkForm(nameForm, n.Name))
		if kind == "apid" && n.ID > maxAPID {
			err = errors.Join(err, fmt.Errorf("id %d: want at most %d", n.ID, maxAPID))
		}
		if err != nil {
			return &wrong{kind, i, err}
		}
	}
	return nil
}

// MaxObject bounds an object of service 6 in octets.
const MaxObject = 1 << 20

func (d *Database) checkObject(o Object) error {
	switch {
	case !slices.ContainsFunc(d.Memories, func(m Named) bool { return m.ID == o.Memory }):
		return fmt.Errorf("%s: no memory %d", o.Name, o.Memory)
	case !fs.ValidPath(o.File) || strings.Count(o.File, "/") > 1 || len(o.File) > 100:
		return fmt.Errorf("%s: file %q, want a name, or one in a directory", o.Name, o.File)
	case o.Size == 0 || o.Size > MaxObject:
		return fmt.Errorf("%s: size %d, want 1 to %d octets", o.Name, o.Size, MaxObject)
	}
	return checkForm(nameForm, o.Name)
}

func checkForm(form *regexp.Regexp, name string) error {
	if !form.MatchString(name) {
		return fmt.Errorf("name %q: want %s", name, form)
	}
	return nil
}

func tooLong(name string, most int) error {
	if len(name) > most {
		return fmt.Errorf("name %q: longer than %d octets", name, most)
	}
	return nil
}

func (f *Field) check() error {
	if err := checkForm(nameForm, f.Name); err != nil {
		return err
	}
	number := f.Type.width() > 0
	switch {
	case !f.Type.known() || f.Type.argumentOnly():
		return fmt.Errorf("%s: no type %q", f.Name, f.Type)
	case f.Type == Octets && (f.Size < 1 || f.Size > maxOctets):
		return fmt.Errorf("%s: size %d, want 1 to %d octets", f.Name, f.Size, maxOctets)
	case f.Type != Octets && f.Size != 0:
		return fmt.Errorf("%s: size is for type octets", f.Name)
	case len(f.Polynomial) > 0 && len(f.Points) > 0, len(f.Labels) > 0 && len(f.Polynomial)+len(f.Points) > 0:
		return fmt.Errorf("%s: labels, polynomial and points exclude each other", f.Name)
	case !number && len(f.Labels)+len(f.Polynomial)+len(f.Points)+len(f.Warning)+len(f.Critical) > 0:
		return fmt.Errorf("%s: a %s has no calibration and no limits", f.Name, f.Type)
	case len(f.Polynomial) > maxPolynomial:
		return fmt.Errorf("%s: polynomial of %d coefficients, at most %d", f.Name, len(f.Polynomial), maxPolynomial)
	case len(f.Points) == 1:
		return fmt.Errorf("%s: one point makes no line", f.Name)
	case !slices.IsSortedFunc(f.Points, func(a, b [2]float64) int {
		if a[0] < b[0] {
			return -1
		}
		return 1
	}):
		return fmt.Errorf("%s: points do not rise", f.Name)
	}
	return errors.Join(checkRange("warning", f.Warning), checkRange("critical", f.Critical))
}

func checkRange(what string, r []float64) error {
	if len(r) != 0 && (len(r) != 2 || !(r[0] <= r[1])) {
		return fmt.Errorf("%s %v: want [low, high]", what, r)
	}
	return nil
}

func (p *Parameter) check() error {
	if p.Settable && p.Type.width() == 0 {
		return fmt.Errorf("%s: a %s cannot be set", p.Name, p.Type)
	}
	if p.ID == 0 {
		return fmt.Errorf("%s: id 0 is no parameter", p.Name)
	}
	return errors.Join(p.Field.check(), checkRange("range", p.Range))
}

func (d *Database) checkStructure(s Structure) error {
	if err := checkForm(nameForm, s.Name); err != nil {
		return err
	}
	if (len(s.Parameters) == 0) == (len(s.Rows) == 0) {
		return fmt.Errorf("%s: want parameters or rows", s.Name)
	}
	if len(s.Parameters)+len(s.Rows) > maxFields {
		return fmt.Errorf("%s: more than %d fields", s.Name, maxFields)
	}
	for _, name := range s.Parameters {
		if d.Parameter(name) == nil {
			return fmt.Errorf("%s: no parameter %q", s.Name, name)
		}
	}
	for i := range s.Rows {
		if err := s.Rows[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// Severities by subtype of service 5, from 1.
var severities = []string{"", "info", "low", "medium", "high"}

func (e *Event) check() error {
	if slices.Index(severities, e.Severity) < 1 {
		return fmt.Errorf("severity %q: want info, low, medium or high", e.Severity)
	}
	if e.ID == 0 {
		return errors.New("id 0 is no event")
	}
	return checkForm(eventForm, e.Name)
}

// maxMission bounds the name of a mission, which has a length of one octet in packets.
const maxMission = 63

// checkTenant checks a telecommand for a mission: it is TC[128,1] to the tenant's process.
func (d *Database) checkTenant(c *Command) error {
	switch {
	case c.Tenant == "" && c.Mission == "":
		return nil
	case c.Service != 0 || c.Subtype != 0 || c.APID != 0:
		return errors.New("a telecommand for a mission has no service, subtype or apid")
	case d.APID(c.Tenant) == 0:
		return fmt.Errorf("tenant %q has no [[apid]] of this name", c.Tenant)
	case c.Mission == "" || len(c.Mission) > maxMission:
		return fmt.Errorf("mission %q: want 1 to %d octets", c.Mission, maxMission)
	}
	return nil
}

func (c *Command) check() error {
	switch {
	case c.Tenant == "" && (c.Service == 0 || c.Subtype == 0):
		return errors.New("service and subtype begin with 1")
	case c.APID > maxAPID:
		return fmt.Errorf("apid %d: want at most %d", c.APID, maxAPID)
	case len(c.Arguments) > maxFields:
		return fmt.Errorf("more than %d arguments", maxFields)
	}
	once, parameter := uniq{}, false
	for _, a := range c.Arguments {
		switch {
		case !a.Type.known() || a.Type == Octets:
			return fmt.Errorf("argument %q: no type %q", a.Name, a.Type)
		case a.Type == ValueOf && !parameter:
			return fmt.Errorf("argument %q: a value follows a parameter", a.Name)
		}
		parameter = parameter || a.Type == ParameterID
		if err := errors.Join(checkForm(nameForm, a.Name), once.add("argument", a.Name), checkRange("range", a.Range)); err != nil {
			return err
		}
	}
	return nil
}

// lineOf finds the line of entry index of a table of tables.
func lineOf(data []byte, kind string, index int) int {
	for i, line := range strings.Split(string(data), "\n") {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) == "[["+kind+"]]" {
			if index--; index < 0 {
				return i + 1
			}
		}
	}
	return 1
}
