package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/perilune/perilune/internal/client"
)

// maxBad is how many frames in a row may fail before a receiver is called deaf.
const maxBad = 60

// first returns the first event after since that want takes; give may end the wait early
// with a reason, for what will not come any more.
func (s *story) first(ctx context.Context, since uint64, want func(client.Event) bool, give func(client.Event) error) (client.Event, error) {
	stream, err := s.api.Events(ctx, since)
	if err != nil {
		return client.Event{}, err
	}
	defer stream.Close()
	for {
		e, err := stream.Next()
		if errors.Is(err, io.EOF) {
			return client.Event{}, errors.New("the station ended")
		}
		if err != nil {
			return client.Event{}, err
		}
		if want(e) {
			return e, nil
		}
		if give != nil {
			if err := give(e); err != nil {
				return client.Event{}, err
			}
		}
	}
}

// now is the sequence number of the station's last event.
func (s *story) now(ctx context.Context) (uint64, error) {
	st, err := s.api.Status(ctx)
	return st.Sequence, err
}

func boot(ctx context.Context, s *story) (Seen, error) {
	line, err := s.Booted(ctx)
	if err != nil {
		return Seen{}, err
	}
	// The console comes first; the first octet of the radio is flight's sign of life.
	for {
		if _, _, sent, _ := s.Space().Offsets(); sent > 0 {
			return Seen{Stream: "down.sent", Note: "console: " + line}, nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return Seen{}, err
		}
	}
}

func bitLock(ctx context.Context, s *story) (Seen, error) {
	e, err := s.first(ctx, 0, func(e client.Event) bool {
		return e.Kind == client.KindState && (e.Text == "verify" || e.Text == "lock")
	}, nil)
	if err != nil {
		return Seen{}, err
	}
	return seenAt(e, "first sync marker, at bit %d", e.Bit), nil
}

func frameLock(ctx context.Context, s *story) (Seen, error) {
	bad := 0
	e, err := s.first(ctx, 0, func(e client.Event) bool {
		return e.Kind == client.KindTM || e.Kind == client.KindCLCW || e.Kind == client.KindEvent
	}, func(e client.Event) error {
		if e.Kind == client.KindBad {
			bad++
		}
		if bad >= maxBad {
			return fmt.Errorf("%d frames in a row could not be repaired: %s", bad, e.Text)
		}
		return nil
	})
	if err != nil {
		return Seen{}, err
	}
	return seenAt(e, "first good frame"), nil
}

func clcw(ctx context.Context, s *story) (Seen, error) {
	e, err := s.first(ctx, 0, func(e client.Event) bool { return e.Kind == client.KindCLCW && e.VC == 0 }, nil)
	if err != nil {
		return Seen{}, err
	}
	if _, err := s.first(ctx, 0, func(e client.Event) bool {
		return e.Kind == client.KindFOP && e.VC == 0 && e.Field("kind") == "initialised"
	}, stopped); err != nil {
		return Seen{}, err
	}
	return seenAt(e, "CLCW of VC 0, then FOP-1 initialised"), nil
}

// stopped gives up when FOP-1 says that it will not go on by itself.
func stopped(e client.Event) error {
	if e.Kind == client.KindFOP && e.VC == 0 && e.Field("kind") == "alert" {
		return fmt.Errorf("FOP-1 alert: %s", e.Field("reason"))
	}
	return nil
}

// ping sends TC[17,1] into a burst that lasts until its frame has gone out, so that only
// a retransmission can bring it through.
func ping(ctx context.Context, s *story) (Seen, error) {
	since, err := s.now(ctx)
	if err != nil {
		return Seen{}, err
	}
	s.Space().Burst("up")
	defer s.Space().ResetBER("up")
	id, err := s.api.SendPing(ctx)
	if err != nil {
		return Seen{}, err
	}
	out, err := s.first(ctx, since, func(e client.Event) bool { return e.Kind == client.KindRadiated && e.Command == id }, nil)
	if err != nil {
		return Seen{}, err
	}
	if err := s.radiated(ctx, out); err != nil {
		return Seen{}, err
	}
	s.Space().ResetBER("up")
	e, err := s.first(ctx, since, func(e client.Event) bool {
		return e.Kind == client.KindTM && e.Service == 17 && e.Subtype == 2
	}, func(e client.Event) error {
		if e.Kind == client.KindEvent && e.Field("name") == "link refused" {
			return fmt.Errorf("the craft refuses the frame: %s", e.Text)
		}
		return stopped(e)
	})
	if err != nil {
		return Seen{}, err
	}
	return seenAt(e, "TM[17,2]; TC[17,1] at up.sent.raw @ %d", out.Bit/8), nil
}

func setTime(ctx context.Context, s *story) (Seen, error) {
	since, err := s.now(ctx)
	if err != nil {
		return Seen{}, err
	}
	id, err := s.api.SetTime(ctx)
	if err != nil {
		return Seen{}, err
	}
	if _, err := s.api.WaitCommand(ctx, id, client.StageCompleted); err != nil {
		return Seen{}, err
	}
	e, err := s.first(ctx, since, func(e client.Event) bool {
		return e.Kind == client.KindVerified && e.Command == id && e.Subtype == 7
	}, nil)
	return seenAt(e, "TC[9,128] done: TM[1,7]"), err
}

func retransmitted(ctx context.Context, s *story) (Seen, error) {
	n := 0
	var last client.Event
	err := s.replay(ctx, func(e client.Event) {
		if e.Kind == client.KindFOP && e.Field("kind") == "retransmit" {
			n, last = n+1, e
		}
	})
	if err == nil && n == 0 {
		err = errors.New("FOP-1 never sent a frame twice")
	}
	return seenAt(last, "%d retransmissions", n), err
}

func framesLost(ctx context.Context, s *story) (Seen, error) {
	lost := 0
	var last client.Event
	err := s.replay(ctx, func(e client.Event) {
		if e.Kind == client.KindLost {
			lost, last = lost+int(e.Number("lost")), e
		}
	})
	if err == nil && lost == 0 {
		err = errors.New("no frame was lost: the noise did not hurt")
	}
	return seenAt(last, "%d frames lost", lost), err
}

func framesCorrected(ctx context.Context, s *story) (Seen, error) {
	frames, symbols := 0, 0
	var last client.Event
	err := s.replay(ctx, func(e client.Event) {
		if e.Kind == client.KindCorrected {
			frames, symbols, last = frames+1, symbols+int(e.Number("symbols")), e
		}
	})
	if err == nil && frames == 0 {
		err = errors.New("the code corrected nothing: the noise did not hurt")
	}
	return seenAt(last, "%d symbols in %d frames", symbols, frames), err
}

func naked(ctx context.Context, s *story) (Seen, error) {
	n := 0
	var last client.Event
	err := s.replay(ctx, func(e client.Event) {
		// One that came down is an event with its place; one that we made is seen when it
		// goes out.
		asked := e.Kind == client.KindFileNAK
		if asked {
			n++
		}
		if asked && e.Stream != "" || e.Kind == client.KindFileRadiated && e.Text == "file NAK" {
			last = e
		}
	})
	if err == nil && n == 0 {
		err = errors.New("CFDP never sent a NAK")
	}
	return seenAt(last, "%d NAKs", n), err
}

// replay hands every event so far to see.
func (s *story) replay(ctx context.Context, see func(client.Event)) error {
	last, err := s.now(ctx)
	if err != nil {
		return err
	}
	_, err = s.first(ctx, 0, func(e client.Event) bool {
		see(e)
		return e.Seq >= last
	}, nil)
	return err
}
