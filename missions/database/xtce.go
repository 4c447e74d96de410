package database

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/perilune/perilune/ccsds/pus"
)

// Places in a packet, in bits from its start: ECSS-E-ST-70-41C §7.4 after the primary
// header of CCSDS 133.0-B.
const (
	bitAPID    = 5
	bitService = 56
	bitMessage = 160 // of telemetry: 6 octets primary, 14 octets secondary header
)

// XTCE returns the database as an XTCE 1.2 space system (CCSDS 660.0-B-2): the packets of
// PUS, a container for each structure and for events, and the telecommands whose arguments
// are numbers. Of a structure with rows it has the count; lists, texts and times in
// telecommands are left out.
func (d *Database) XTCE() []byte {
	x := &xtce{d: d}
	x.b.WriteString(xml.Header)
	x.line(`<SpaceSystem name=%q xmlns="http://www.omg.org/spec/XTCE/20180204">`, d.Name)
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
	for _, n := range []int{8, 11, 16} {
		x.line(`      <IntegerParameterType name="u%d" signed="false"><IntegerDataEncoding encoding="unsigned" sizeInBits="%d"/></IntegerParameterType>`, n, n)
	}
	x.line(`      <EnumeratedParameterType name="event_type"><IntegerDataEncoding encoding="unsigned" sizeInBits="16"/><EnumerationList>`)
	for _, e := range x.d.Events {
		x.line(`        <Enumeration value="%d" label=%q/>`, e.ID, e.Name)
	}
	x.line(`      </EnumerationList></EnumeratedParameterType>`)
	x.line(`      <StringParameterType name="text_type"><StringDataEncoding encoding="UTF-8"><Variable maxSizeInBits="524280"><LeadingSize sizeInBitsOfSizeTag="16"/></Variable></StringDataEncoding></StringParameterType>`)
	x.line(`      <StringParameterType name="text8_type"><StringDataEncoding encoding="UTF-8"><Variable maxSizeInBits="2040"><LeadingSize sizeInBitsOfSizeTag="8"/></Variable></StringDataEncoding></StringParameterType>`)
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
	case f.Type == Text8 || f.Type == Text16:
		tag := 8
		if f.Type == Text16 {
			tag = 16
		}
		x.line(`      <StringParameterType name=%q>%s<StringDataEncoding encoding="UTF-8"><Variable maxSizeInBits="524280"><LeadingSize sizeInBitsOfSizeTag="%d"/></Variable></StringDataEncoding></StringParameterType>`, name, units, tag)
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
	for _, p := range [][2]string{{"pus_apid", "u11"}, {"pus_service", "u8"}, {"pus_subtype", "u8"}, {"pus_sid", "u16"},
		{"pus_rows", "u8"}, {"event", "event_type"}, {"event_text", "text_type"}, {"pus_mission", "text8_type"}} {
		x.line(`      <Parameter name=%q parameterTypeRef=%q/>`, p[0], p[1])
	}
	for _, p := range x.d.Parameters {
		x.line(`      <Parameter name=%q parameterTypeRef="%s_type" shortDescription="%s"/>`, p.Name, p.Name, escape(p.Text))
	}
	for _, e := range x.d.Events {
		for _, f := range e.Fields {
			x.line(`      <Parameter name=%q parameterTypeRef="%s_type" shortDescription="%s"/>`, e.field(f.Name), e.field(f.Name), escape(f.Text))
		}
	}
	x.line(`    </ParameterSet>`)
}

func at(name string, bit int) string {
	return fmt.Sprintf(`<ParameterRefEntry parameterRef=%q><LocationInContainerInBits referenceLocation="containerStart"><FixedValue>%d</FixedValue></LocationInContainerInBits></ParameterRefEntry>`, name, bit)
}

func (x *xtce) packetContainer() {
	x.line(`      <SequenceContainer name="packet"><EntryList>`)
	x.line(`        %s`, at("pus_apid", bitAPID))
	x.line(`        %s`, at("pus_service", bitService))
	x.line(`        <ParameterRefEntry parameterRef="pus_subtype"/>`)
	x.line(`      </EntryList></SequenceContainer>`)
}

func (x *xtce) structures() {
	x.line(`      <SequenceContainer name="housekeeping"><EntryList>`)
	x.line(`        %s`, at("pus_sid", bitMessage))
	x.line(`      </EntryList><BaseContainer containerRef="packet"><RestrictionCriteria><ComparisonList>`)
	x.line(`        <Comparison parameterRef="pus_service" value="3"/><Comparison parameterRef="pus_subtype" value="25"/>`)
	x.line(`      </ComparisonList></RestrictionCriteria></BaseContainer></SequenceContainer>`)
	for _, s := range x.d.Structures {
		x.line(`      <SequenceContainer name="hk_%s"><EntryList>`, s.Name)
		for _, p := range s.Parameters {
			x.line(`        <ParameterRefEntry parameterRef=%q/>`, p)
		}
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
	x.line(`        %s`, at("event", bitMessage))
	x.line(`        <ParameterRefEntry parameterRef="event_text"/>`)
	x.line(`      </EntryList><BaseContainer containerRef="packet"><RestrictionCriteria><ComparisonList>`)
	x.line(`        <Comparison parameterRef="pus_service" value="5"/><Comparison parameterRef="pus_subtype" comparisonOperator="&lt;=" value="4"/>`)
	x.line(`      </ComparisonList></RestrictionCriteria></BaseContainer></SequenceContainer>`)
	for _, e := range x.d.Events {
		if len(e.Fields) == 0 {
			continue
		}
		x.line(`      <SequenceContainer name="event_%d"><EntryList>`, e.ID)
		for _, f := range e.Fields {
			x.line(`        <ParameterRefEntry parameterRef=%q/>`, e.field(f.Name))
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
	x.line(`        %s`, at("pus_mission", bitMessage))
	x.line(`      </EntryList><BaseContainer containerRef="packet"><RestrictionCriteria><ComparisonList>`)
	x.line(`        <Comparison parameterRef="pus_service" value="128"/><Comparison parameterRef="pus_subtype" value="1"/>`)
	x.line(`      </ComparisonList></RestrictionCriteria></BaseContainer></SequenceContainer>`)
	for _, t := range x.d.Telemetry {
		x.line(`      <SequenceContainer name="%s_%s"><EntryList>`, escape(t.Tenant), escape(t.Mission))
		for _, p := range t.Parameters {
			x.line(`        <ParameterRefEntry parameterRef=%q/>`, p)
		}
		x.line(`      </EntryList><BaseContainer containerRef="mission_report"><RestrictionCriteria><ComparisonList>`)
		x.line(`        <Comparison parameterRef="pus_apid" value="%d"/><Comparison parameterRef="pus_mission" value="%s"/>`, x.d.APID(t.Tenant), escape(t.Mission))
		x.line(`      </ComparisonList></RestrictionCriteria></BaseContainer></SequenceContainer>`)
	}
}

// commands writes the telecommands whose arguments are numbers.
func (x *xtce) commands() {
	x.line(`  <CommandMetaData>`)
	x.line(`    <ArgumentTypeSet>`)
	x.line(`      <IntegerArgumentType name="a11" signed="false"><IntegerDataEncoding encoding="unsigned" sizeInBits="11"/></IntegerArgumentType>`)
	for _, t := range []Type{"uint8", "uint16", "uint32", "uint64"} {
		x.line(`      <IntegerArgumentType name=%q signed="false" sizeInBits="%d"><IntegerDataEncoding encoding="unsigned" sizeInBits="%d"/></IntegerArgumentType>`, t, 8*t.width(), 8*t.width())
	}
	x.line(`    </ArgumentTypeSet>`)
	x.line(`    <MetaCommandSet>`)
	x.line(`      <MetaCommand name="tc" abstract="true">`)
	x.line(`        <ArgumentList><Argument name="pus_apid" argumentTypeRef="a11" initialValue="1"/><Argument name="pus_service" argumentTypeRef="uint8"/><Argument name="pus_subtype" argumentTypeRef="uint8"/></ArgumentList>`)
	x.line(`        <CommandContainer name="tc"><EntryList><FixedValueEntry binaryValue="03" sizeInBits="5"/><ArgumentRefEntry argumentRef="pus_apid"/>`)
	x.line(`          <FixedValueEntry binaryValue="C0000000" sizeInBits="32"/><FixedValueEntry binaryValue="2F" sizeInBits="8"/>`)
	x.line(`          <ArgumentRefEntry argumentRef="pus_service"/><ArgumentRefEntry argumentRef="pus_subtype"/><FixedValueEntry binaryValue="0000" sizeInBits="16"/></EntryList></CommandContainer>`)
	x.line(`      </MetaCommand>`)
	for i := range x.d.Commands {
		x.command(&x.d.Commands[i])
	}
	x.line(`    </MetaCommandSet>`)
	x.line(`  </CommandMetaData>`)
}

func (x *xtce) command(c *Command) {
	var list, entries strings.Builder
	service, subtype, apid := c.Service, c.Subtype, ""
	if c.Tenant != "" {
		service, subtype = pus.ServiceTenant, pus.TenantCommand
		apid = fmt.Sprintf(`<ArgumentAssignment argumentName="pus_apid" argumentValue="%d"/>`, x.d.APID(c.Tenant))
		fmt.Fprintf(&entries, `<FixedValueEntry binaryValue="%02x%x" sizeInBits="%d"/>`, len(c.Mission), c.Mission, 8+8*len(c.Mission))
	}
	for _, a := range c.Arguments {
		switch {
		case a.Type.signed() || a.Type.float() || a.Type == "bool" || a.Type.width() == 0:
			return
		case a.Value != "":
			fixed, err := appendNumber(nil, a.Type, a.Value, nil)
			if err != nil {
				return
			}
			fmt.Fprintf(&entries, `<FixedValueEntry binaryValue="%x" sizeInBits="%d"/>`, fixed, 8*len(fixed))
		default:
			fmt.Fprintf(&list, `<Argument name=%q argumentTypeRef=%q/>`, a.Name, a.Type)
			fmt.Fprintf(&entries, `<ArgumentRefEntry argumentRef=%q/>`, a.Name)
		}
	}
	name := strings.ReplaceAll(c.Name, ".", "_")
	x.line(`      <MetaCommand name=%q><BaseMetaCommand metaCommandRef="tc"><ArgumentAssignmentList>`, name)
	x.line(`        <ArgumentAssignment argumentName="pus_service" argumentValue="%d"/><ArgumentAssignment argumentName="pus_subtype" argumentValue="%d"/>%s`, service, subtype, apid)
	x.line(`      </ArgumentAssignmentList></BaseMetaCommand>`)
	if list.Len() > 0 {
		x.line(`        <ArgumentList>%s</ArgumentList>`, list.String())
	}
	x.line(`        <CommandContainer name=%q><EntryList>%s</EntryList><BaseContainer containerRef="tc"/></CommandContainer></MetaCommand>`, name, entries.String())
}
