package services

import (
	"fmt"

	"github.com/perilune/perilune/ccsds/pus"
)

// setTime is TC[9,128].
func (s *Services) setTime(data []byte) error {
	t, err := pus.DecodeTimeSetting(data)
	if err != nil {
		return err
	}
	if !t.Quality.Valid() {
		return &pus.Refusal{Code: pus.FailureBadData, Text: fmt.Sprintf("time of quality %v cannot be set", t.Quality)}
	}
	if err := s.cfg.Time.Set(t.Time, t.Quality); err != nil {
		return err
	}
	s.Event(pus.EventInfo, pus.EventTimeSet, fmt.Sprintf("%v, %v", t.Time, t.Quality))
	s.reportTime()
	return nil
}

// reportTime sends TM[9,2].
func (s *Services) reportTime() {
	at, quality := s.cfg.Time.Now()
	data, err := pus.TimeSetting{Time: at, Quality: quality}.Encode()
	if err == nil {
		err = s.cfg.Send(pus.ServiceTime, pus.TimeReport, data)
	}
	if err != nil {
		s.cfg.Log.Error("time report", "err", err)
	}
}
