package services

import (
	"errors"
	"fmt"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/missions"
)

// ackOf is the flag by which a telecommand asks for a report of success.
var ackOf = map[uint8]pus.Ack{
	pus.AcceptanceSuccess: pus.AckAcceptance,
	pus.StartSuccess:      pus.AckStart,
	pus.CompletionSuccess: pus.AckCompletion,
}

// verify reports a success, if the telecommand asked for it.
func (s *Services) verify(tc *pus.Telecommand, subtype uint8) {
	if tc.Ack&ackOf[subtype] != 0 {
		s.report(pus.Verification{Subtype: subtype, Request: tc.Request})
	}
}

// fail reports a failure, asked for or not.
func (s *Services) fail(tc *pus.Telecommand, subtype uint8, err error) {
	code, text := explain(err)
	s.cfg.Log.Warn("telecommand failed", "request", tc.Request, "service", tc.Service, "subtype", tc.Subtype, "err", err)
	v := pus.Verification{Subtype: subtype, Request: tc.Request, Code: code, Text: text}
	s.remember(tc, v)
	s.report(v)
}

// refuse reports a packet that was not accepted: to its sender if one can be named,
// and as an event.
func (s *Services) refuse(err error) {
	var r *pus.Refusal
	if !errors.As(err, &r) {
		r = &pus.Refusal{Code: pus.FailureInternal, Text: err.Error()}
	}
	text := r.Error()
	if r.Known {
		s.report(pus.Verification{Subtype: pus.AcceptanceFailure, Request: r.Request, Code: r.Code, Text: clip(r.Text)})
		text = fmt.Sprintf("APID %d, sequence %d: %s", r.Request.APID(), r.Request.Seq(), text)
	}
	s.cfg.Log.Warn("packet refused", "err", err)
	if s.refused.first(r.Code.String(), 1, time.Second, s.cfg.Clock.Now()) {
		s.Event(pus.EventLow, pus.EventPacketRefused, text)
	}
}

func (s *Services) report(v pus.Verification) {
	data, err := v.Encode()
	if err == nil {
		err = s.cfg.Send(pus.ServiceVerification, v.Subtype, data)
	}
	if err != nil {
		s.cfg.Log.Error("verification report", "request", v.Request, "err", err)
	}
}

// explain finds the code and the text of a failure.
func explain(err error) (pus.Failure, string) {
	var (
		refusal *pus.Refusal
		rule    *missions.RuleError
		decode  *ccsds.DecodeError
	)
	switch {
	case errors.As(err, &refusal):
		return refusal.Code, clip(refusal.Text)
	case errors.As(err, &rule):
		return pus.FailureNotPermitted, clip(rule.Error())
	case errors.As(err, &decode):
		return pus.FailureBadData, clip(err.Error())
	}
	return pus.FailureInternal, clip(err.Error())
}

// maxText is the longest text of a report in octets: it fits one packet with room.
const maxText = 400

func clip(s string) string {
	if len(s) > maxText {
		return s[:maxText]
	}
	return s
}
