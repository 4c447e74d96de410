package database

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
)

// apidFlight is that of telecommands which name none.
const apidFlight = 1

var errEmpty = errors.New("it names no telecommand")

// Request builds the packet of a telecommand in words, such as "parameter.get
// parameters=uptime" or, for a function of TC[8,1], "mission.stop acme beacon". Seq and
// source are for the reports about it.
func (d *Database) Request(text string, seq, source uint16) ([]byte, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil, errEmpty
	}
	if c := d.Command(words[0]); c != nil {
		values := map[string]string{}
		for _, w := range words[1:] {
			key, value, ok := strings.Cut(w, "=")
			if !ok {
				return nil, fmt.Errorf("%q: want KEY=VALUE", w)
			}
			values[key] = value
		}
		data, err := d.Build(c, values)
		if err != nil {
			return nil, err
		}
		if c.Tenant != "" {
			if data, err = (pus.TenantData{Mission: c.Mission, Data: data}).Encode(); err != nil {
				return nil, err
			}
			return pus.BuildTC(ccsds.APID(d.APID(c.Tenant)), seq, pus.AckAll, pus.ServiceTenant, pus.TenantCommand, source, data)
		}
		apid := c.APID
		if apid == 0 {
			apid = apidFlight
		}
		return pus.BuildTC(ccsds.APID(apid), seq, pus.AckAll, c.Service, c.Subtype, source, data)
	}
	for _, f := range d.Functions {
		if f.Name != words[0] {
			continue
		}
		data, err := pus.Function{Name: f.Name, Arguments: words[1:]}.Encode()
		if err != nil {
			return nil, err
		}
		return pus.BuildTC(apidFlight, seq, pus.AckAll, pus.ServiceFunction, pus.PerformFunction, source, data)
	}
	return nil, fmt.Errorf("no telecommand or function %q", words[0])
}

// sourceStored is the source of telecommands inside others: no user's counts are used up.
const sourceStored = 0

// appendSteps codes the steps of a sequence (TC[21,1]): count u16, and each a packet and the
// wait after it, u32 ms. A step is a telecommand in words, with @ and the wait behind it.
func (d *Database) appendSteps(dst []byte, text string) ([]byte, error) {
	words := strings.Split(text, ";")
	if len(words) > maxFields {
		return nil, fmt.Errorf("%d steps, at most %d", len(words), maxFields)
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(words)))
	for i, w := range words {
		request, after, waits := strings.Cut(w, "@")
		wait := time.Duration(0)
		var err error
		if waits {
			if wait, err = time.ParseDuration(strings.TrimSpace(after)); err != nil || wait < 0 || wait.Milliseconds() > 1<<32-1 {
				return nil, fmt.Errorf("step %d: %q is no wait such as 5s", i, after)
			}
		}
		packet, err := d.Request(request, uint16(i), sourceStored)
		if err != nil {
			return nil, fmt.Errorf("step %d: %w", i, err)
		}
		dst = binary.BigEndian.AppendUint32(append(dst, packet...), uint32(wait.Milliseconds()))
	}
	return dst, nil
}
