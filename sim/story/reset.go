package story

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
)

// later is when the activity is due that must survive the reset.
const later = time.Hour

// health waits for a housekeeping report that came after since.
func (s *story) health(ctx context.Context, since uint64) (client.Housekeeping, client.Event, error) {
	e, err := s.first(ctx, since, func(e client.Event) bool {
		return e.Kind == client.KindTM && e.Service == 3 && e.Subtype == 25 && uint16(e.Number("sid")) == pus.SIDFlight
	}, nil)
	if err != nil {
		return client.Housekeeping{}, e, err
	}
	st, err := s.api.Status(ctx)
	if err == nil && st.Health == nil {
		err = errors.New("the station has no housekeeping report")
	}
	if err != nil {
		return client.Housekeeping{}, e, err
	}
	return *st.Health, e, nil
}

// reset leaves an activity in the schedule, notes the counters and pushes the button.
func reset(ctx context.Context, s *story) (Seen, error) {
	id, err := s.api.Schedule(ctx, time.Now().Add(later), client.Request{Service: 17, Subtype: 1})
	if err != nil {
		return Seen{}, err
	}
	if _, err := s.api.WaitCommand(ctx, id, client.StageCompleted); err != nil {
		return Seen{}, err
	}
	since, err := s.now(ctx)
	if err != nil {
		return Seen{}, err
	}
	before, _, err := s.health(ctx, since)
	if err != nil {
		return Seen{}, err
	}
	s.notes.floor = before.SDLSFloor
	if s.notes.reset, err = s.now(ctx); err != nil {
		return Seen{}, err
	}
	if err := s.Reset(ctx); err != nil {
		return Seen{}, err
	}
	e, err := s.first(ctx, s.notes.reset, func(e client.Event) bool {
		return e.Kind == client.KindEvent && e.Field("name") == "boot"
	}, nil)
	if err != nil {
		return Seen{}, err
	}
	s.notes.reset = e.Seq
	after, _, err := s.health(ctx, e.Seq)
	switch {
	case err != nil:
		return Seen{}, err
	case after.Boots != before.Boots+1:
		return Seen{}, fmt.Errorf("boot counter %d, it was %d", after.Boots, before.Boots)
	case after.TimeQuality != "free":
		return Seen{}, fmt.Errorf("time quality %q after the reset, want free", after.TimeQuality)
	}
	return seenAt(e, "boot %d, time quality %s", after.Boots, after.TimeQuality), nil
}

func scheduleWaits(ctx context.Context, s *story) (Seen, error) {
	h, e, err := s.health(ctx, s.notes.reset)
	switch {
	case err != nil:
		return Seen{}, err
	case h.Pending < 1:
		return Seen{}, errors.New("the schedule is empty after the reset")
	case h.ScheduleEnabled:
		return Seen{}, errors.New("the schedule runs though the time is not set")
	}
	return seenAt(e, "%d activities pending, schedule disabled until time is set", h.Pending), nil
}

func beaconAgain(ctx context.Context, s *story) (Seen, error) {
	t, err := s.nextBeat(ctx, s.notes.reset)
	return seenAt(t.at, "APID %d, counter %d", beaconAPID, t.counter), err
}

// replayFloor compares the counter across the reset and shows that commanding goes on.
func replayFloor(ctx context.Context, s *story) (Seen, error) {
	h, e, err := s.health(ctx, s.notes.reset)
	switch {
	case err != nil:
		return Seen{}, err
	case s.notes.floor == 0:
		return Seen{}, errors.New("the counter was zero before the reset")
	case h.SDLSFloor < s.notes.floor:
		return Seen{}, fmt.Errorf("the counter went back from %d to %d", s.notes.floor, h.SDLSFloor)
	}
	if _, err := s.api.Ping(ctx); err != nil {
		return Seen{}, fmt.Errorf("ping after the reset: %w", err)
	}
	return seenAt(e, "%d before, %d after; a new ping is answered", s.notes.floor, h.SDLSFloor), nil
}
