package services

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/ids"
)

// function is what TC[8,1] can ask for: how many arguments it wants, and what it does.
type function struct {
	arguments int
	run       func(*Services, context.Context, []string) error
	turn      turn
}

var functions = map[string]function{
	pus.FunctionBundleActivate: {2, (*Services).activate, inTurn},
	pus.FunctionMissionStart:   ofGuest(Guests.Start, inLane),
	pus.FunctionMissionStop:    ofGuest(Guests.Stop, beside),
	pus.FunctionMissionSuspend: ofGuest(Guests.Suspend, beside),
	pus.FunctionMissionResume:  ofGuest(Guests.Resume, inLane),
	pus.FunctionMissionList:    {0, func(s *Services, _ context.Context, _ []string) error { return s.reportGuests() }, inTurn},
	pus.FunctionConsoleRead: {3, func(s *Services, ctx context.Context, a []string) error {
		g, err := guest(a)
		if err != nil {
			return err
		}
		offset, err := strconv.ParseUint(a[2], 10, 64)
		if err != nil {
			return &pus.Refusal{Code: pus.FailureBadData, Text: fmt.Sprintf("offset %q is no number", a[2])}
		}
		return s.cfg.Guests.Console(ctx, g, offset)
	}, inTurn},
	pus.FunctionOrbitSet: {2, func(s *Services, _ context.Context, a []string) error { return s.setOrbit([2]string{a[0], a[1]}) }, inTurn},
	pus.FunctionStreamStart: {2, func(s *Services, _ context.Context, a []string) error {
		vc, err := s.streamChannel(a[0])
		if err != nil {
			return err
		}
		dir, name := path.Split(a[1])
		return s.cfg.Streams.Start(vc, pus.FileName{Repository: strings.TrimSuffix(dir, "/"), Name: name})
	}, inTurn},
	pus.FunctionStreamStop: {1, func(s *Services, _ context.Context, a []string) error {
		vc, err := s.streamChannel(a[0])
		if err != nil {
			return err
		}
		return s.cfg.Streams.Stop(vc)
	}, inTurn},
	pus.FunctionSafeEnter: {0, func(s *Services, ctx context.Context, _ []string) error {
		return s.cfg.Mode.Enter(ctx, "telecommand")
	}, inTurn},
	pus.FunctionCraftRestart: {1, (*Services).restart, afterAll},
	pus.FunctionSafeLeave:    {0, func(s *Services, ctx context.Context, _ []string) error { return s.cfg.Mode.Leave(ctx) }, inTurn},
}

// streamChannel reads the number of a downlink channel, if files can be streamed at all.
func (s *Services) streamChannel(text string) (ccsds.VCID, error) {
	if s.cfg.Streams == nil {
		return 0, &pus.Refusal{Code: pus.FailureNotNow, Text: "there is no file store, or no channel that carries anything but packets"}
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil || !ccsds.VCID(n).Valid() {
		return 0, &pus.Refusal{Code: pus.FailureBadData, Text: fmt.Sprintf("%q is no virtual channel", text)}
	}
	return ccsds.VCID(n), nil
}

// ofGuest is a function whose arguments name a guest.
func ofGuest(do func(Guests, context.Context, ids.Guest) error, when turn) function {
	return function{2, func(s *Services, ctx context.Context, a []string) error {
		g, err := guest(a)
		if err != nil {
			return err
		}
		return do(s.cfg.Guests, ctx, g)
	}, when}
}

// function finds what a telecommand asks for and has it run when its turn comes.
func (s *Services) function(ctx context.Context, lanes *lanes, tc pus.Telecommand) {
	f, err := pus.DecodeFunction(tc.Payload)
	if err != nil {
		s.fail(&tc, pus.StartFailure, err)
		return
	}
	do, ok := functions[f.Name]
	switch {
	case !ok:
		err = tc.Refuse(pus.FailureUnknownName, "no function %q", f.Name)
	case len(f.Arguments) != do.arguments:
		err = tc.Refuse(pus.FailureBadData, "%s wants %d arguments, got %d", f.Name, do.arguments, len(f.Arguments))
	default:
		tenant := ""
		if len(f.Arguments) > 0 {
			tenant = f.Arguments[0]
		}
		err = lanes.take(ctx, do.turn, tenant, func() {
			s.perform(&tc, func() error { return do.run(s, ctx, f.Arguments) })
		})
	}
	if err != nil {
		s.fail(&tc, pus.StartFailure, err)
	}
}

// restart restarts the craft; its argument says what becomes of the guests that run.
func (s *Services) restart(ctx context.Context, a []string) error {
	if a[0] != pus.RestartResume && a[0] != pus.RestartAnew {
		return &pus.Refusal{Code: pus.FailureBadData, Text: fmt.Sprintf("%s %q: want %s or %s", pus.FunctionCraftRestart, a[0], pus.RestartResume, pus.RestartAnew)}
	}
	return s.cfg.Restart(ctx, a[0] == pus.RestartResume)
}

// activate verifies a bundle and makes it active. What came of it is an event as well:
// who waits for the bundle need not be who sent the telecommand.
func (s *Services) activate(ctx context.Context, a []string) error {
	what, err := s.cfg.Missions.Activate(ctx, a[0], a[1])
	if err != nil {
		_, text := explain(err)
		s.Event(pus.EventMedium, pus.EventBundleRefused, fmt.Sprintf("%s [%s]", text, a[0]))
		return err
	}
	s.Event(pus.EventInfo, pus.EventBundleActivated, what)
	s.GuestsChanged()
	return nil
}

func guest(a []string) (ids.Guest, error) {
	g, err := ids.ParseGuest(a[0] + "/" + a[1])
	if err != nil {
		return g, &pus.Refusal{Code: pus.FailureUnknownName, Text: err.Error(), Err: err}
	}
	return g, nil
}
