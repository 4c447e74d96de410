package services

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds/pus"
)

// Event sends an event report of service 5 and puts it on the bus. Values are those of the
// event's fields in the mission database, or none.
func (s *Services) Event(severity uint8, id pus.EventID, text string, values ...any) {
	e := pus.Event{Severity: severity, ID: id, Text: clip(text)}
	if of := s.cfg.Database.EventByID(uint16(id)); of != nil && len(values) > 0 {
		var err error
		if e.Data, err = of.Encode(values...); err != nil {
			s.cfg.Log.Error("event", "id", id, "err", err)
		}
	}
	s.cfg.Log.Info("event", "id", id, "severity", severity, "text", text)
	data, err := e.Encode()
	if err == nil && !slices.Contains(s.silent.get(), uint16(id)) {
		err = s.cfg.Send(pus.ServiceEvent, severity, data)
	}
	if err != nil {
		s.cfg.Log.Error("event report", "id", id, "err", err)
	}
	s.happened(id)
	s.cfg.Publish(bus.Report{ID: uint16(id), Severity: severity, Text: e.Text, Time: s.cfg.Clock.Now()})
}

// GuestsChanged asks for a report of the guest table.
func (s *Services) GuestsChanged() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// periodic is a structure that is sent by itself, each period.
type periodic struct {
	sid    uint16
	period uint32
}

// runReports sends what is due now and then.
func (s *Services) runReports(ctx context.Context) {
	due := map[periodic]time.Time{}
	for {
		now := s.cfg.Clock.Now()
		wait := s.structuresDue(due, now)
		wait = min(wait, s.timeDue(due, now))
		s.reportNoise(now)
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
			if err := s.reportGuests(); err != nil {
				s.cfg.Log.Error("guest table", "err", err)
			}
		case <-s.structures.wake:
		case <-s.settings.wake:
		case <-s.cfg.Clock.After(wait):
		}
	}
}

// structuresDue sends the structures that are due and says how long it is until the next.
// A structure that begins, or has another period, is due at once.
func (s *Services) structuresDue(due map[periodic]time.Time, now time.Time) time.Duration {
	wait := noisePeriod
	wanted, sampled := map[periodic]bool{}, map[uint16]bool{}
	for _, st := range s.structures.get() {
		if !st.Enabled || st.Definition.Period == 0 {
			continue
		}
		sampled[st.Definition.SID] = true
		wait = min(wait, s.sampleDue(&st.Definition, now))
		p := periodic{st.Definition.SID, st.Definition.Period}
		wanted[p] = true
		if !now.Before(due[p]) {
			if err := s.reportStructure(st.Definition); err != nil {
				s.cfg.Log.Error("housekeeping", "sid", p.sid, "err", err)
			}
			due[p] = now.Add(time.Duration(p.period) * time.Millisecond)
		}
		wait = min(wait, due[p].Sub(now))
	}
	for p := range due {
		if p.sid != 0 && !wanted[p] {
			delete(due, p)
		}
	}
	s.forgetSamples(sampled)
	return wait
}

// timeDue sends the time report when it is due; its place among the structures is 0.
func (s *Services) timeDue(due map[periodic]time.Time, now time.Time) time.Duration {
	const place = 0
	period := timePeriod
	if ms, ok := s.settings.get()["time_period"]; ok {
		period = time.Duration(ms) * time.Millisecond
	}
	p := periodic{place, uint32(period.Milliseconds())}
	if !now.Before(due[p]) {
		s.reportTime()
		clear0(due)
		due[p] = now.Add(period)
	}
	return due[p].Sub(now)
}

func clear0(due map[periodic]time.Time) {
	for p := range due {
		if p.sid == 0 {
			delete(due, p)
		}
	}
}

// reportNoise tells what was refused since the last time.
func (s *Services) reportNoise(now time.Time) {
	if again := s.noise.due(now); len(again) > 0 {
		s.Event(pus.EventLow, pus.EventLinkRefused, "again "+strings.Join(again, "; "))
	}
	if again := s.refused.due(now); len(again) > 0 {
		s.Event(pus.EventLow, pus.EventPacketRefused, "again "+strings.Join(again, "; "))
	}
}

// maxTable is how many octets of guest table one report holds.
const maxTable = 900

// reportGuests sends the guest table, in several reports if it is long.
func (s *Services) reportGuests() error {
	all := s.cfg.Guests.Table()
	for first := true; first || len(all) > 0; first = false {
		n, size := 0, 0
		for n < len(all) && n < 255 && size < maxTable {
			size += 15 + len(all[n].Tenant) + len(all[n].Mission)
			n++
		}
		data, err := pus.EncodeGuests(all[:n])
		if err != nil {
			return err
		}
		if err := s.cfg.Send(pus.ServiceHousekeeping, pus.HousekeepingReport, pus.EncodeReport(pus.SIDGuests, data)); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// atOnce is what noise cannot do to a frame or a command: its checksum holds, and it is
// still not for us.
var atOnce = map[string]bool{
	"tc: other spacecraft": true, "tc: unknown virtual channel": true,
	"uslp: other spacecraft": true, "uslp: unknown virtual channel": true,
	"farm: invalid control command": true, "farm: sequence-controlled frame on a recovery channel": true,
}

// LinkRefused notes that the link refused n things; housekeeping counts them all. What
// noise leaves of frames is an event seldom. Where FARM-1 passes over frames that come
// twice, nothing is worth one. All else is an event the first time at once, and then
// gathered.
func (s *Services) LinkRefused(layer, reason string, n int) {
	what, now := layer+": "+reason, s.cfg.Clock.Now()
	switch {
	case atOnce[what]:
	case layer == "farm":
		return
	case layer == "tc" || layer == "uslp":
		s.noise.gather(what, n, now)
		return
	}
	if s.noise.first(what, n, noisePeriod, now) {
		s.Event(pus.EventLow, pus.EventLinkRefused, what)
	}
}

// noise gathers what happens too often to report each time.
type noise struct {
	mu sync.Mutex
	m  map[string]*heard
}

type heard struct {
	n      int
	sent   time.Time
	period time.Duration // between reports
}

// maxNoise bounds the kinds of things that are gathered; the rest is "other".
const maxNoise = 32

// first says whether what happened n times may be reported now, and else keeps it.
func (q *noise) first(what string, n int, period time.Duration, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.find(what, noisePeriod)
	if !h.sent.IsZero() && now.Sub(h.sent) < period {
		h.n += n
		return false
	}
	h.sent = now
	return true
}

// gather keeps what happened n times for a report in quietPeriod.
func (q *noise) gather(what string, n int, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.find(what, quietPeriod)
	if h.n += n; h.sent.IsZero() {
		h.sent = now
	}
}

// find is where what is kept; the caller holds the lock.
func (q *noise) find(what string, period time.Duration) *heard {
	if q.m[what] == nil && len(q.m) >= maxNoise {
		what = "other"
	}
	h := q.m[what]
	if h == nil {
		h = &heard{period: period}
		q.m[what] = h
	}
	return h
}

// due takes what was gathered and has waited long enough.
func (q *noise) due(now time.Time) (texts []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for what, h := range q.m {
		if h.n == 0 || now.Sub(h.sent) < h.period {
			continue
		}
		texts = append(texts, fmt.Sprintf("%s (%d times)", what, h.n))
		h.n, h.sent = 0, now
	}
	slices.Sort(texts)
	return texts
}
