package cfdp

import (
	"errors"
	"fmt"
	"time"

	"github.com/perilune/perilune/ccsds"
)

// maxReplies bounds the answers to PDUs of transactions that are over.
const maxReplies = 256

// Receive takes one PDU. An error says why it was of no use; the entity goes
// on. Only ErrFull and errors of the Saver are about us and not about the PDU.
func (e *Entity) Receive(now time.Time, pdu []byte) error {
	defer e.flush()
	e.clock.advance(now)
	h, body, err := Decode(pdu)
	if err != nil {
		return err
	}
	if h.TowardSender {
		if h.Source != e.cfg.Local {
			return ccsds.Errorf("cfdp", -1, ccsds.ErrForeign, "source entity is %d", h.Source)
		}
		err = e.receiveAsSender(h, body)
	} else {
		if h.Destination != e.cfg.Local || h.Source == e.cfg.Local {
			return ccsds.Errorf("cfdp", -1, ccsds.ErrForeign, "entities are %d to %d", h.Source, h.Destination)
		}
		err = e.receiveAsReceiver(h, body)
	}
	err = errors.Join(err, e.saveErr)
	e.saveErr = nil
	return err
}

func (e *Entity) receiveAsSender(h Header, body Body) error {
	if s, ok := e.all[h.ID()].(*sender); ok {
		if s.info.Peer != h.Destination {
			return ccsds.Errorf("cfdp", -1, ccsds.ErrForeign, "entity %d is not the receiver of %v", h.Destination, h.ID())
		}
		return s.receive(body)
	}
	// The receiver repeats Finished until it is acknowledged, also when we have
	// forgotten the transaction.
	if f, ok := body.(*Finished); ok && h.Mode == Acknowledged {
		status := StatusUnrecognized
		if _, known := e.closed.get(h.ID()); known {
			status = StatusTerminated
		}
		h.TowardSender = false
		e.reply(h, &ACK{Of: DirectiveFinished, Condition: f.Condition, Status: status})
		return nil
	}
	return fmt.Errorf("transaction %v: %w", h.ID(), ErrUnknown)
}

func (e *Entity) receiveAsReceiver(h Header, body Body) error {
	if r, ok := e.all[h.ID()].(*receiver); ok {
		if !r.forgotten(body) {
			return r.receive(h, body)
		}
		r.cancelled(InactivityDetected)
	}
	eof, isEOF := body.(*EOF)
	if was, known := e.closed.get(h.ID()); known && !was.File.other(body) {
		if isEOF && h.Mode == Acknowledged {
			h.TowardSender = true
			e.reply(h, &ACK{Of: DirectiveEOF, Condition: eof.Condition, Status: StatusTerminated})
			if eof.Condition == NoError {
				e.reply(h, was.finished(e.cfg.Local))
			}
		}
		return nil
	}
	switch body.(type) {
	case *Metadata, *FileData, *EOF:
	default:
		return fmt.Errorf("transaction %v: %w", h.ID(), ErrUnknown)
	}
	if isEOF && eof.Condition != NoError {
		// Cancelled before anything of it arrived.
		if h.Mode == Acknowledged {
			h.TowardSender = true
			e.reply(h, &ACK{Of: DirectiveEOF, Condition: eof.Condition, Status: StatusUnrecognized})
		}
		return nil
	}
	if len(e.all)-e.sending >= e.cfg.Limits.MaxTransactions {
		return fmt.Errorf("transaction %v: %w", h.ID(), ErrFull)
	}
	r := e.newReceiver(h)
	e.add(r)
	return r.receive(h, body)
}

func (e *Entity) reply(h Header, b Body) {
	h.CRC = e.cfg.CRC
	if pdu, err := Append(nil, h, b); err == nil && len(e.replies) < maxReplies {
		e.replies = append(e.replies, pdu)
	}
}
