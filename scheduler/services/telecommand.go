package services

import (
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/ids"
)

// Telecommand takes a packet for the craft or for a tenant.
func (s *Services) Telecommand(packet []byte) {
	tc, err := s.parse(packet)
	again := false
	if err == nil {
		again, err = s.repeated(&tc)
	}
	if err != nil {
		s.refuse(err)
		return
	}
	if again {
		return
	}
	s.verify(&tc, pus.AcceptanceSuccess)
	s.execute(tc)
}

// Refuse reports a packet that is for nobody.
func (s *Services) Refuse(packet []byte, reason string) {
	r := &pus.Refusal{Code: pus.FailureIllegalAPID, Text: reason}
	r.Request, r.Known = pus.RequestIDOf(packet)
	s.refuse(r)
}

// parse takes a telecommand apart that can be carried out: all that execute gets comes by here.
// The result refers to packet.
func (s *Services) parse(packet []byte) (pus.Telecommand, error) {
	tc, err := pus.ParseTC(packet)
	if err == nil {
		err = s.admit(&tc)
	}
	return tc, err
}

// admit says why a telecommand is not accepted, or nil.
func (s *Services) admit(tc *pus.Telecommand) error {
	if err := tc.Check(s.cfg.Database.Form); err != nil {
		return err
	}
	if forTenant := tc.Service == pus.ServiceTenant; forTenant != (tc.APID != apidFlight) {
		return tc.Refuse(pus.FailureIllegalType, "TC[%d,%d] to APID %d", tc.Service, tc.Subtype, tc.APID)
	}
	if k := kind(tc.Service, tc.Subtype); pus.BodyType(k) != nil && s.handlers[k] == nil {
		return tc.Refuse(pus.FailureIllegalType, "%s is of the standard, this craft does not offer it%s", k, why(k))
	}
	return nil
}

// repeated answers a telecommand that was taken before, with what was said then.
func (s *Services) repeated(tc *pus.Telecommand) (bool, error) {
	if !acts(tc) {
		return false, nil
	}
	before, live, known, err := s.recent.seen(tc, s.cfg.Clock.Now())
	switch {
	case err != nil:
		return false, tc.Refuse(pus.FailureInternal, "%v", err)
	case !known:
		return false, nil
	case before.Last.Subtype == 0 && !live:
		return true, tc.Refuse(pus.FailureRefused, "it was taken before, and what became of it is not known")
	}
	s.verify(tc, pus.AcceptanceSuccess)
	if before.Last.Subtype != 0 {
		s.report(before.Last)
	}
	return true, nil
}

// execute carries out what was accepted.
func (s *Services) execute(tc pus.Telecommand) {
	var run func() error
	if k := kind(tc.Service, tc.Subtype); s.handlers[k] != nil {
		do := func() { s.perform(&tc, func() error { return s.message(&tc) }) }
		if long[k] {
			go do()
			return
		}
		do()
		return
	}
	switch tc.Service {
	case pus.ServiceTest:
		run = func() error { return s.cfg.Send(pus.ServiceTest, pus.IAmAlive, nil) }
	case pus.ServiceTime:
		run = func() error { return s.setTime(tc.Payload) }
	case pus.ServiceSchedule:
		run = func() error { return s.schedule(&tc) }
	case pus.ServiceSecurity:
		run = func() error { return s.security(tc.Payload) }
	case pus.ServiceTenant:
		run = func() error { return s.toTenant(&tc) }
	case pus.ServiceFunction:
		select {
		case s.functions <- tc:
		default:
			s.fail(&tc, pus.StartFailure, &pus.Refusal{Code: pus.FailureFull, Text: "too many functions wait"})
		}
		return
	}
	s.perform(&tc, run)
}

// perform runs a telecommand between its reports of start and completion.
func (s *Services) perform(tc *pus.Telecommand, run func() error) {
	s.verify(tc, pus.StartSuccess)
	if err := run(); err != nil {
		s.fail(tc, pus.CompletionFailure, err)
		return
	}
	s.remember(tc, pus.Verification{Subtype: pus.CompletionSuccess, Request: tc.Request})
	s.verify(tc, pus.CompletionSuccess)
}

// remember keeps the last report of a telecommand, for when it is sent again.
func (s *Services) remember(tc *pus.Telecommand, v pus.Verification) {
	if err := s.recent.over(tc, v); err != nil {
		s.cfg.Log.Error("recent telecommands", "err", err)
	}
}

func (s *Services) toTenant(tc *pus.Telecommand) error {
	d, err := pus.DecodeTenantData(tc.Payload)
	if err != nil {
		return err
	}
	tenant, ok := s.cfg.Tenant(tc.APID)
	if !ok {
		return tc.Refuse(pus.FailureIllegalAPID, "no tenant has APID %d", tc.APID)
	}
	return s.cfg.Guests.Command(ids.Guest{Tenant: tenant, Mission: d.Mission}, d.Data)
}
