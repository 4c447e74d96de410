package story

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions"
)

// abortStatus is the exit status of a guest that called solo5_abort.
const abortStatus = 255

// guestEvent takes the event name about a mission.
func guestEvent(name, mission string) func(client.Event) bool {
	return func(e client.Event) bool {
		return e.Kind == client.KindEvent && e.Field("name") == name && e.Field("mission") == mission
	}
}

// guestRefused gives up when the craft says that the guest will not run.
func guestRefused(e client.Event, mission string) error {
	if guestEvent("guest refused", mission)(e) {
		return errors.New(e.Text)
	}
	return nil
}

// tick is one telemetry packet of the beacon.
type tick struct {
	counter uint32 // the guest's own
	seq     uint16 // the packet sequence count that flight gave it
	at      client.Event
}

// beat reads a beacon packet; ok is false for anything else.
func beat(e client.Event) (t tick, ok bool) {
	if e.Kind != client.KindTM || e.APID != beaconAPID || e.Service != 128 || e.Subtype != 1 {
		return tick{}, false
	}
	d, err := pus.DecodeTenantData(e.Data)
	if err != nil || d.Mission != beacon || len(d.Data) < 12 || string(d.Data[12:]) != "beacon" {
		return tick{}, false
	}
	return tick{binary.BigEndian.Uint32(d.Data), uint16(e.Number("seq")), e}, true
}

// nextBeat waits for a beacon packet after since.
func (s *story) nextBeat(ctx context.Context, since uint64) (tick, error) {
	var t tick
	_, err := s.first(ctx, since, func(e client.Event) (ok bool) {
		t, ok = beat(e)
		return ok
	}, func(e client.Event) error { return guestRefused(e, beacon) })
	return t, err
}

func beaconHeard(ctx context.Context, s *story) (Seen, error) {
	t, err := s.nextBeat(ctx, 0)
	return seenAt(t.at, "APID %d, counter %d", beaconAPID, t.counter), err
}

// send brings one bundle on board and has it activated.
func (s *story) send(ctx context.Context, mission string, how Make) (client.Activation, error) {
	path, err := s.Bundle(ctx, mission, how)
	if err != nil {
		return client.Activation{}, err
	}
	return s.api.Activate(ctx, path, nil)
}

func wrongKey(ctx context.Context, s *story) (Seen, error) {
	since, err := s.now(ctx)
	if err != nil {
		return Seen{}, err
	}
	_, err = s.send(ctx, "hello", Stranger)
	var refused *client.RefusedError
	switch {
	case err == nil:
		return Seen{}, errors.New("the craft took a bundle that a stranger signed")
	case !errors.As(err, &refused):
		return Seen{}, err
	case refused.Rule != missions.RuleSignature:
		return Seen{}, fmt.Errorf("refused by rule %q, want %q", refused.Rule, missions.RuleSignature)
	}
	e, err := s.first(ctx, since, func(e client.Event) bool {
		return e.Kind == client.KindEvent && e.Field("name") == "bundle refused"
	}, nil)
	return seenAt(e, "%s", e.Text), err
}

// guestAborts runs a guest that aborts, in a clear channel down: what is missing
// then was not lost on the radio.
func guestAborts(ctx context.Context, s *story) (Seen, error) {
	if _, err := s.send(ctx, aborter, Honest); err != nil {
		return Seen{}, err
	}
	since, err := s.now(ctx)
	if err != nil {
		return Seen{}, err
	}
	s.Space().SetClear("down", true)
	// What was under way when the channel became clear is as noisy as before.
	_, _, noisy, _ := s.Space().Offsets()
	before, err := s.nextBeat(ctx, since)
	for ; err == nil && before.at.Bit/8 < uint64(noisy); before, err = s.nextBeat(ctx, before.at.Seq) {
	}
	if err != nil {
		return Seen{}, err
	}
	s.notes.abort = before.at.Seq
	if _, err := s.api.Function(ctx, pus.FunctionMissionStart, imagerTenant, aborter); err != nil {
		return Seen{}, err
	}
	e, err := s.first(ctx, since, guestEvent("guest exited", aborter), func(e client.Event) error {
		return guestRefused(e, aborter)
	})
	if err != nil {
		return Seen{}, err
	}
	if status := e.Number("status"); status != abortStatus {
		return Seen{}, fmt.Errorf("reported status %v, want %d: %s", status, abortStatus, e.Text)
	}
	return seenAt(e, "%s", e.Text), nil
}

// neighbour holds the beacon's counters from before the abort until two packets after it
// against each other: the guest's own and flight's must both count on by one.
func neighbour(ctx context.Context, s *story) (Seen, error) {
	defer s.Space().SetClear("down", false)
	exited, err := s.first(ctx, s.notes.abort, guestEvent("guest exited", aborter), nil)
	if err != nil {
		return Seen{}, err
	}
	var ticks []tick
	after := 0
	_, err = s.first(ctx, s.notes.abort-1, func(e client.Event) bool {
		if t, ok := beat(e); ok {
			ticks = append(ticks, t)
			if e.Seq > exited.Seq {
				after++
			}
		}
		return after == 2
	}, nil)
	if err != nil {
		return Seen{}, err
	}
	for i, t := range ticks[1:] {
		was := ticks[i]
		if t.counter != was.counter+1 || t.seq != (was.seq+1)%(1<<14) {
			return Seen{}, fmt.Errorf("after counter %d, sequence %d came %d, %d", was.counter, was.seq, t.counter, t.seq)
		}
	}
	first, last := ticks[0], ticks[len(ticks)-1]
	return seenAt(last.at, "counter %d to %d, sequence %d to %d", first.counter, last.counter, first.seq, last.seq), nil
}
