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

// switchSubSchedules is TC[11,20], TC[11,21] and those of service 22; no numbers are all.
func (p *schedule) switchSubSchedules(ids []uint16, on bool) error {
	return p.change(func(st *planState) error {
		if len(ids) == 0 {
			for _, state := range st.subSchedules() {
				ids = append(ids, state.ID)
			}
		}
		st.Off = slices.DeleteFunc(st.Off, func(id uint16) bool { return slices.Contains(ids, id) })
		if !on {
			st.Off = append(st.Off, ids...)
			slices.Sort(st.Off)
			st.Off = slices.Compact(st.Off)
		}
		if len(st.Off) > maxSubSchedules {
			return refusal(pus.FailureFull, "%d sub-schedules disabled, at most %d", len(st.Off), maxSubSchedules)
		}
		return nil
	})
}

// reportSubSchedules is TC[11,18].
func (p *schedule) reportSubSchedules(any) error {
	p.mu.Lock()
	out := pus.ScheduleStates{States: p.subSchedules()}
	p.mu.Unlock()
	return p.s.answer(p.service, 19, out)
}

// createGroups is TC[11,22]: all or none.
func (p *schedule) createGroups(body any) error {
	return p.change(func(st *planState) error {
		for _, g := range body.(pus.ScheduleStates).States {
			switch {
			case g.ID == 0:
				return refusal(pus.FailureBadData, "group 0 stands for none")
			case st.group(g.ID) >= 0:
				return refusal(pus.FailureRefused, "group %d is there already", g.ID)
			case len(st.Groups) >= maxGroups:
				return refusal(pus.FailureFull, "more than %d groups", maxGroups)
			}
			st.Groups = append(st.Groups, g)
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
func (p *schedule) deleteGroups(body any) error {
	return p.change(func(st *planState) error {
		places, err := st.groupsNamed(body.(pus.IDs).IDs)
		if err != nil {
			return err
		}
		gone := map[uint16]bool{}
		for _, i := range places {
			id := st.Groups[i].ID
			if slices.ContainsFunc(st.Activities, func(a activity) bool { return a.Group == id }) {
				return refusal(pus.FailureRefused, "group %d has activities", id)
			}
			gone[id] = true
		}
		st.Groups = slices.DeleteFunc(st.Groups, func(g pus.ScheduleState) bool { return gone[g.ID] })
		return nil
	})
}

// switchGroups is TC[11,24], TC[11,25]; no numbers are all.
func (p *schedule) switchGroups(ids []uint16, on bool) error {
	return p.change(func(st *planState) error {
		places, err := st.groupsNamed(ids)
		for _, i := range places {
			st.Groups[i].Enabled = on
		}
		return err
	})
}

// reportGroups is TC[11,26].
func (p *schedule) reportGroups(any) error {
	p.mu.Lock()
	out := pus.ScheduleStates{States: slices.Clone(p.Groups)}
	p.mu.Unlock()
	return p.s.answer(p.service, 27, out)
}
