package services

import (
	"sync"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/scheduler/forward"
)

// maxForwarding bounds the entries of the forwarding control.
const maxForwarding = 1024

// forwarding is what goes to the ground at once (ECSS-E-ST-70-41C §6.14), and how many
// reports of a structure there were since the last that did.
type forwarding struct {
	*kept[forward.Control]

	mu     sync.Mutex
	now    forward.Control
	passed map[[2]uint16]uint16 // by process and structure
}

// Forwards says whether a report goes to the ground at once.
func (s *Services) Forwards(apid ccsds.APID, service, subtype uint8, data []byte) bool {
	f := &s.forwarding
	f.mu.Lock()
	defer f.mu.Unlock()
	ok, rate := f.now.Allows(uint16(apid), service, subtype, data)
	if !ok || rate <= 1 {
		return ok
	}
	key := [2]uint16{uint16(apid), uint16(data[0])<<8 | uint16(data[1])}
	n := f.passed[key]
	f.passed[key] = (n + 1) % rate
	return n == 0
}

// loadForwarding begins with everything going down.
func (s *Services) loadForwarding() (err error) {
	f := &s.forwarding
	f.kept, err = load(s.cfg.Records, "forwarding", forward.Everything(s.cfg.APIDs...))
	f.now, f.passed = f.get(), map[[2]uint16]uint16{}
	return err
}

// alter changes the control, durably, and then what goes down.
func (s *Services) alter(fn func(*forward.Control)) error {
	f := &s.forwarding
	err := f.change(func(c *forward.Control) error {
		if fn(c); c.Places() > maxForwarding {
			return refusal(pus.FailureFull, "%d entries, at most %d", c.Places(), maxForwarding)
		}
		return nil
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.get() // under the lock: of two who change it at a time the later one's stays
	return err
}

// forwardingHandlers are those of service 14. There are no diagnostic reports on board.
func (s *Services) forwardingHandlers() map[pus.Kind]handler {
	structures := func(fn func(*forward.Control, []pus.ProcessStructures)) handler {
		return func(b any) error {
			return s.alter(func(c *forward.Control) { fn(c, b.(pus.Structures).Processes) })
		}
	}
	types := func(fn func(*forward.Control, []pus.ProcessReports)) handler {
		return func(b any) error {
			list := b.(pus.ReportTypes).Processes
			if err := s.checkProcesses(list); err != nil {
				return err
			}
			return s.alter(func(c *forward.Control) { fn(c, list) })
		}
	}
	events := func(fn func(*forward.Control, []pus.ProcessEvents)) handler {
		return func(b any) error {
			return s.alter(func(c *forward.Control) { fn(c, b.(pus.BlockedEvents).Processes) })
		}
	}
	return map[pus.Kind]handler{
		kind(14, 1): types((*forward.Control).Add),
		kind(14, 2): types((*forward.Control).Delete),
		kind(14, 3): func(any) error { return s.answer(14, 4, pus.ReportTypes{Processes: s.forwarding.get().Types}) },
		kind(14, 5): structures((*forward.Control).AddStructures),
		kind(14, 6): structures((*forward.Control).DeleteStructures),
		kind(14, 7): func(any) error {
			return s.answer(14, 8, pus.Structures{Processes: s.forwarding.get().Structures})
		},
		kind(14, 13): events((*forward.Control).Unblock),
		kind(14, 14): events((*forward.Control).Block),
		kind(14, 15): func(any) error {
			return s.answer(14, 16, pus.BlockedEvents{Processes: s.forwarding.get().Blocked})
		},
	}
}

// checkProcesses refuses an APID that nobody has.
func (s *Services) checkProcesses(list []pus.ProcessReports) error {
	for _, p := range list {
		if _, ok := s.cfg.Tenant(apidOf(p.APID)); !ok && p.APID != uint16(apidFlight) {
			return refusal(pus.FailureIllegalAPID, "nobody has APID %d", p.APID)
		}
	}
	return nil
}
