package forward

import (
	"slices"

	"github.com/perilune/perilune/ccsds/pus"
)

// AddStructures is TC[14,5]: of a process that names structures no other goes down.
func (c *Control) AddStructures(list []pus.ProcessStructures) {
	for _, p := range list {
		if len(p.Structures) == 0 {
			c.DeleteStructures([]pus.ProcessStructures{p}) // all of them
			continue
		}
		i := slices.IndexFunc(c.Structures, func(o pus.ProcessStructures) bool { return o.APID == p.APID })
		if i < 0 {
			c.Structures = append(c.Structures, pus.ProcessStructures{APID: p.APID})
			i = len(c.Structures) - 1
		}
		have := &c.Structures[i].Structures
		for _, r := range p.Structures {
			*have = slices.DeleteFunc(*have, func(o pus.StructureRate) bool { return o.SID == r.SID })
			*have = append(*have, r)
		}
	}
}

// DeleteStructures is TC[14,6]; a process that then names none forwards all again.
func (c *Control) DeleteStructures(list []pus.ProcessStructures) {
	if len(list) == 0 {
		c.Structures = nil
	}
	for _, p := range list {
		i := slices.IndexFunc(c.Structures, func(o pus.ProcessStructures) bool { return o.APID == p.APID })
		if i < 0 {
			continue
		}
		left := slices.DeleteFunc(c.Structures[i].Structures, func(o pus.StructureRate) bool {
			return slices.ContainsFunc(p.Structures, func(r pus.StructureRate) bool { return r.SID == o.SID })
		})
		if c.Structures[i].Structures = left; len(left) == 0 || len(p.Structures) == 0 {
			c.Structures = slices.Delete(c.Structures, i, i+1)
		}
	}
}

// Block is TC[14,14]: events that do not go down.
func (c *Control) Block(list []pus.ProcessEvents) {
	for _, p := range list {
		i := slices.IndexFunc(c.Blocked, func(o pus.ProcessEvents) bool { return o.APID == p.APID })
		if i < 0 {
			c.Blocked = append(c.Blocked, pus.ProcessEvents{APID: p.APID})
			i = len(c.Blocked) - 1
		}
		all := append(c.Blocked[i].Events, p.Events...)
		slices.Sort(all)
		c.Blocked[i].Events = slices.Compact(all)
	}
}

// Unblock is TC[14,13]; nothing named is everything.
func (c *Control) Unblock(list []pus.ProcessEvents) {
	if len(list) == 0 {
		c.Blocked = nil
	}
	for _, p := range list {
		i := slices.IndexFunc(c.Blocked, func(o pus.ProcessEvents) bool { return o.APID == p.APID })
		if i < 0 {
			continue
		}
		left := slices.DeleteFunc(c.Blocked[i].Events, func(e uint16) bool { return slices.Contains(p.Events, e) })
		if c.Blocked[i].Events = left; len(left) == 0 || len(p.Events) == 0 {
			c.Blocked = slices.Delete(c.Blocked, i, i+1)
		}
	}
}

// Places is how many entries there are.
func (c *Control) Places() (n int) {
	for _, p := range c.Types {
		n++
		for _, s := range p.Services {
			n += 1 + len(s.Subtypes)
		}
	}
	for _, p := range c.Structures {
		n += 1 + len(p.Structures)
	}
	for _, p := range c.Blocked {
		n += 1 + len(p.Events)
	}
	return n
}
