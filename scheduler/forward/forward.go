// Package forward says which reports go to the ground at once (service 14, real-time
// forwarding control): by application process, service and subtype, by housekeeping
// structure, and by event. What does not go down is stored all the same.
package forward

import (
	"slices"

	"github.com/perilune/perilune/ccsds/pus"
)

// Control is what goes down. Its fields are as the reports of service 14 have them: a
// process without services stands for all of its reports, a service without subtypes for
// all of the service.
type Control struct {
	Types      []pus.ProcessReports
	Structures []pus.ProcessStructures // none of a process: all of its structures
	Blocked    []pus.ProcessEvents
}

// Everything forwards all reports of the processes.
func Everything(apids ...uint16) (c Control) {
	for _, a := range apids {
		c.Types = append(c.Types, pus.ProcessReports{APID: a})
	}
	return c
}

// always are services without which the ground could not tell what its telecommands do, or
// undo a forwarding control that silences the craft.
func always(service uint8) bool {
	return service == pus.ServiceVerification || service == pus.ServiceForwarding || service == pus.ServiceLarge
}

// Allows says whether a report goes down, and if it is a structure of which one in so many
// does, the rate; 1 otherwise.
func (c *Control) Allows(apid uint16, service, subtype uint8, data []byte) (bool, uint16) {
	if always(service) {
		return true, 1
	}
	if !c.allowsType(apid, service, subtype) {
		return false, 0
	}
	if len(data) < 2 {
		return true, 1
	}
	id := uint16(data[0])<<8 | uint16(data[1])
	switch {
	case service == pus.ServiceEvent && subtype >= pus.EventInfo && subtype <= pus.EventHigh:
		return !slices.ContainsFunc(c.Blocked, func(p pus.ProcessEvents) bool {
			return p.APID == apid && slices.Contains(p.Events, id)
		}), 1
	case service == pus.ServiceHousekeeping && subtype == pus.HousekeepingReport:
		return c.allowsStructure(apid, id)
	}
	return true, 1
}

func (c *Control) allowsType(apid uint16, service, subtype uint8) bool {
	i := c.process(apid)
	if i < 0 {
		return false
	}
	services := c.Types[i].Services
	if len(services) == 0 {
		return true
	}
	j := slices.IndexFunc(services, func(s pus.ServiceReports) bool { return s.Service == service })
	return j >= 0 && (len(services[j].Subtypes) == 0 || slices.Contains(services[j].Subtypes, subtype))
}

func (c *Control) allowsStructure(apid, sid uint16) (bool, uint16) {
	i := slices.IndexFunc(c.Structures, func(p pus.ProcessStructures) bool { return p.APID == apid })
	if i < 0 {
		return true, 1
	}
	j := slices.IndexFunc(c.Structures[i].Structures, func(r pus.StructureRate) bool { return r.SID == sid })
	if j < 0 {
		return false, 0
	}
	return true, max(1, c.Structures[i].Structures[j].Rate)
}

func (c *Control) process(apid uint16) int {
	return slices.IndexFunc(c.Types, func(p pus.ProcessReports) bool { return p.APID == apid })
}

// Add is TC[14,1].
func (c *Control) Add(types []pus.ProcessReports) {
	for _, p := range types {
		i := c.process(p.APID)
		switch {
		case i < 0:
			c.Types = append(c.Types, p)
		case len(p.Services) == 0:
			c.Types[i].Services = nil
		case len(c.Types[i].Services) > 0:
			for _, s := range p.Services {
				c.Types[i].Services = addService(c.Types[i].Services, s)
			}
		}
	}
}

func addService(all []pus.ServiceReports, s pus.ServiceReports) []pus.ServiceReports {
	i := slices.IndexFunc(all, func(o pus.ServiceReports) bool { return o.Service == s.Service })
	switch {
	case i < 0:
		return append(all, s)
	case len(s.Subtypes) == 0 || len(all[i].Subtypes) == 0:
		all[i].Subtypes = nil
	default:
		all[i].Subtypes = append(all[i].Subtypes, s.Subtypes...)
		slices.Sort(all[i].Subtypes)
		all[i].Subtypes = slices.Compact(all[i].Subtypes)
	}
	return all
}

// Delete is TC[14,2]; nothing named is everything. What stood for all of something is
// first written out.
func (c *Control) Delete(types []pus.ProcessReports) {
	if len(types) == 0 {
		c.Types = nil
	}
	for _, p := range types {
		i := c.process(p.APID)
		if i < 0 {
			continue
		}
		left := c.Types[i].Services
		if len(left) == 0 {
			left = known()
		}
		for _, s := range p.Services {
			left = deleteService(left, s)
		}
		if c.Types[i].Services = left; len(left) == 0 || len(p.Services) == 0 {
			c.Types = slices.Delete(c.Types, i, i+1)
		}
	}
}

func deleteService(all []pus.ServiceReports, s pus.ServiceReports) []pus.ServiceReports {
	i := slices.IndexFunc(all, func(o pus.ServiceReports) bool { return o.Service == s.Service })
	if i < 0 {
		return all
	}
	left := all[i].Subtypes
	if len(left) == 0 {
		left = subtypes(s.Service)
	}
	left = slices.DeleteFunc(slices.Clone(left), func(n uint8) bool { return slices.Contains(s.Subtypes, n) })
	if len(left) == 0 || len(s.Subtypes) == 0 {
		return slices.Delete(slices.Clone(all), i, i+1)
	}
	all = slices.Clone(all)
	all[i].Subtypes = left
	return all
}

// own are the reports of this craft that the standard does not have.
var own = []pus.Kind{{TM: true, Service: 128, Subtype: 1}, {TM: true, Service: 128, Subtype: 2}, {TM: true, Service: 129, Subtype: 1}}

// reports are all kinds of reports.
func reports() (out []pus.Kind) {
	for _, m := range pus.Catalogue() {
		if m.TM {
			out = append(out, m.Kind)
		}
	}
	return append(out, own...)
}

// known are all services that have reports.
func known() (out []pus.ServiceReports) {
	for _, k := range reports() {
		if n := len(out); n == 0 || out[n-1].Service != k.Service {
			out = append(out, pus.ServiceReports{Service: k.Service})
		}
	}
	return out
}

// subtypes are the reports of a service.
func subtypes(service uint8) (out []uint8) {
	for _, k := range reports() {
		if k.Service == service {
			out = append(out, k.Subtype)
		}
	}
	return out
}
