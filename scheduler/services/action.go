package services

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
)

// Bounds of service 19. An action that causes its own event comes again only after a while.
const (
	maxActions  = 64
	actionQueue = 16
	actionPause = 10 * time.Second
)

// actions are the answers to events (ECSS-E-ST-70-41C §6.19).
type actions struct {
	On   bool // TC[19,8] and TC[19,9]
	List []action
}

type action struct {
	Event   uint16
	Enabled bool
	Request []byte
}

// actionHandlers are those of service 19.
func (s *Services) actionHandlers() map[pus.Kind]handler {
	change := func(fn func(*actions) error) error { return s.actions.change(fn) }
	return map[pus.Kind]handler{
		kind(19, 1):  s.addActions,
		kind(19, 2):  func(body any) error { return s.eachAction(body, nil) },
		kind(19, 3):  func(any) error { return change(func(a *actions) error { a.List = nil; return nil }) },
		kind(19, 4):  func(body any) error { return s.eachAction(body, func(a *action) { a.Enabled = true }) },
		kind(19, 5):  func(body any) error { return s.eachAction(body, func(a *action) { a.Enabled = false }) },
		kind(19, 6):  s.reportActions,
		kind(19, 8):  func(any) error { return change(func(a *actions) error { a.On = true; return nil }) },
		kind(19, 9):  func(any) error { return change(func(a *actions) error { a.On = false; return nil }) },
		kind(19, 10): s.reportActionDetails,
	}
}

// addActions is TC[19,1]: new ones are disabled, as the standard has it; one of the same
// event takes the place of the old.
func (s *Services) addActions(body any) error {
	list := body.(pus.EventActions).Actions
	for _, a := range list {
		tc, err := s.parse(a.Request)
		switch {
		case err != nil:
			_, text := explain(err)
			return refusal(pus.FailureBadData, "request of event %d: %s", a.Event, text)
		case a.APID != uint16(apidFlight) || !s.known(a.Event):
			return refusal(pus.FailureUnknownName, "no event %d of APID %d", a.Event, a.APID)
		case tc.Service == pus.ServiceEventAction:
			return refusal(pus.FailureIllegalType, "an action does not change actions")
		}
	}
	return s.actions.change(func(all *actions) error {
		for _, a := range list {
			i := slices.IndexFunc(all.List, func(b action) bool { return b.Event == a.Event })
			if i >= 0 && all.List[i].Enabled {
				return refusal(pus.FailureRefused, "the action of event %d is enabled: disable it first", a.Event)
			}
			if i >= 0 {
				all.List = slices.Delete(all.List, i, i+1)
			}
			all.List = append(all.List, action{Event: a.Event, Request: a.Request})
		}
		if len(all.List) > maxActions {
			return refusal(pus.FailureFull, "%d actions, at most %d", len(all.List), maxActions)
		}
		return nil
	})
}

// eachAction changes actions by event, or without fn deletes them; all or none.
func (s *Services) eachAction(body any, fn func(*action)) error {
	return s.actions.change(func(all *actions) error {
		for _, e := range body.(pus.EventNames).Events {
			i := slices.IndexFunc(all.List, func(a action) bool { return a.Event == e.Event })
			switch {
			case i < 0 || e.APID != uint16(apidFlight):
				return refusal(pus.FailureUnknownName, "no action for event %d of APID %d", e.Event, e.APID)
			case fn != nil:
				fn(&all.List[i])
			case all.List[i].Enabled:
				return refusal(pus.FailureRefused, "the action of event %d is enabled: disable it first", e.Event)
			default:
				all.List = slices.Delete(all.List, i, i+1)
			}
		}
		return nil
	})
}

func (s *Services) reportActions(any) error {
	var out pus.EventActionStatus
	for _, a := range s.actions.get().List {
		out.Events = append(out.Events, pus.EventActionState{APID: uint16(apidFlight), Event: a.Event, Enabled: a.Enabled})
	}
	return s.answer(pus.ServiceEventAction, 7, out)
}

func (s *Services) reportActionDetails(body any) error {
	var out pus.EventActions
	wanted := body.(pus.EventNames).Events
	for _, a := range s.actions.get().List {
		if len(wanted) == 0 || slices.Contains(wanted, pus.EventName{APID: uint16(apidFlight), Event: a.Event}) {
			out.Actions = append(out.Actions, pus.EventAction{APID: uint16(apidFlight), Event: a.Event, Request: a.Request})
		}
	}
	return s.answer(pus.ServiceEventAction, 11, out)
}

// happened has an event answered, later: who raises it may hold locks.
func (s *Services) happened(id pus.EventID) {
	select {
	case s.raised <- id:
	default: // more than actionQueue at once: the log has the event
	}
}

// runActions answers events.
func (s *Services) runActions(ctx context.Context) {
	last := map[uint16]time.Time{}
	for {
		var id uint16
		select {
		case <-ctx.Done():
			return
		case e := <-s.raised:
			id = uint16(e)
		}
		all := s.actions.get()
		i := slices.IndexFunc(all.List, func(a action) bool { return a.Event == id && a.Enabled })
		now := s.cfg.Clock.Now()
		if at, before := last[id]; !all.On || i < 0 || before && now.Sub(at) < actionPause {
			continue
		}
		last[id] = now
		s.act(all.List[i])
	}
}

func (s *Services) act(a action) {
	tc, err := s.parse(a.Request)
	if err != nil { // it was good when it was added, perhaps by another image
		s.refuse(err)
		return
	}
	if a.Event != uint16(pus.EventActionTaken) {
		s.Event(pus.EventInfo, pus.EventActionTaken, fmt.Sprintf("TC[%d,%d] %v after event %d", tc.Service, tc.Subtype, tc.Request, a.Event), a.Event, tc.Service, tc.Subtype)
	}
	s.verify(&tc, pus.AcceptanceSuccess)
	s.execute(tc)
}
