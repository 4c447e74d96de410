package client

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"
)

var stages = []string{StageQueued, StageRadiated, StageAccepted, StageScheduled, StageVerified, StageStarted, StageCompleted}

// Reached says whether the command has come to stage or beyond.
func (c Command) Reached(stage string) bool {
	return slices.Index(stages, c.Stage) >= slices.Index(stages, stage) && slices.Contains(stages, stage)
}

// WaitCommand waits until the telecommand has reached stage. A failure report is a
// *RefusedError.
func (c *Client) WaitCommand(ctx context.Context, id uint64, stage string) (Command, error) {
	var cmd Command
	err := c.watch(ctx, func() (bool, error) {
		var err error
		if cmd, err = c.CommandByID(ctx, id); err != nil {
			return false, err
		}
		if cmd.Stage == StageFailed {
			return true, &RefusedError{Rule: RuleOf(cmd.Reason), Code: cmd.Code, Reason: cmd.Reason}
		}
		return cmd.Reached(stage), nil
	}, "tc.")
	return cmd, err
}

// Do sends a telecommand and waits for TM[1,7].
func (c *Client) Do(ctx context.Context, r Request) (Command, error) {
	id, err := c.Command(ctx, r)
	if err != nil {
		return Command{}, err
	}
	return c.WaitCommand(ctx, id, StageCompleted)
}

// WaitTransfer waits until a transfer is over; progress, if not nil, sees it grow.
func (c *Client) WaitTransfer(ctx context.Context, id string, progress func(Transfer)) (Transfer, error) {
	var t Transfer
	err := c.watch(ctx, func() (bool, error) {
		all, err := c.Transfers(ctx)
		if err != nil {
			return false, err
		}
		i := slices.IndexFunc(all, func(t Transfer) bool { return t.ID == id })
		if i < 0 {
			return false, fmt.Errorf("transfer %s is not known to the station", id)
		}
		t = all[i]
		if progress != nil {
			progress(t)
		}
		if t.State == TransferFailed {
			if t.Refused {
				return true, &RefusedError{Reason: t.Condition}
			}
			return true, fmt.Errorf("transfer of %s: %s", t.Name, t.Condition)
		}
		return t.State == TransferFinished, nil
	}, "file.")
	return t, err
}

// Activate sends a bundle up and waits until the craft has activated it. A refusal is
// a *RefusedError with the rule's name.
func (c *Client) Activate(ctx context.Context, bundle string, progress func(Activation)) (Activation, error) {
	a, err := c.StartActivation(ctx, bundle, false)
	if err != nil {
		return a, err
	}
	return c.WaitActivation(ctx, a.ID, progress)
}

// WaitActivation waits until an activation is over, well or not.
func (c *Client) WaitActivation(ctx context.Context, id string, progress func(Activation)) (Activation, error) {
	var a Activation
	err := c.watch(ctx, func() (bool, error) {
		var err error
		if a, err = c.ActivationByID(ctx, id); err != nil {
			return false, err
		}
		if progress != nil {
			progress(a)
		}
		switch a.Step {
		case StepRefused:
			return true, &RefusedError{Rule: a.Rule, Reason: a.Reason}
		case StepFailed:
			return true, fmt.Errorf("activate %s: %s", a.Digest, a.Reason)
		}
		return a.Step == StepActivated, nil
	}, "tc.", "file.", KindActivation)
	return a, err
}

// Ping sends TC[17,1] and waits for TM[17,2].
func (c *Client) Ping(ctx context.Context) (Pong, error) {
	s, err := c.Status(ctx)
	if err != nil {
		return Pong{}, err
	}
	id, err := c.SendPing(ctx)
	if err != nil {
		return Pong{}, err
	}
	p := ping{id: id}
	if _, err := c.Wait(ctx, s.Sequence, p.see, KindRadiated, KindTM, KindVerified); err != nil {
		return Pong{Command: id}, err
	}
	return Pong{Command: id, Trip: p.answer.Time.Sub(p.sent), Bit: p.answer.Bit}, nil
}

// ping finds the answer to one ping: TM[17,2] does not say whose answer it is, but it
// stands between TM[1,1] and TM[1,7] of its request, of which noise may take either.
type ping struct {
	id      uint64
	sent    time.Time
	mine    bool // a report of the beginning was seen
	answer  Event
	pending bool // an answer was seen that may be mine
}

func (p *ping) see(e Event) bool {
	switch {
	case e.Kind == KindRadiated && e.Command == p.id && p.sent.IsZero():
		p.sent = e.Time
	case e.Kind == KindVerified && e.Command == p.id && e.Subtype == 7:
		return p.pending
	case e.Kind == KindVerified && e.Command == p.id:
		p.mine, p.pending = true, false
	case e.Kind == KindTM && e.Service == 17 && e.Subtype == 2 && !p.sent.IsZero():
		p.answer, p.pending = e, true
		return p.mine
	}
	return false
}

// watch calls done now and after each event of the kinds, until it says true or fails.
func (c *Client) watch(ctx context.Context, done func() (bool, error), kinds ...string) error {
	// The stream is opened first, so that nothing happens unseen between the two.
	s, err := c.Events(ctx, Now, kinds...)
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if _, err := s.Next(); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w: event stream: %w", ErrUnreachable, err)
		}
	}
}

// rule is how the name of a rule stands in a text: bundle.signature, followed by a colon.
var rule = regexp.MustCompile(`(?:^|\s)([a-z]+\.[a-z]+):`)

// RuleOf finds the name of a rule, such as bundle.signature, in a failure's text; ""
// when there is none.
func RuleOf(text string) string {
	if m := rule.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
