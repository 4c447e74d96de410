package client

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// FunctionConsoleRead asks the craft for kept console text: TC[8,1] with tenant,
// mission and offset, answered by TM[128,2].
const FunctionConsoleRead = "console.read"

// consolePatience is how long text that was asked for may stay away after the last
// that came: then it is asked for again.
const consolePatience = 5 * time.Second

// maxConsoleQuiet is the longest time between two questions whether a mission that is
// followed has said something more: the last text may have been lost on its way, and
// nothing after it would tell.
const maxConsoleQuiet = 40 * time.Second

// ConsoleText is a piece of what a mission printed, in order and without gaps but for
// those it tells of.
type ConsoleText struct {
	Run     uint64 `json:"run"`               // another one: the mission was started anew
	Offset  uint64 `json:"offset"`            // of Text, in octets since the run began
	Dropped uint64 `json:"dropped,omitempty"` // octets before it that the craft no longer has
	Text    []byte `json:"text"`
}

// Console fetches the text that the craft keeps of a mission and hands it to show,
// each octet once, in order; what the link loses is asked for again. With follow it goes
// on with what the mission prints until ctx ends, without it ends with the last octet
// kept. An unknown mission is a *RefusedError.
func (c *Client) Console(ctx context.Context, tenant, mission string, follow bool, show func(ConsoleText) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := c.Events(ctx, Now, KindConsole, KindVerified)
	if err != nil {
		return err
	}
	defer s.Close()
	events, ended := s.pump(ctx)
	r := consoleReader{client: c, tenant: tenant, mission: mission, show: show, quiet: consolePatience}
	if err := r.ask(ctx); err != nil {
		return err
	}
	for follow || !r.complete() {
		select {
		case e := <-events:
			err = r.see(ctx, e)
		case <-time.After(time.Until(r.patience)):
			err = r.late(ctx)
		case err = <-ended:
			err = fmt.Errorf("%w: event stream: %w", ErrUnreachable, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	if r.dropped > 0 { // and nothing after it
		return show(ConsoleText{Run: r.run, Offset: r.at, Dropped: r.dropped})
	}
	return nil
}

// pump reads the stream until it, or ctx, ends.
func (s *Stream) pump(ctx context.Context) (<-chan Event, <-chan error) {
	events, ended := make(chan Event), make(chan error, 1)
	go func() {
		for {
			e, err := s.Next()
			if err != nil {
				ended <- err
				return
			}
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return events, ended
}

// consoleReader puts the pieces together.
type consoleReader struct {
	client          *Client
	tenant, mission string
	show            func(ConsoleText) error

	run      uint64
	known    bool   // run is, and end
	at, end  uint64 // what was shown, and how far the text goes
	dropped  uint64 // before at, not yet shown
	early    map[uint64][]byte
	asked    uint64 // telecommand under way; 0 for none
	askedFor uint64 // its offset
	patience time.Time
	quiet    time.Duration // until the next question whether there is more
	answered bool          // the craft has said how far the text goes
}

// maxEarly bounds the pieces that wait for one before them.
const maxEarly = 256

func (r *consoleReader) complete() bool { return r.answered && r.at >= r.end }

// ask sends for the text from r.at on.
func (r *consoleReader) ask(ctx context.Context) error {
	id, err := r.client.Command(ctx, Request{Function: FunctionConsoleRead,
		Arguments: []string{r.tenant, r.mission, strconv.FormatUint(r.at, 10)}})
	r.asked, r.askedFor, r.patience = id, r.at, time.Now().Add(consolePatience)
	return err
}

// see takes an event: text of the mission, or a report about the question.
func (r *consoleReader) see(ctx context.Context, e Event) error {
	switch {
	case e.Kind == KindConsole && e.Field("tenant") == r.tenant && e.Field("mission") == r.mission:
		return r.take(ctx, e)
	case e.Kind == KindVerified && r.asked != 0 && e.Command == r.asked && e.Fields["failed"] == true:
		return r.late(ctx)
	}
	return nil
}

// late looks what became of a question that brings nothing any more.
func (r *consoleReader) late(ctx context.Context) error {
	r.patience = time.Now().Add(consolePatience)
	if r.asked != 0 {
		cmd, err := r.client.CommandByID(ctx, r.asked)
		switch {
		case err != nil:
			return err
		case cmd.Stage == StageFailed && cmd.Code == codeFull:
			r.asked = 0
			return nil // patience, then again
		case cmd.Stage == StageFailed:
			return &RefusedError{Rule: RuleOf(cmd.Reason), Code: cmd.Code, Reason: cmd.Reason}
		case !cmd.Done():
			return nil // the link is slow, or there is none now
		}
		r.asked = 0
	}
	if !r.complete() {
		return r.ask(ctx)
	}
	err := r.ask(ctx)
	r.patience = time.Now().Add(r.quiet)
	r.quiet = min(2*r.quiet, maxConsoleQuiet)
	return err
}

// take adds one report.
func (r *consoleReader) take(ctx context.Context, e Event) error {
	run, start, offset := uint64(e.Number("run")), uint64(e.Number("start")), uint64(e.Number("offset"))
	if !r.known || run != r.run {
		r.run, r.known, r.at, r.end, r.dropped, r.early, r.asked, r.answered = run, true, 0, 0, 0, map[uint64][]byte{}, 0, false
	}
	r.end = max(r.end, uint64(e.Number("end")))
	if start > r.at { // nobody has it any more
		r.dropped += start - r.at
		r.at = start
	}
	if len(e.Data) > 0 && len(r.early) < maxEarly {
		r.early[offset] = e.Data
	}
	before := r.at
	if err := r.advance(); err != nil {
		return err
	}
	if r.at != before {
		r.patience, r.quiet = time.Now().Add(consolePatience), consolePatience
	}
	if e.Fields["answer"] == true {
		r.answered = true
		// Its packets come in order: after the last one nothing is to be waited for.
		if offset+uint64(len(e.Data)) >= min(r.askedFor+consoleAnswer, r.end) {
			r.asked = 0
		}
	}
	if r.at < r.end && r.asked == 0 {
		return r.ask(ctx)
	}
	return nil
}

// consoleAnswer is how much one question brings, in octets.
const consoleAnswer = 8192

// codeFull is the craft's failure code for what has room again later.
const codeFull = 13

// advance shows what joins on.
func (r *consoleReader) advance() error {
	for moved := true; moved; {
		moved = false
		for offset, text := range r.early {
			if offset > r.at {
				continue
			}
			delete(r.early, offset)
			skip := r.at - offset
			if skip >= uint64(len(text)) {
				continue
			}
			moved = true
			t := ConsoleText{Run: r.run, Offset: r.at, Dropped: r.dropped, Text: text[skip:]}
			r.at, r.dropped = r.at+uint64(len(t.Text)), 0
			if err := r.show(t); err != nil {
				return err
			}
		}
	}
	return nil
}
