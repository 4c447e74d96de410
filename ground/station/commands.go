package station

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
)

// maxCommands is how many telecommands are remembered.
const maxCommands = 512

// command is a telecommand on its way. It is the tag of its frames.
type command struct {
	client.Command
	vc      ccsds.VCID
	bd      bool
	insist  bool   // sent again though nobody confirms that its frames arrive
	request uint32 // PUS request id
	packet  []byte // nil for a request inside TC[11,4], which the craft keeps
	child   *command
	whole   *command      // of which this is a part
	done    chan struct{} // closed when completed or failed
	onBoard time.Time     // when the craft was last known to have got all of it
	repeats int
	pong    bool // TM[17,2] came after it was radiated
}

// remember adds a telecommand and forgets the oldest one that is done.
func (s *Station) remember(c *command) {
	c.done = make(chan struct{})
	c.Stage = client.StageQueued
	c.Queued = s.now().UTC()
	c.Changed = c.Queued
	s.commands = append(s.commands, c)
	s.byRequest[c.request] = c
	if len(s.commands) <= maxCommands {
		return
	}
	k := max(0, slices.IndexFunc(s.commands, func(c *command) bool { return c.Done() }))
	if old := s.commands[k]; s.byRequest[old.request] == old {
		delete(s.byRequest, old.request)
	}
	s.commands = slices.Delete(s.commands, k, k+1)
}

// await sends a telecommand and waits for what becomes of it; the craft's refusal is a
// *client.RefusedError. sent, which may be nil, is called with the lock held.
func (s *Station) await(ctx context.Context, r client.Request, sent func(client.Command)) error {
	cmd, err := s.Send(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	c := s.find(cmd.ID)
	if sent != nil {
		sent(cmd)
	}
	s.mu.Unlock()
	select {
	case <-c.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Stage == client.StageFailed {
		return &client.RefusedError{Rule: client.RuleOf(c.Reason), Code: c.Code, Reason: c.Reason}
	}
	return nil
}

// find returns the command of that id, or nil.
func (s *Station) find(id uint64) *command {
	for _, c := range s.commands {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// advance moves a command to a later stage; one that has gone further stays.
func (s *Station) advance(c *command, stage string) {
	c.Changed = s.now().UTC()
	if c.Done() || c.Reached(stage) && stage != client.StageFailed {
		return
	}
	c.Stage = stage
	if c.Done() {
		close(c.done)
	}
}

// commandEvent is an event about a command.
func commandEvent(kind string, c *command) client.Event {
	return client.Event{
		Kind: kind, VC: uint8(c.vc), APID: c.APID, Service: c.Service, Subtype: c.Subtype,
		Command: c.ID, Text: c.Text, Fields: map[string]any{"packet": c.Packet},
	}
}

// radiated notes that a frame of c went out at bit of the sent stream.
func (s *Station) radiated(c *command, bit uint64) {
	c.Radiated++
	if c.insist {
		c.onBoard = s.now() // as far as anybody knows
	}
	s.advance(c, client.StageRadiated)
	e := commandEvent(client.KindRadiated, c)
	e.Stream, e.Bit = client.StreamUp, bit
	e.Fields["times"] = c.Radiated
	s.record(e)
}

// accepted notes that the craft's FARM has all frames of c.
func (s *Station) accepted(c *command) {
	c.onBoard = s.now()
	s.advance(c, client.StageAccepted)
	s.record(commandEvent(client.KindAccepted, c))
}

// stageOf is where a positive report takes a command.
var stageOf = map[uint8]string{
	pus.AcceptanceSuccess: client.StageVerified,
	pus.StartSuccess:      client.StageStarted,
	pus.CompletionSuccess: client.StageCompleted,
}

var reportWords = map[uint8]string{
	pus.AcceptanceSuccess: "accepted", pus.AcceptanceFailure: "not accepted",
	pus.StartSuccess: "started", pus.StartFailure: "not started",
	pus.CompletionSuccess: "completed", pus.CompletionFailure: "failed",
}

// verification applies a report of service 1 to the command it names.
func (s *Station) verification(e *client.Event, tm pus.Telemetry) error {
	v, err := pus.DecodeVerification(tm.Subtype, tm.Payload)
	if err != nil {
		return err
	}
	e.Kind = client.KindVerified
	e.Fields["request"], e.Fields["failed"] = v.Request.String(), v.Failed()
	reason := ""
	if v.Failed() {
		reason = v.Code.String()
		if v.Text != "" {
			reason += ": " + v.Text
		}
		e.Fields["code"], e.Fields["reason"], e.Fields["rule"] = uint16(v.Code), v.Text, client.RuleOf(reason)
	}
	c := s.byRequest[uint32(v.Request)]
	if c == nil {
		e.Text = fmt.Sprintf("telecommand %s, not sent from here, %s", v.Request, words(v.Subtype, reason))
		return nil
	}
	e.Command, e.Text = c.ID, c.Text+" "+words(v.Subtype, reason)
	if v.Subtype == pus.AcceptanceFailure && v.Code == pus.FailureRefused && (c.repeats > 0 || c.Reached(client.StageVerified)) {
		// The craft had it before and does not do it twice: that is no failure.
		e.Text = c.Text + " is on board already"
		s.advance(c, client.StageVerified)
		return nil
	}
	c.Subreport = v.Subtype
	if v.Failed() {
		c.Code, c.Reason = uint16(v.Code), reason
		s.fail(c)
		return nil
	}
	s.advance(c, stageOf[v.Subtype])
	if c.child != nil && c.Stage == client.StageCompleted {
		s.advance(c.child, client.StageScheduled)
	}
	return nil
}

// fail ends a command, and with an insertion the request inside it.
func (s *Station) fail(c *command) {
	s.advance(c, client.StageFailed)
	if c.child != nil && !c.child.Done() {
		c.child.Code, c.child.Reason = c.Code, "was not scheduled: "+c.Reason
		s.advance(c.child, client.StageFailed)
	}
	if c.whole != nil && !c.whole.Done() {
		c.whole.Code, c.whole.Reason = c.Code, c.Text+": "+c.Reason
		s.advance(c.whole, client.StageFailed)
	}
}

func words(subtype uint8, reason string) string {
	if reason == "" {
		return reportWords[subtype]
	}
	return reportWords[subtype] + ": " + reason
}
