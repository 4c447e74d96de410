package services

import (
	"reflect"
	"slices"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/missions/database"
)

// Bounds of structures. Those below firstMade are of the mission database: their periods
// can change, not what is in them.
const (
	firstMade     = 16
	maxStructures = 32
	maxParameters = 64
	minPeriodMS   = 500
)

// structureState is a structure and whether it is sent by itself.
type structureState struct {
	Enabled    bool
	Definition pus.StructureDefinition
}

// firstStructures are those of the mission database.
func firstStructures(d *database.Database) (all []structureState) {
	for _, st := range d.Structures {
		def := pus.StructureDefinition{SID: st.SID, Period: st.PeriodMS}
		for _, name := range st.Parameters {
			def.Parameters = append(def.Parameters, d.Parameter(name).ID)
		}
		all = append(all, structureState{Enabled: st.PeriodMS > 0, Definition: def})
	}
	return all
}

// structureHandlers are those of service 3.
func (s *Services) structureHandlers() map[pus.Kind]handler {
	return map[pus.Kind]handler{
		kind(3, 1): s.createStructure,
		kind(3, 3): s.deleteStructures,
		kind(3, 5): func(body any) error {
			return s.eachStructure(body, func(st *structureState) { st.Enabled = true })
		},
		kind(3, 6): func(body any) error {
			return s.eachStructure(body, func(st *structureState) { st.Enabled = false })
		},
		kind(3, 9):  s.reportStructures,
		kind(3, 27): s.reportNow,
		kind(3, 29): s.appendStructure,
		kind(3, 31): s.setPeriods,
		kind(3, 33): s.reportPeriods,
	}
}

func find(all []structureState, sid uint16) (int, error) {
	i := slices.IndexFunc(all, func(st structureState) bool { return st.Definition.SID == sid })
	if i < 0 {
		return 0, refusal(pus.FailureUnknownName, "no structure %d", sid)
	}
	return i, nil
}

func (s *Services) checkParameters(list []uint16) error {
	if len(list) == 0 || len(list) > maxParameters {
		return refusal(pus.FailureBadData, "%d parameters, want 1 to %d", len(list), maxParameters)
	}
	for _, id := range list {
		if s.parameter(id) == nil {
			return refusal(pus.FailureUnknownName, "no parameter %d", id)
		}
	}
	return nil
}

func checkPeriod(ms uint32) error {
	if ms != 0 && ms < minPeriodMS {
		return refusal(pus.FailureBadData, "period of %d ms, want 0 or at least %d", ms, minPeriodMS)
	}
	return nil
}

// createStructure is TC[3,1]. A new structure is not sent by itself until it is enabled.
func (s *Services) createStructure(body any) error {
	d := body.(pus.StructureDefinition)
	if d.SID < firstMade {
		return refusal(pus.FailureNotPermitted, "structures below %d are the mission database's", firstMade)
	}
	if err := s.checkParameters(d.Parameters); err != nil {
		return err
	}
	if err := checkPeriod(d.Period); err != nil {
		return err
	}
	if err := s.checkArrays(&d); err != nil {
		return err
	}
	return s.structures.change(func(all *[]structureState) error {
		if i, err := find(*all, d.SID); err == nil {
			if have := (*all)[i].Definition; reflect.DeepEqual(have, d) {
				return nil // sent twice
			}
			return refusal(pus.FailureRefused, "structure %d is there already", d.SID)
		}
		if len(*all) >= maxStructures {
			return refusal(pus.FailureFull, "%d structures, at most %d", len(*all), maxStructures)
		}
		*all = append(*all, structureState{Definition: d})
		return nil
	})
}

// deleteStructures is TC[3,3].
func (s *Services) deleteStructures(body any) error {
	return s.structures.change(func(all *[]structureState) error {
		for _, sid := range body.(pus.IDs).IDs {
			i, err := find(*all, sid)
			switch {
			case err != nil:
				return err
			case sid < firstMade:
				return refusal(pus.FailureNotPermitted, "structure %d is the mission database's", sid)
			case (*all)[i].Enabled:
				return refusal(pus.FailureRefused, "structure %d is enabled: disable it first", sid)
			}
			*all = slices.Delete(*all, i, i+1)
		}
		return nil
	})
}

// eachStructure changes structures by number, all or none.
func (s *Services) eachStructure(body any, fn func(*structureState)) error {
	return s.structures.change(func(all *[]structureState) error {
		for _, sid := range body.(pus.IDs).IDs {
			i, err := find(*all, sid)
			if err != nil {
				return err
			}
			fn(&(*all)[i])
		}
		return nil
	})
}

// appendStructure is TC[3,29].
func (s *Services) appendStructure(body any) error {
	a := body.(pus.StructureAppend)
	return s.structures.change(func(all *[]structureState) error {
		i, err := find(*all, a.SID)
		switch {
		case err != nil:
			return err
		case a.SID < firstMade || (*all)[i].Enabled:
			return refusal(pus.FailureNotPermitted, "structure %d is enabled, or the mission database's", a.SID)
		}
		d := &(*all)[i].Definition
		d.Parameters, d.Arrays = append(d.Parameters, a.Parameters...), append(d.Arrays, a.Arrays...)
		if err := s.checkArrays(d); err != nil {
			return err
		}
		return s.checkParameters(d.Parameters)
	})
}

// setPeriods is TC[3,31].
func (s *Services) setPeriods(body any) error {
	return s.structures.change(func(all *[]structureState) error {
		for _, p := range body.(pus.StructurePeriods).Structures {
			i, err := find(*all, p.SID)
			if err != nil {
				return err
			}
			if err := checkPeriod(p.Period); err != nil {
				return err
			}
			d := &(*all)[i].Definition
			if d.Period = p.Period; s.checkArrays(d) != nil {
				return s.checkArrays(d)
			}
		}
		return nil
	})
}

// chosen are structures by number, or without numbers all.
func (s *Services) chosen(body any) ([]structureState, error) {
	all, sids := s.structures.get(), body.(pus.IDs).IDs
	if len(sids) == 0 {
		return all, nil
	}
	var out []structureState
	for _, sid := range sids {
		i, err := find(all, sid)
		if err != nil {
			return nil, err
		}
		out = append(out, all[i])
	}
	return out, nil
}

// reportStructures is TC[3,9]: a report of each.
func (s *Services) reportStructures(body any) error {
	list, err := s.chosen(body)
	if err != nil {
		return err
	}
	for _, st := range list {
		d := st.Definition
		err := s.answer(pus.ServiceHousekeeping, 10, pus.StructureReport{
			SID: d.SID, Enabled: st.Enabled, Period: d.Period, Parameters: d.Parameters, Arrays: d.Arrays,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reportPeriods is TC[3,33].
func (s *Services) reportPeriods(body any) error {
	list, err := s.chosen(body)
	if err != nil {
		return err
	}
	var out pus.StructurePeriodStates
	for _, st := range list {
		out.Structures = append(out.Structures, pus.StructurePeriodState{SID: st.Definition.SID, Enabled: st.Enabled, Period: st.Definition.Period})
	}
	return s.answer(pus.ServiceHousekeeping, 35, out)
}

// reportNow is TC[3,27].
func (s *Services) reportNow(body any) error {
	list, err := s.chosen(body)
	for i := 0; err == nil && i < len(list); i++ {
		err = s.reportStructure(list[i].Definition)
	}
	return err
}

// reportStructure sends TM[3,25].
func (s *Services) reportStructure(d pus.StructureDefinition) error {
	if d.SID == pus.SIDGuests {
		return s.reportGuests()
	}
	for _, id := range d.Parameters {
		if s.parameter(id) == nil {
			return refusal(pus.FailureUnknownName, "structure %d: no parameter %d in this image", d.SID, id)
		}
	}
	data := s.appendSamples(s.sample(d.Parameters), &d)
	return s.cfg.Send(pus.ServiceHousekeeping, pus.HousekeepingReport, pus.EncodeReport(d.SID, data))
}
