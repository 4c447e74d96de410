package database

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// header are the fields before the message in a telemetry packet, end to end, with their bits:
// CCSDS 133.0-B §4.1 and ECSS-E-ST-70-41C §7.4. Names of the database have no hyphens. Readers that
// know no places in containers find their way by these, too.
var header = []struct {
	name string
	bits int
}{
	{"packet-version", 3}, {"packet-type", 1}, {"packet-secondary", 1}, {"pus_apid", 11}, {"packet-flags", 2}, {"packet-count", 14}, {"packet-length", 16},
	{"pus-version", 4}, {"pus-time-status", 4}, {"pus_service", 8}, {"pus_subtype", 8}, {"pus-count", 16}, {"pus-destination", 16}, {"pus-time", 56},
}

// XTCE returns the database as an XTCE 1.2 space system (CCSDS 660.0-B-2): the packets of
// PUS, a container for each structure and for events, and the telecommands whose arguments
// are numbers. Of a structure with rows it has the count; lists, texts and times in
// telecommands are left out.
func (d *Database) XTCE() []byte {
	x := &xtce{d: d}
	x.b.WriteString(xml.Header)
	x.line(`<SpaceSystem name=%q xmlns="http://www.omg.org/spec/XTCE/20180204" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.omg.org/spec/XTCE/20180204 https://www.omg.org/spec/XTCE/20180204/SpaceSystem.xsd">`, d.Name)
	x.line(`  <Header validationStatus="Draft" version="1"/>`)
	x.line(`  <TelemetryMetaData>`)
	x.types()
	x.parameters()
	x.line(`    <ContainerSet>`)
	x.packetContainer()
	x.structures()
	x.events()
	x.telemetry()
	x.line(`    </ContainerSet>`)
	x.line(`  </TelemetryMetaData>`)
	x.commands()
	x.line(`</SpaceSystem>`)
	return x.b.Bytes()
}

type xtce struct {
	d *Database
	b bytes.Buffer
}

func (x *xtce) line(form string, args ...any) {
	fmt.Fprintf(&x.b, form, args...)
	x.b.WriteByte('\n')
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// types writes a type for each parameter: calibration and limits belong to it.
func (x *xtce) types() {
	x.line(`    <ParameterTypeSet>`)
	for _, n := range []int{1, 2, 3, 4, 8, 11, 14, 16} {
		x.line(`      <IntegerParameterType name="u%d" signed="false"><IntegerDataEncoding encoding="unsigned" sizeInBits="%d"/></IntegerParameterType>`, n, n)
	}
	x.line(`      <EnumeratedParameterType name="event_type"><IntegerDataEncoding encoding="unsigned" sizeInBits="16"/><EnumerationList>`)
	for _, e := range x.d.Events {
		x.line(`        <Enumeration value="%d" label=%q/>`, e.ID, e.Name)
	}
	x.line(`      </EnumerationList></EnumeratedParameterType>`)
	x.line(`      <BinaryParameterType name="u56"><BinaryDataEncoding><SizeInBits><FixedValue>56</FixedValue></SizeInBits></BinaryDataEncoding></BinaryParameterType>`)
	x.fieldType(&Field{Name: "event_text", Type: Text16})
	x.fieldType(&Field{Name: "pus_mission", Type: Text8})
	for i := range x.d.Parameters {
		x.fieldType(&x.d.Parameters[i].Field)
	}
	for _, e := range x.d.Events {
		for _, f := range e.Fields {
			f.Name = e.field(f.Name)
			x.fieldType(&f)
		}
	}
	x.line(`    </ParameterTypeSet>`)
}

func (x *xtce) fieldType(f *Field) {
	name := f.Name + "_type"
	units := ""
	if f.Unit != "" {
		units = "<UnitSet><Unit>" + escape(f.Unit) + "</Unit></UnitSet>"
	}
	bits := 8 * f.Type.width()
	switch {
	case f.Type == Octets:
		x.line(`      <BinaryParameterType name=%q>%s<BinaryDataEncoding><SizeInBits><FixedValue>%d</FixedValue></SizeInBits></BinaryDataEncoding></BinaryParameterType>`, name, units, 8*f.Size)
	case f.Type.counter() != "":
		x.line(`      <StringParameterType name=%q>%s<StringDataEncoding encoding="UTF-8"><Variable maxSizeInBits="524280"><DynamicValue>`, name, units)
		x.line(`        <ParameterInstanceRef parameterRef=%q/><LinearAdjustment slope="8"/></DynamicValue></Variable></StringDataEncoding></StringParameterType>`, sizeOf(f.Name))
	case bits == 0: // texts and times; they cannot be calibrated
		x.line(`      <BinaryParameterType name=%q>%s<BinaryDataEncoding><SizeInBits><FixedValue>56</FixedValue></SizeInBits></BinaryDataEncoding></BinaryParameterType>`, name, units)
	case f.Type == "bool":
		x.line(`      <BooleanParameterType name=%q>%s<IntegerDataEncoding encoding="unsigned" sizeInBits="8"/></BooleanParameterType>`, name, units)
	case len(f.Labels) > 0:
		x.line(`      <EnumeratedParameterType name=%q>%s%s<EnumerationList>`, name, units, f.encoding())
		for i, l := range f.Labels {
			x.line(`        <Enumeration value="%d" label="%s"/>`, i, escape(l))
		}
		x.line(`      </EnumerationList></EnumeratedParameterType>`)
	case f.Type.float() || len(f.Polynomial)+len(f.Points) > 0:
		x.line(`      <FloatParameterType name=%q sizeInBits="64">%s%s%s</FloatParameterType>`, name, units, f.encoding(), f.alarm())
	default:
		x.line(`      <IntegerParameterType name=%q signed="%t" sizeInBits="%d">%s%s%s</IntegerParameterType>`, name, f.Type.signed(), bits, units, f.encoding(), f.alarm())
	}
}

// counter is the type of the length that stands before a text, "" for what is none. The schema
// has no string whose own encoding has it in front, so it is a parameter too.
func (t Type) counter() string {
	switch t {
	case Text8:
		return "u8"
	case Text16:
		return "u16"
	}
	return ""
}

// sizeOf is the name of a text's length. Names of the database have no hyphens.
func sizeOf(name string) string { return name + "-size" }

// encoding is the raw form, with the calibration.
func (f *Field) encoding() string {
	element, kind := "IntegerDataEncoding", "unsigned"
	if f.Type.float() {
		element, kind = "FloatDataEncoding", "IEEE754_1985"
	} else if f.Type.signed() {
		kind = "twosComplement"
	}
	var c strings.Builder
	for i, v := range f.Polynomial {
		fmt.Fprintf(&c, `<Term coefficient="%v" exponent="%d"/>`, v, i)
	}
	inner := ""
	if c.Len() > 0 {
		inner = "<PolynomialCalibrator>" + c.String() + "</PolynomialCalibrator>"
	}
	for _, p := range f.Points {
		fmt.Fprintf(&c, `<SplinePoint raw="%v" calibrated="%v"/>`, p[0], p[1])
	}
	if len(f.Points) > 0 {
		inner = `<SplineCalibrator order="1" extrapolate="true">` + c.String() + "</SplineCalibrator>"
	}
	if inner != "" {
		inner = "<DefaultCalibrator>" + inner + "</DefaultCalibrator>"
	}
	return fmt.Sprintf(`<%s encoding=%q sizeInBits="%d">%s</%s>`, element, kind, 8*f.Type.width(), inner, element)
}

func (f *Field) alarm() string {
	var b strings.Builder
	for _, r := range []struct {
		element string
		at      []float64
	}{{"WarningRange", f.Warning}, {"CriticalRange", f.Critical}} {
		if len(r.at) == 2 {
			fmt.Fprintf(&b, `<%s minInclusive="%v" maxInclusive="%v"/>`, r.element, r.at[0], r.at[1])
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "<DefaultAlarm><StaticAlarmRanges>" + b.String() + "</StaticAlarmRanges></DefaultAlarm>"
}

func (x *xtce) parameters() {
	x.line(`    <ParameterSet>`)
	for _, h := range header {
		x.line(`      <Parameter name=%q parameterTypeRef="u%d"/>`, h.name, h.bits)
	}
	for _, p := range [][2]string{{"pus_sid", "u16"}, {"pus_rows", "u8"}, {"event", "event_type"}} {
		x.line(`      <Parameter name=%q parameterTypeRef=%q/>`, p[0], p[1])
	}
	x.parameter(&Field{Name: "event_text", Type: Text16})
	x.parameter(&Field{Name: "pus_mission", Type: Text8})
	for i := range x.d.Parameters {
		x.parameter(&x.d.Parameters[i].Field)
	}
	for _, e := range x.d.Events {
		for _, f := range e.Fields {
			f.Name = e.field(f.Name)
			x.parameter(&f)
		}
	}
	x.line(`    </ParameterSet>`)
}

func (x *xtce) parameter(f *Field) {
	if c := f.Type.counter(); c != "" {
		x.line(`      <Parameter name=%q parameterTypeRef=%q/>`, sizeOf(f.Name), c)
	}
	x.line(`      <Parameter name=%q parameterTypeRef="%s_type" shortDescription="%s"/>`, f.Name, f.Name, escape(f.Text))
}

// entry puts a field into a container, with the length before a text.
func (x *xtce) entry(name string, t Type) {
	if t.counter() != "" {
		x.line(`        <ParameterRefEntry parameterRef=%q/>`, sizeOf(name))
	}
	x.line(`        <ParameterRefEntry parameterRef=%q/>`, name)
}

// entries puts parameters of the database into a container.
func (x *xtce) entries(names []string) {
	for _, name := range names {
		x.entry(name, x.d.Parameter(name).Type)
	}
}

func (x *xtce) packetContainer() {
	x.line(`      <SequenceContainer name="packet"><EntryList>`)
	for _, h := range header {
		x.line(`        <ParameterRefEntry parameterRef=%q/>`, h.name)
	}
	x.line(`      </EntryList></SequenceContainer>`)
}

func (x *xtce) structures() {
	x.line(`      <SequenceContainer name="housekeeping"><EntryList>`)
	x.line(`        <ParameterRefEntry parameterRef="pus_sid"/>`)
	x.line(`      </EntryList><BaseContainer containerRef="packet"><RestrictionCriteria><ComparisonList>`)
	x.line(`        <Comparison parameterRef="pus_service" value="3"/><Comparison parameterRef="pus_subtype" value="25"/>`)
	x.line(`      </ComparisonList></RestrictionCriteria></BaseContainer></SequenceContainer>`)
	for _, s := range x.d.Structures {
		x.line(`      <SequenceContainer name="hk_%s"><EntryList>`, s.Name)
		x.entries(s.Parameters)
		if len(s.Rows) > 0 {
			x.line(`        <ParameterRefEntry parameterRef="pus_rows"/>`)
		}
		x.line(`      </EntryList><BaseContainer containerRef="housekeeping"><RestrictionCriteria>`)
		x.line(`        <Comparison parameterRef="pus_sid" value="%d"/>`, s.SID)
		x.line(`      </RestrictionCriteria></BaseContainer></SequenceContainer>`)
	}
}

func (x *xtce) events() {
	x.line(`      <SequenceContainer name="event_report"><EntryList>`)
	x.line(`        <ParameterRefEntry parameterRef="event"/>`)
	x.entry("event_text", Text16)
	x.line(`      </EntryList><BaseContainer containerRef="packet"><RestrictionCriteria><ComparisonList>`)
	x.line(`        <Comparison parameterRef="pus_service" value="5"/><Comparison parameterRef="pus_subtype" comparisonOperator="&lt;=" value="4"/>`)
	x.line(`      </ComparisonList></RestrictionCriteria></BaseContainer></SequenceContainer>`)
	for _, e := range x.d.Events {
		if len(e.Fields) == 0 {
			continue
		}
		x.line(`      <SequenceContainer name="event_%d"><EntryList>`, e.ID)
		for _, f := range e.Fields {
			x.entry(e.field(f.Name), f.Type)
		}
		x.line(`      </EntryList><BaseContainer containerRef="event_report"><RestrictionCriteria>`)
		x.line(`        <Comparison parameterRef="event" value=%q/>`, e.Name)
		x.line(`      </RestrictionCriteria></BaseContainer></SequenceContainer>`)
	}
}

// field is the name of an event's field among the parameters.
func (e *Event) field(name string) string { return fmt.Sprintf("event_%d_%s", e.ID, name) }

// telemetry writes what missions report, by application process and the mission's name.
func (x *xtce) telemetry() {
	if len(x.d.Telemetry) == 0 {
		return
	}
	x.line(`      <SequenceContainer name="mission_report"><EntryList>`)
	x.entry("pus_mission", Text8)
	x.line(`      </EntryList><BaseContainer containerRef="packet"><RestrictionCriteria><ComparisonList>`)
	x.line(`        <Comparison parameterRef="pus_service" value="128"/><Comparison parameterRef="pus_subtype" value="1"/>`)
	x.line(`      </ComparisonList></RestrictionCriteria></BaseContainer></SequenceContainer>`)
	for _, t := range x.d.Telemetry {
		x.line(`      <SequenceContainer name="%s_%s"><EntryList>`, escape(t.Tenant), escape(t.Mission))
		x.entries(t.Parameters)
		x.line(`      </EntryList><BaseContainer containerRef="mission_report"><RestrictionCriteria><ComparisonList>`)
		x.line(`        <Comparison parameterRef="pus_apid" value="%d"/><Comparison parameterRef="pus_mission" value="%s"/>`, x.d.APID(t.Tenant), escape(t.Mission))
		x.line(`      </ComparisonList></RestrictionCriteria></BaseContainer></SequenceContainer>`)
	}
}
