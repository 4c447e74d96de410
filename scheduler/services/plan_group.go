package services

import (
	"slices"

	"github.com/perilune/perilune/ccsds/pus"
)

// Bounds of what parts the schedule.
const (
	maxGroups       = 64
	maxSubSchedules = 64 // that are disabled
)

// released says whether neither the sub-schedule of a nor its group holds it back. What is
// held back stays in the schedule; enabled too late, it counts as missed.
func (p *planState) released(a activity) bool {
	if slices.Contains(p.Off, a.SubSchedule) {
		return false
	}
	i := p.group(a.Group)
	return i < 0 || p.Groups[i].Enabled
}

func (p *planState) group(id uint16) int {
	return slices.IndexFunc(p.Groups, func(g pus.ScheduleState) bool { return g.ID == id })
}

// checkGroup refuses a group that was not made; 0 is none.
func (p *planState) checkGroup(id uint16) error {
	if id != 0 && p.group(id) < 0 {
		return refusal(pus.FailureUnknownName, "no group %d: create it first", id)
	}
	return nil
}

// subSchedules are those that hold an activity or are disabled: one need not be made.
func (p *planState) subSchedules() (out []pus.ScheduleState) {
	ids := slices.Clone(p.Off)
	for _, a := range p.Activities {
		ids = append(ids, a.SubSchedule)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		out = append(out, pus.ScheduleState{ID: id, Enabled: !slices.Contains(p.Off, id)})
	}
	return out
}

// switchSubSchedules is TC[11,20] and TC[11,21]; no numbers are all.
func (s *Services) switchSubSchedules(ids []uint16, on bool) error {
	return s.plan.change(func(p *planState) error {
		if len(ids) == 0 {
			for _, state := range p.subSchedules() {
				ids = append(ids, state.ID)
			}
		}
		p.Off = slices.DeleteFunc(p.Off, func(id uint16) bool { return slices.Contains(ids, id) })
		if !on {
			p.Off = append(p.Off, ids...)
			slices.Sort(p.Off)
			p.Off = slices.Compact(p.Off)
		}
		if len(p.Off) > maxSubSchedules {
			return refusal(pus.FailureFull, "%d sub-schedules disabled, at most %d", len(p.Off), maxSubSchedules)
		}
		return nil
	})
}

// reportSubSchedules is TC[11,18].
func (s *Services) reportSubSchedules(any) error {
	s.plan.mu.Lock()
	out := pus.ScheduleStates{States: s.plan.subSchedules()}
	s.plan.mu.Unlock()
	return s.answer(pus.ServiceSchedule, 19, out)
}

// createGroups is TC[11,22]: all or none.
func (s *Services) createGroups(body any) error {
	return s.plan.change(func(p *planState) error {
		for _, g := range body.(pus.ScheduleStates).States {
			switch {
			case g.ID == 0:
				return refusal(pus.FailureBadData, "group 0 stands for none")
			case p.group(g.ID) >= 0:
				return refusal(pus.FailureRefused, "group %d is there already", g.ID)
			case len(p.Groups) >= maxGroups:
				return refusal(pus.FailureFull, "more than %d groups", maxGroups)
			}
			p.Groups = append(p.Groups, g)
		}
		return nil
	})
}

// groupsNamed are the places of groups; no numbers are all.
func (p *planState) groupsNamed(ids []uint16) (out []int, err error) {
	if len(ids) == 0 {
		for i := range p.Groups {
			out = append(out, i)
		}
		return out, nil
	}
	for _, id := range ids {
		i := p.group(id)
		if i < 0 {
			return nil, refusal(pus.FailureUnknownName, "no group %d", id)
		}
		out = append(out, i)
	}
	return out, nil
}

// deleteGroups is TC[11,23]: groups without activities, all of them or none.
func (s *Services) deleteGroups(body any) error {
	return s.plan.change(func(p *planState) error {
		places, err := p.groupsNamed(body.(pus.IDs).IDs)
		if err != nil {
			return err
		}
		gone := map[uint16]bool{}
		for _, i := range places {
			id := p.Groups[i].ID
			if slices.ContainsFunc(p.Activities, func(a activity) bool { return a.Group == id }) {
				return refusal(pus.FailureRefused, "group %d has activities", id)
			}
			gone[id] = true
		}
		p.Groups = slices.DeleteFunc(p.Groups, func(g pus.ScheduleState) bool { return gone[g.ID] })
		return nil
	})
}

// switchGroups is TC[11,24] and TC[11,25]; no numbers are all.
func (s *Services) switchGroups(ids []uint16, on bool) error {
	return s.plan.change(func(p *planState) error {
		places, err := p.groupsNamed(ids)
		for _, i := range places {
			p.Groups[i].Enabled = on
		}
		return err
	})
}

// reportGroups is TC[11,26].
func (s *Services) reportGroups(any) error {
	s.plan.mu.Lock()
	out := pus.ScheduleStates{States: slices.Clone(s.plan.Groups)}
	s.plan.mu.Unlock()
	return s.answer(pus.ServiceSchedule, 27, out)
}
