package cfdp

import (
	"errors"
	"fmt"
)

// control gives the directive that matters most.
func (r *receiver) control() []byte {
	switch {
	case r.eofAckDue:
		r.eofAckDue = false
		return r.encode(&ACK{Of: DirectiveEOF, Status: StatusActive})
	case r.finDue && !r.info.Suspended: // §4.11.2.7 d)
		r.finDue = false
		f := r.final.finished(r.e.cfg.Local)
		pdu := r.encode(f)
		if r.head.Mode == Unacknowledged {
			r.close()
		} else {
			r.ackTimer.start(&r.e.clock, r.e.cfg.Timers.Ack)
		}
		return pdu
	case r.prompt:
		r.prompt = false
		return r.encode(&KeepAlive{Progress: r.info.Done})
	case r.over, r.info.Suspended, r.head.Mode == Unacknowledged:
		return nil
	}
	return r.nak()
}

// data is nil: a receiver sends directives only.
func (r *receiver) data() []byte { return nil }

func (r *receiver) tick() {
	t := r.e.cfg.Timers
	if r.keepAlive.expired(&r.e.clock) {
		r.prompt = true
		if r.eof == nil && !r.over {
			r.keepAlive.start(&r.e.clock, r.e.cfg.Timers.KeepAlive)
		}
	}
	if r.idle.expired(&r.e.clock) {
		switch {
		case r.over:
			r.close()
		case r.tolerate(InactivityDetected):
			r.idle.start(&r.e.clock, r.e.cfg.Timers.Inactivity)
		default:
			_ = r.fail(InactivityDetected, nil)
		}
		return
	}
	if r.ackTimer.expired(&r.e.clock) {
		if r.expiries++; r.expiries > t.AckLimit {
			r.close()
			return
		}
		r.finDue = true
	}
	if !r.nakTimer.expired(&r.e.clock) || r.over {
		return
	}
	switch {
	case r.head.Mode == Unacknowledged && r.expiries >= t.CheckLimit:
		if r.tolerate(CheckLimitReached) {
			r.expiries = 0
			r.startNAKTimer()
			return
		}
		_ = r.fail(CheckLimitReached, nil)
	case r.head.Mode == Unacknowledged:
		r.expiries++
		r.startNAKTimer()
	case r.expiries >= t.NAKLimit:
		if r.tolerate(NAKLimitReached) {
			r.expiries = 0
			r.ask.everything()
			return
		}
		_ = r.fail(NAKLimitReached, nil)
	default:
		r.ask.everything()
	}
}

// thaw repeats what the other side may not have heard.
func (r *receiver) thaw() {
	switch {
	case r.info.Suspended || r.head.Mode == Unacknowledged:
	case r.over:
		r.finDue = true
	default:
		r.ask.everything()
	}
}

func (r *receiver) pause() {
	r.ackTimer.stop()
	r.nakTimer.stop()
	r.idle.stop()
	r.keepAlive.stop()
}

func (r *receiver) goOn() {
	r.idle.start(&r.e.clock, r.e.cfg.Timers.Inactivity)
	if r.eof != nil && !r.over {
		r.startNAKTimer()
	}
	r.thaw()
	_ = r.maybeComplete() // a fault may have suspended it; the Finished event tells
}

func (r *receiver) tolerate(c Condition) bool { return r.e.tolerate(r, c, r.overrides()) }

func (r *receiver) overrides() []TLV {
	if r.meta == nil {
		return nil
	}
	return r.meta.TLVs
}

// maybeComplete ends the transaction well once everything is there. One that is suspended waits
// for being resumed, since it could not tell the sender.
func (r *receiver) maybeComplete() error {
	if r.over || r.info.Suspended || r.meta == nil || r.eof == nil || !r.have.covers(Segment{0, r.eof.FileSize}) {
		return nil
	}
	if r.file == nil {
		r.finish(closedTransaction{Status: FileUnreported, Responses: r.act()})
		return nil
	}
	was := closedTransaction{Status: FileRetained}
	sum, err := Checksum(r.meta.Checksum, r.file, r.eof.FileSize)
	if err != nil {
		return r.fail(FilestoreRejection, err)
	}
	if sum != r.eof.Checksum && r.meta.Checksum != ChecksumNull {
		switch {
		case !r.tolerate(ChecksumFailure):
			return r.fail(ChecksumFailure, fmt.Errorf("file has %08x, EOF says %08x", sum, r.eof.Checksum))
		case r.info.Suspended:
			return nil
		}
		was.Condition = ChecksumFailure
	}
	r.save() // that nothing is missing, before the file changes its name
	if err := r.file.Commit(); err != nil {
		return r.fail(FilestoreRejection, err)
	}
	r.file = nil
	if was.Condition == NoError {
		was.Responses = r.act()
	}
	r.finish(was)
	return nil
}

// fail ends the transaction badly: faults that need not end it have been through
// tolerate. It returns cause as the error of this transaction.
func (r *receiver) fail(c Condition, cause error) error {
	if r.over {
		return nil
	}
	status := FileDiscarded
	if c == FilestoreRejection {
		status = FileRejected
	}
	discard := r.discard()
	r.silent = r.e.handler(c, r.overrides()) == HandlerAbandon
	r.finish(closedTransaction{Condition: c, Incomplete: true, Status: status})
	if err := errors.Join(cause, discard); err != nil {
		return fmt.Errorf("transaction %v: %v: %w", r.info.ID, c, err)
	}
	return nil
}

// cancel ends the transaction; one that is over and waits for being resumed need not any more.
func (r *receiver) cancel() {
	_ = r.fail(CancelReceived, nil)
	r.e.suspend(r, false)
}

// cancelled is the sender's wish; its EOF is acknowledged already.
func (r *receiver) cancelled(c Condition) {
	if !r.over {
		_ = r.discard()
		r.over = true
		r.info.Condition, r.info.Incomplete = c, true
		r.final = closedTransaction{Condition: c, Incomplete: true}
		r.e.finished(r.info)
	}
	r.close()
}

// forgotten says whether body shows that the sender knows nothing of this transaction any
// more and sends another file under its number.
func (r *receiver) forgotten(body Body) bool {
	if _, isMeta := body.(*Metadata); !isMeta && !r.over {
		return false // an EOF that does not agree is a fault
	}
	return identify(r.meta, r.eof).other(body)
}

func (r *receiver) discard() error {
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.Abort()
}

func (r *receiver) finish(final closedTransaction) {
	r.over, r.final = true, final
	r.info.Condition, r.info.Incomplete, r.info.Status = final.Condition, final.Incomplete, final.Status
	if final.Condition != NoError {
		r.info.Suspended = false // what is to end must not wait
	}
	r.nakTimer.stop()
	r.keepAlive.stop()
	r.dropEarly()
	r.ask = asking{}
	r.expiries = 0
	r.e.finished(r.info)
	if final.Condition == NoError {
		r.e.user(r.info)
	}
	r.finDue = !r.silent && (r.head.Mode == Acknowledged || r.meta != nil && r.meta.Closure)
	if !r.finDue {
		r.close()
		return
	}
	r.idle.start(&r.e.clock, r.e.cfg.Timers.Inactivity)
	r.save()
}

func (r *receiver) close() {
	r.dropEarly()
	was := r.final
	was.File = identify(r.meta, r.eof)
	r.e.remove(r, was)
}

func cloneTLVs(all []TLV) []TLV {
	out := make([]TLV, len(all))
	for i, t := range all {
		out[i] = TLV{t.Type, append([]byte(nil), t.Value...)}
	}
	return out
}
