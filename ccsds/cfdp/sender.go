package cfdp

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"time"
)

// sender is the sending side of a transaction. What it has to send is a
// function of its state, which Next asks for; nothing is queued.
type sender struct {
	e     *Entity
	info  Info
	put   Put
	head  Header
	meta  Metadata
	file  Reader // nil when restored only to be cancelled
	sum   hash.Hash32
	next  uint64 // first octet never sent
	again repeats
	saved uint64 // next, when last saved

	metaDue  bool
	eofDue   bool
	eofSent  bool
	eofAcked bool
	fault    Condition // why it is being cancelled; NoError while it is not
	ackTimer timer
	acks     int // expiries in a row
}

func (e *Entity) newSender(now time.Time, p Put) (*sender, error) {
	if p.Class == 0 {
		p.Class = 2
	}
	switch {
	case p.Class != 1 && p.Class != 2:
		return nil, fmt.Errorf("class %d, 1 or 2", p.Class)
	case p.Dest == e.cfg.Local || p.Dest > math.MaxUint16:
		return nil, fmt.Errorf("destination entity %d", p.Dest)
	case e.sending >= e.cfg.Limits.MaxTransactions:
		return nil, ErrFull
	}
	f, err := e.cfg.Store.Open(p.Source)
	if err != nil {
		return nil, err
	}
	id := TransactionID{e.cfg.Local, e.takeSequence(now)}
	s, err := e.makeSender(id, p, f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

// makeSender puts the parts together, for a new transaction as for a restored
// one.
func (e *Entity) makeSender(id TransactionID, p Put, f Reader) (*sender, error) {
	size := uint64(f.Size())
	if f.Size() < 0 || size > e.cfg.Limits.MaxFileSize {
		return nil, fmt.Errorf("file of %d octets, at most %d", f.Size(), e.cfg.Limits.MaxFileSize)
	}
	sum, err := newChecksum(p.Checksum)
	if err != nil {
		return nil, err
	}
	s := &sender{
		e: e, put: p, file: f, sum: sum, metaDue: true,
		info: Info{ID: id, Source: true, Peer: p.Dest, Class: p.Class,
			Name: p.Source, DestName: p.DestName, Size: size},
		head: Header{CRC: e.cfg.CRC, LargeFile: size > math.MaxUint32, Mode: Acknowledged,
			EntityLength: entityLength, SequenceLength: sequenceLength,
			Source: id.Source, Sequence: id.Sequence, Destination: p.Dest},
		meta: Metadata{Closure: p.Closure && p.Class == 1, Checksum: p.Checksum, FileSize: size,
			Source: p.Source, Dest: p.DestName},
		again: repeats{queued: segments{limit: e.cfg.Limits.MaxSegments}},
	}
	if p.Class == 1 {
		s.head.Mode = Unacknowledged
	}
	for _, m := range p.Messages {
		s.meta.TLVs = append(s.meta.TLVs, TLV{TLVMessageToUser, m})
	}
	pdu, err := Append(nil, s.head, &s.meta)
	if err == nil && len(pdu) > e.cfg.MaxPDU {
		err = fmt.Errorf("metadata PDU of %d octets, at most %d", len(pdu), e.cfg.MaxPDU)
	}
	return s, err
}

func (s *sender) id() TransactionID { return s.info.ID }
func (s *sender) state() Info       { return s.info }

func (s *sender) timer() timer {
	if s.info.Suspended {
		return timer{}
	}
	return s.ackTimer
}

// encode makes a PDU. Names, sizes and ids were checked when the transaction
// was made, so it does not fail.
func (s *sender) encode(b Body) []byte {
	pdu, err := Append(make([]byte, 0, s.e.cfg.MaxPDU), s.head, b)
	if err != nil {
		return nil
	}
	return pdu
}

func (s *sender) control() []byte {
	switch {
	case s.info.Suspended && s.fault == NoError:
		return nil
	case s.fault != NoError:
		if !s.eofDue {
			return nil
		}
	case s.metaDue:
		s.metaDue = false
		return s.encode(&s.meta)
	case !s.eofDue && (s.eofSent || s.next < s.info.Size):
		return nil
	}
	return s.sendEOF()
}

// sendEOF gives the EOF PDU and waits for its acknowledgement. In class 1
// without closure there is none and the transaction is over.
func (s *sender) sendEOF() []byte {
	first := !s.eofSent
	s.eofDue, s.eofSent = false, true
	if s.fault == NoError {
		s.info.Checksum = s.sum.Sum32()
	}
	pdu := s.encode(&EOF{Condition: s.fault, Checksum: s.sum.Sum32(), FileSize: s.next,
		Fault: EntityID{s.e.cfg.Local, entityLength}})
	switch {
	case s.head.Mode == Acknowledged:
		s.ackTimer.start(&s.e.clock, s.e.cfg.Timers.Ack)
	case s.meta.Closure && s.fault == NoError:
		s.ackTimer.start(&s.e.clock, s.e.cfg.Timers.Check)
	default:
		s.finish(s.fault)
		return pdu
	}
	if first {
		s.save()
	}
	return pdu
}

func (s *sender) data() []byte {
	if s.info.Suspended || s.fault != NoError || s.metaDue {
		return nil
	}
	room := uint64(s.e.cfg.MaxPDU - s.head.Length() - s.head.offsetLength())
	if s.head.CRC {
		room -= crcLength
	}
	part, repeat := s.again.take(room)
	if !repeat {
		if part = (Segment{s.next, min(s.next+room, s.info.Size)}); part.Start == part.End {
			return nil
		}
	}
	data := make([]byte, part.End-part.Start)
	if _, err := io.ReadFull(io.NewSectionReader(s.file, int64(part.Start), int64(len(data))), data); err != nil {
		s.abandon(FilestoreRejection)
		return s.control()
	}
	if repeat {
		s.info.Retransmitted++
		// Behind the last of them EOF asks again what is missing: the receiver
		// need not wait for a timer if that one is lost.
		s.eofDue = s.eofDue || s.eofSent && len(s.again.order) == 0
	} else {
		s.next = part.End
		s.sum.Write(data)
		if s.next-s.saved >= saveEvery {
			s.save()
		}
	}
	s.report()
	return s.encode(&FileData{Offset: part.Start, Data: data})
}

func (s *sender) report() {
	before := s.info.Done
	s.info.Done = s.next - s.again.queued.total()
	if worthTelling(before, s.info.Done, s.info.Size) {
		s.e.progress(s.info)
	}
}

// worthTelling is true about a hundred times a file.
func worthTelling(before, after, size uint64) bool {
	step := size/100 + 1
	return after > before && (after/step != before/step || after == size)
}

func (s *sender) receive(body Body) error {
	s.acks = 0
	switch b := body.(type) {
	case *ACK:
		s.acked(b)
	case *NAK:
		s.nak(b)
	case *Finished:
		s.info.Condition = b.Condition
		h := s.head
		s.e.reply(h, &ACK{Of: DirectiveFinished, Condition: b.Condition, Status: StatusTerminated})
		if b.Condition == NoError {
			s.info.Done = s.info.Size
		}
		s.finish(b.Condition)
	case *KeepAlive:
	default:
		return fmt.Errorf("transaction %v: a sender has no use for this PDU", s.info.ID)
	}
	return nil
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
	if s.info.Suspended || !s.ackTimer.expired(&s.e.clock) {
		return
	}
	s.acks++
	switch {
	case s.head.Mode == Unacknowledged && s.acks > s.e.cfg.Timers.CheckLimit:
		s.finish(CheckLimitReached)
	case s.head.Mode == Unacknowledged:
		s.ackTimer.start(&s.e.clock, s.e.cfg.Timers.Check)
	case s.acks > s.e.cfg.Timers.AckLimit && s.fault != NoError:
		s.finish(s.fault)
	case s.acks > s.e.cfg.Timers.AckLimit:
		s.finish(AckLimitReached)
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
// that is acknowledged (§4.11.2.2).
func (s *sender) abandon(why Condition) {
	if s.fault != NoError {
		return
	}
	s.fault, s.info.Condition = why, why
	s.again.clear()
	s.eofDue, s.eofSent, s.eofAcked, s.acks = true, false, false, 0
	s.save()
}

func (s *sender) suspend(on bool) {
	if s.info.Suspended == on {
		return
	}
	s.info.Suspended = on
	if on {
		s.ackTimer.stop()
	} else if s.eofSent {
		// Nothing may be left to send; EOF makes the receiver say what it needs.
		s.eofDue = s.head.Mode == Acknowledged
		if !s.eofDue {
			s.ackTimer.start(&s.e.clock, s.e.cfg.Timers.Check)
		}
	}
	s.save()
}

func (s *sender) finish(c Condition) {
	s.info.Condition = c
	_ = s.file.Close() // it was only read
	s.e.finished(s.info)
	s.e.remove(s, closedTransaction{Condition: c})
}
