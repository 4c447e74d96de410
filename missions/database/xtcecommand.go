package database

import (
	"fmt"
	"strings"

	"github.com/perilune/perilune/ccsds/pus"
)

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
