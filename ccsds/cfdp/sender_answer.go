package cfdp

import (
	"fmt"
)

func (s *sender) receive(body Body) error {
	if a, ok := body.(*ACK); !ok || a.Status != StatusTerminated && a.Status != StatusUnrecognized {
		s.acks = 0 // else it answers, but has nothing to say: that must end some time
	}
	switch b := body.(type) {
	case *ACK:
		s.acked(b)
	case *NAK:
		s.nak(b)
	case *Finished:
		return s.finished(b)
	case *KeepAlive:
		s.keepAlive(b.Progress)
	default:
		return fmt.Errorf("transaction %v: a sender has no use for this PDU", s.info.ID)
	}
	return nil
}

// finished takes the receiver's last word. That all is well is not believed before all of the
// file was sent and EOF acknowledged: until then it may be about another file, of a transaction
// of the same number before we lost our records. A receiver that says it again after another EOF
// means this one; not all of them acknowledge an EOF that they have had (cfdp-py does not).
func (s *sender) finished(b *Finished) error {
	if b.Condition == NoError && s.fault == NoError {
		switch {
		case s.open || s.next < s.info.Size:
			return fmt.Errorf("transaction %v: finished at octet %d of %d", s.info.ID, s.next, s.info.Size)
		case s.head.Mode == Acknowledged && !s.eofAcked && (!s.asked || s.eofDue):
			s.asked, s.eofDue = true, true // its answer brings Finished once more
			return nil
		}
	}
	s.final = closedTransaction{Condition: b.Condition, Incomplete: b.Incomplete, Status: b.Status, Responses: b.TLVs}
	if s.head.Mode == Acknowledged {
		s.e.reply(s.head, &ACK{Of: DirectiveFinished, Condition: b.Condition, Status: StatusTerminated})
	}
	if b.Condition == NoError {
		s.info.Done = s.info.Size
	}
	s.finish(b.Condition)
	return nil
}

// keepAlive notes how far the receiver has got, and that it has not fallen
// behind too far (§4.6.5.3).
func (s *sender) keepAlive(progress uint64) {
	s.info.Reported = progress
	s.e.progress(s.info)
	limit := s.e.cfg.Limits.KeepAlive
	if limit > 0 && s.next > progress && s.next-progress > limit && !s.e.tolerate(s, KeepAliveLimit, s.meta.TLVs) {
		s.abandon(KeepAliveLimit)
	}
}

func (s *sender) acked(b *ACK) {
	if b.Of != DirectiveEOF || !s.eofSent || (b.Condition == NoError) != (s.fault == NoError) {
		return
	}
	s.eofAcked = true
	if s.fault != NoError {
		s.finish(s.fault)
		return
	}
	// Now it is the receiver's turn. Should it forget everything, a further
	// EOF asks it to begin again.
	s.ackTimer.start(&s.e.clock, 4*s.e.cfg.Timers.Ack)
	s.save()
}

func (s *sender) nak(b *NAK) {
	if s.fault != NoError || s.head.Mode != Acknowledged {
		return
	}
	s.info.NAKs++
	for _, g := range b.Segments {
		if g.Start == 0 && g.End == 0 {
			s.metaDue = true
		}
		// What was never sent will be. A set that is full means the receiver
		// asks for the rest later.
		g.End = min(g.End, s.next)
		s.again.add(g)
	}
	s.info.Done = s.next - s.again.queued.total()
	if s.ackTimer.on && s.eofAcked {
		s.ackTimer.start(&s.e.clock, 4*s.e.cfg.Timers.Ack)
	}
	if f := s.e.ev.NAK; f != nil {
		id := s.info.ID
		s.e.events = append(s.e.events, func() { f(id, b.Segments) })
	}
}

func (s *sender) tick() {
	if !s.ackTimer.expired(&s.e.clock) {
		return
	}
	s.acks++
	switch {
	case s.head.Mode == Unacknowledged && s.acks <= s.e.cfg.Timers.CheckLimit:
		s.ackTimer.start(&s.e.clock, s.e.cfg.Timers.Check)
	case s.head.Mode == Unacknowledged:
		if !s.e.tolerate(s, CheckLimitReached, s.meta.TLVs) {
			s.abandon(CheckLimitReached)
			return
		}
		s.acks = 0
		s.ackTimer.start(&s.e.clock, s.e.cfg.Timers.Check)
	case s.acks > s.e.cfg.Timers.AckLimit && s.fault != NoError:
		s.finish(s.fault)
	case s.acks > s.e.cfg.Timers.AckLimit:
		if !s.e.tolerate(s, AckLimitReached, s.meta.TLVs) {
			s.abandon(AckLimitReached)
			return
		}
		s.acks, s.eofDue, s.eofAcked = 0, true, false
	default:
		s.eofDue, s.eofAcked = true, false
	}
}

// thaw repeats EOF: whatever the receiver lacks, the answer says.
func (s *sender) thaw() {
	if s.eofSent && s.head.Mode == Acknowledged && !s.info.Suspended {
		s.eofDue = true
	}
}

func (s *sender) cancel() { s.abandon(CancelReceived) }

// abandon cancels for a reason: EOF says so, and the transaction is over when
// that is acknowledged (§4.11.2.2). It is suspended no more: what is to end must not wait.
func (s *sender) abandon(why Condition) {
	if s.fault != NoError {
		return
	}
	s.fault, s.info.Condition, s.info.Suspended = why, why, false
	s.again.clear()
	if why != CancelReceived && s.e.handler(why, s.meta.TLVs) == HandlerAbandon {
		s.finish(why)
		return
	}
	s.eofDue, s.eofSent, s.eofAcked, s.acks = true, false, false, 0
	s.save()
}

func (s *sender) pause() { s.ackTimer.stop() }

func (s *sender) goOn() {
	if !s.eofSent {
		return
	}
	// Nothing may be left to send; EOF makes the receiver say what it needs.
	s.eofDue = s.head.Mode == Acknowledged
	if !s.eofDue {
		s.ackTimer.start(&s.e.clock, s.e.cfg.Timers.Check)
	}
}

func (s *sender) finish(c Condition) {
	s.eofDue = false
	s.final.Condition = c
	s.final.Incomplete = s.final.Incomplete || c != NoError
	s.info.Condition, s.info.Incomplete, s.info.Status = c, s.final.Incomplete, s.final.Status
	s.info.Responses = responses(s.final.Responses)
	_ = s.file.Close() // it was only read
	s.e.finished(s.info)
	s.e.remove(s, closedTransaction{Condition: c})
	if s.put.Origin != nil {
		s.e.proxyDone(*s.put.Origin, s.final)
	}
}
