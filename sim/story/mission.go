package story

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/perilune/perilune/internal/client"
)

// burstLength is how long the two bursts of the upload last.
const burstLength = 2 * time.Second

// lead is how far ahead a start is ordered.
const lead = 5 * time.Second

// radiated waits until the space has taken enough of a radiated frame to spoil it.
func (s *story) radiated(ctx context.Context, e client.Event) error {
	const enough = 48 // octets: start sequence and several codeblocks
	for {
		if sent, _, _, _ := s.Space().Offsets(); uint64(sent) >= e.Bit/8+enough {
			return nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// upload sends borealis's bundle through noise, a burst each way and a loss of signal.
func upload(ctx context.Context, s *story) (Seen, error) {
	make := Honest
	switch s.opt.Break {
	case "signature":
		make = Stranger
	case "guest":
		make = Damaged
	}
	path, err := s.Bundle(ctx, imager, make)
	if err != nil {
		return Seen{}, err
	}
	if s.notes.upload, err = s.now(ctx); err != nil {
		return Seen{}, err
	}
	a, err := s.api.StartActivation(ctx, path, false)
	if err != nil {
		return Seen{}, err
	}
	s.notes.activation = a.ID
	var burst, silence bool
	for {
		if a, err = s.api.ActivationByID(ctx, a.ID); err != nil {
			return Seen{}, err
		}
		switch {
		case a.Step != client.StepUpload:
			if !burst || !silence {
				return Seen{}, fmt.Errorf("the upload was over (%s %s) before burst and loss of signal", a.Step, a.Reason)
			}
			return s.uploaded(ctx, a)
		case !burst && a.Done*4 > a.Size:
			burst = true
			err = s.burst(ctx)
		case !silence && a.Done*2 > a.Size:
			silence = true
			err = s.silence(ctx)
		default:
			err = pause(ctx, 50*time.Millisecond)
		}
		if err != nil {
			return Seen{}, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *story) burst(ctx context.Context) error {
	s.Space().Burst("")
	defer s.Space().ResetBER("")
	return pause(ctx, burstLength)
}

// silence takes the signal away until the station has noticed, then gives it back and
// waits for lock.
func (s *story) silence(ctx context.Context) error {
	since, err := s.now(ctx)
	if err != nil {
		return err
	}
	s.Space().SetSignal(false)
	defer s.Space().SetSignal(true)
	lost, err := s.first(ctx, since, func(e client.Event) bool {
		return e.Kind == client.KindState && e.Text == "search"
	}, nil)
	if err != nil {
		return err
	}
	s.Space().SetSignal(true)
	_, err = s.first(ctx, lost.Seq, func(e client.Event) bool { return e.Kind == client.KindState && e.Text == "lock" }, nil)
	return err
}

// uploaded finds the end of the bundle's transfer among the events.
func (s *story) uploaded(ctx context.Context, a client.Activation) (Seen, error) {
	if a.Step == client.StepFailed {
		return Seen{}, errors.New(a.Reason)
	}
	e, err := s.first(ctx, s.notes.upload, func(e client.Event) bool { return e.Kind == client.KindFileFinished }, nil)
	if err != nil {
		return Seen{}, err
	}
	seen := seenAt(e, "finished; burst of %v both ways, one loss of signal", burstLength)
	seen.Octets = a.Size
	return seen, nil
}

func activate(ctx context.Context, s *story) (Seen, error) {
	a, err := s.api.WaitActivation(ctx, s.notes.activation, nil)
	if err != nil {
		return Seen{}, err
	}
	// A report that the noise took comes again later: the two may come in any order.
	var seen Seen
	var accepted, completed bool
	_, err = s.first(ctx, s.notes.upload, func(e client.Event) bool {
		if e.Kind != client.KindVerified || e.Command != a.Command {
			return false
		}
		if e.Subtype == 7 {
			completed, seen = true, seenAt(e, "TM[1,1], TM[1,7] for %.19s", a.Digest)
		}
		accepted = accepted || e.Subtype == 1
		return accepted && completed
	}, nil)
	return seen, err
}

func start(ctx context.Context, s *story) (Seen, error) {
	since, err := s.now(ctx)
	if err != nil {
		return Seen{}, err
	}
	s.notes.release = time.Now().Add(lead)
	if _, err := s.api.Schedule(ctx, s.notes.release, client.Request{
		Function: "mission.start", Arguments: []string{imagerTenant, imager},
	}); err != nil {
		return Seen{}, err
	}
	s.notes.start = since
	e, err := s.first(ctx, since, guestEvent("guest started", imager), func(e client.Event) error {
		return guestRefused(e, imager)
	})
	if err != nil {
		return Seen{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, e.Field("time"))
	if err != nil {
		return Seen{}, fmt.Errorf("the event has no on-board time: %w", err)
	}
	if late := at.Sub(s.notes.release); late < 0 {
		return Seen{}, fmt.Errorf("started %v before its time", -late)
	}
	return seenAt(e, "ordered for %s, started %s on board", s.notes.release.UTC().Format("15:04:05.0"), at.UTC().Format("15:04:05.0")), nil
}
