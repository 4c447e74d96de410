package services

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/missions/database"
)

func apidOf(n uint16) ccsds.APID { return ccsds.APID(n) }

// parameter finds one of flight's own: what missions measure flight does not know.
func (s *Services) parameter(id uint16) *database.Parameter {
	if id >= database.FirstAdded {
		return nil
	}
	return s.cfg.Database.ParameterByID(id)
}

// known says whether the mission database has an event.
func (s *Services) known(event uint16) bool {
	return slices.ContainsFunc(s.cfg.Database.Events, func(e database.Event) bool { return e.ID == event })
}

// state is housekeeping with what Services knows itself.
func (s *Services) state() pus.Housekeeping {
	h := s.cfg.Status()
	_, quality := s.cfg.Time.Now()
	h.Quality, h.Mode = uint8(quality), s.cfg.Mode.Mode()
	pending, enabled := s.plan.status()
	h.Pending = uint16(min(pending, math.MaxUint16))
	if enabled && quality.Valid() {
		h.ScheduleEnabled = 1
	}
	h.Guests = 0
	for _, g := range s.cfg.Guests.Table() {
		if g.State == pus.GuestRunning && h.Guests < math.MaxUint8 {
			h.Guests++
		}
	}
	return h
}

// values are the parameters of the mission database by name, raw.
func (s *Services) values() map[string]uint64 {
	h := s.state()
	v := map[string]uint64{
		"uptime": uint64(h.UptimeS), "time_quality": uint64(h.Quality), "mode": uint64(h.Mode), "boots": uint64(h.Boots),
		"flight_restarts": uint64(h.FlightRestarts), "frames_up": uint64(h.FramesUp), "refused_up": uint64(h.RefusedUp),
		"sdls_floor": h.SDLSFloor, "schedule_enabled": uint64(h.ScheduleEnabled), "pending": uint64(h.Pending), "guests": uint64(h.Guests),
		"time_period": uint64(timePeriod.Milliseconds()),
	}
	if s.cfg.Store != nil {
		sum := s.cfg.Store.Summary()
		v["stored_packets"], v["stored_octets"] = uint64(sum.Packets), uint64(sum.Octets)
		v["store_filled"] = uint64(1000 * sum.Filled)
	}
	s.orbitValues(v)
	for name, raw := range s.settings.get() {
		v[name] = raw
	}
	return v
}

// States of navigation, as the mission database has them.
const (
	orbitNone = iota
	orbitNoTime
	orbitKnown
	orbitLost
)

// orbitValues adds what is known of the orbit.
func (s *Services) orbitValues(v map[string]uint64) {
	if s.cfg.Orbit == nil {
		return
	}
	pending, enabled := s.positions.status()
	v["positions_pending"] = uint64(min(pending, math.MaxUint16))
	if enabled {
		v["positions_enabled"] = 1
	}
	epoch, ok := s.cfg.Orbit.Epoch()
	if !ok {
		return
	}
	now, at, err := s.where()
	switch {
	case errors.Is(err, errNoTime):
		v["orbit_state"] = orbitNoTime
		return
	case err != nil:
		v["orbit_state"] = orbitLost
	default:
		p := position(release(max(at, 0)))
		v["orbit_state"], v["orbit_number"], v["orbit_angle"] = orbitKnown, uint64(p.Orbit), uint64(p.Angle)
	}
	v["orbit_age"] = uint64(min(max(now.Sub(epoch), 0)/time.Second, math.MaxUint32))
}

// parameterHandlers are those of service 20.
func (s *Services) parameterHandlers() map[pus.Kind]handler {
	return map[pus.Kind]handler{
		kind(20, 1): s.reportParameters,
		kind(20, 3): s.setParameters,
	}
}

func (s *Services) reportParameters(body any) error {
	var out pus.ParameterValues
	values := s.values()
	for _, id := range body.(pus.IDs).IDs {
		p := s.parameter(id)
		if p == nil {
			return refusal(pus.FailureUnknownName, "no parameter %d", id)
		}
		out.Values = append(out.Values, pus.ParameterValue{Parameter: id, Value: p.Append(nil, values[p.Name])})
	}
	return s.answer(pus.ServiceParameter, 2, out)
}

// setParameters sets all or none.
func (s *Services) setParameters(body any) error {
	return s.settings.change(func(settings *map[string]uint64) error {
		if *settings == nil {
			*settings = map[string]uint64{}
		}
		for _, v := range body.(pus.ParameterValues).Values {
			p := s.parameter(v.Parameter)
			switch {
			case p == nil:
				return refusal(pus.FailureUnknownName, "no parameter %d", v.Parameter)
			case !p.Settable:
				return refusal(pus.FailureNotPermitted, "%s is not to be set", p.Name)
			}
			raw, ok := number(p, v.Value)
			if !ok {
				return refusal(pus.FailureBadData, "%s: %d octets, not a %s", p.Name, len(v.Value), p.Type)
			}
			if len(p.Range) == 2 && (float64(raw) < p.Range[0] || float64(raw) > p.Range[1]) {
				return refusal(pus.FailureBadData, "%s: %d, want %v to %v", p.Name, raw, p.Range[0], p.Range[1])
			}
			(*settings)[p.Name] = raw
		}
		return nil
	})
}

// number reads a parameter's raw value; all of flight are unsigned.
func number(p *database.Parameter, octets []byte) (n uint64, ok bool) {
	if len(octets) != len(p.Append(nil, 0)) {
		return 0, false
	}
	for _, b := range octets {
		n = n<<8 | uint64(b)
	}
	return n, true
}
