package services

import (
	"errors"
	"fmt"
	"slices"

	"github.com/perilune/perilune/ccsds/pus"
)

// handler carries out a telecommand whose body has been decoded.
type handler func(body any) error

// standard are the telecommands of pus.Kinds that this craft carries out. All others of the
// standard it refuses with TM[1,2] and FailureIllegalType.
func (s *Services) standard() map[pus.Kind]handler {
	all := map[pus.Kind]handler{
		kind(17, 3): s.testProcess,
	}
	for _, service := range []map[pus.Kind]handler{
		s.structureHandlers(), s.eventHandlers(), s.plan.handlers(), s.positionHandlers(), s.monitoringHandlers(),
		s.storageHandlers(), s.actionHandlers(), s.parameterHandlers(), s.fileHandlers(),
		s.forwardingHandlers(), s.statisticsHandlers(), s.sequenceHandlers(), s.largeHandlers(), s.memoryHandlers(),
	} {
		for k, h := range service {
			all[k] = h
		}
	}
	return all
}

// why says why the craft does not offer a telecommand of the standard, where more can be said.
func why(k pus.Kind) string {
	switch k.Service {
	case pus.ServiceMemory:
		return ": it has no memory at addresses, only objects"
	case pus.ServicePosition:
		return ": it keeps no orbit"
	}
	return ""
}

func kind(service, subtype uint8) pus.Kind { return pus.Kind{Service: service, Subtype: subtype} }

// message carries out one of the standard telecommands.
func (s *Services) message(tc *pus.Telecommand) error {
	k := kind(tc.Service, tc.Subtype)
	body, err := s.cfg.Database.Form.Decode(k, tc.Payload)
	if err != nil {
		return err
	}
	return s.handlers[k](body)
}

// answer sends a report.
func (s *Services) answer(service, subtype uint8, body any) error {
	data, err := s.cfg.Database.Form.Encode(pus.Kind{TM: true, Service: service, Subtype: subtype}, body)
	if err == nil && len(data) > maxReport {
		err = refusal(pus.FailureFull, "the report has %d octets, at most %d: ask for less", len(data), maxReport)
	}
	if err != nil {
		return err
	}
	return s.cfg.Send(service, subtype, data)
}

// maxReport is the longest report in octets. One that is longer than a frame goes in parts.
const maxReport = 60000

func refusal(code pus.Failure, form string, args ...any) error {
	return &pus.Refusal{Code: code, Text: fmt.Sprintf(form, args...)}
}

// testProcess is TC[17,3]: flight answers for itself and for its tenants.
func (s *Services) testProcess(body any) error {
	apid := body.(pus.TestProcess).APID
	if apid != uint16(apidFlight) {
		if _, ok := s.cfg.Tenant(apidOf(apid)); !ok {
			return refusal(pus.FailureIllegalAPID, "nobody has APID %d", apid)
		}
	}
	return s.answer(pus.ServiceTest, 4, pus.TestProcess{APID: apid})
}

// eventHandlers are those of service 5: which events are reported.
func (s *Services) eventHandlers() map[pus.Kind]handler {
	return map[pus.Kind]handler{
		kind(5, 5): func(body any) error { return s.silence(body.(pus.IDs).IDs, false) },
		kind(5, 6): func(body any) error { return s.silence(body.(pus.IDs).IDs, true) },
		kind(5, 7): func(any) error { return s.answer(pus.ServiceEvent, 8, pus.IDs{IDs: s.silent.get()}) },
	}
}

var errNoNumbers = errors.New("no numbers")

// silence switches reports of events off or on, all of them or none.
func (s *Services) silence(events []uint16, off bool) error {
	for _, e := range events {
		if !s.known(e) {
			return refusal(pus.FailureUnknownName, "no event %d", e)
		}
	}
	if len(events) == 0 {
		return refusal(pus.FailureBadData, "%v", errNoNumbers)
	}
	return s.silent.change(func(silent *[]uint16) error {
		*silent = slices.DeleteFunc(*silent, func(e uint16) bool { return slices.Contains(events, e) })
		if off {
			*silent = append(*silent, events...)
			slices.Sort(*silent)
			*silent = slices.Compact(*silent)
		}
		return nil
	})
}
