package cfdp

import (
	"bytes"
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
	file  Reader
	open  bool // the end of the file was not reached, and its size is not known
	sum   hash.Hash32
	next  uint64 // first octet never sent
	again repeats
	saved uint64 // next, when last saved

	prompts  [2]bool // due: for a NAK, for a Keep Alive
	metaDue  bool
	eofDue   bool
	eofSent  bool
	eofAcked bool
	asked    bool      // EOF was due again because of a Finished that came before the ACK
	fault    Condition // why it is being cancelled; NoError while it is not
	ackTimer timer
	acks     int // expiries in a row
	final    closedTransaction
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
	f, err := e.open(p)
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

// open opens what is to be sent: a file of the store, octets at hand, or nothing.
func (e *Entity) open(p Put) (Reader, error) {
	if p.Source == "" || p.Content != nil {
		return content{bytes.NewReader(p.Content)}, nil
	}
	if store, ok := e.cfg.Store.(Lender); ok && p.Served {
		return store.Lend(p.Source)
	}
	return e.cfg.Store.Open(p.Source)
}

type content struct{ *bytes.Reader }

func (content) Close() error { return nil }

// makeSender puts the parts together, for a new transaction as for a restored
// one.
func (e *Entity) makeSender(id TransactionID, p Put, f Reader) (*sender, error) {
	size := uint64(max(0, f.Size()))
	open := p.Unbounded || f.Size() < 0
	if size > e.cfg.Limits.MaxFileSize {
		return nil, fmt.Errorf("file of %d octets, at most %d", size, e.cfg.Limits.MaxFileSize)
	}
	if open {
		size = 0
	}
	sum, err := newChecksum(p.Checksum)
	if err != nil {
		return nil, err
	}
	if _, ok := f.(RecordReader); p.Records && !ok {
		return nil, errors.New("the file store knows no records")
	}
	s := &sender{
		e: e, put: p, file: f, open: open, sum: sum, metaDue: true,
		final: closedTransaction{Status: FileUnreported},
		info: Info{ID: id, Source: true, Peer: p.Dest, Class: p.Class,
			Name: p.Source, DestName: p.DestName, Size: size, Priority: p.Priority, Served: p.Served},
		head: Header{CRC: e.cfg.CRC, LargeFile: size > math.MaxUint32 || open && e.cfg.Limits.MaxFileSize > math.MaxUint32,
			Mode: Acknowledged, SegmentationControl: p.Records,
			EntityLength: entityLength, SequenceLength: sequenceLength,
			Source: id.Source, Sequence: id.Sequence, Destination: p.Dest},
		meta: Metadata{Closure: p.Closure && p.Class == 1, Checksum: p.Checksum, FileSize: size,
			Source: p.Source, Dest: p.DestName},
		again: repeats{queued: segments{limit: e.cfg.Limits.MaxSegments}},
	}
	if p.Class == 1 {
		s.head.Mode = Unacknowledged
	}
	if p.Content != nil {
		s.meta.Source = p.DestName // what has no name here has to have one there
	}
	if s.meta.TLVs, err = p.fields(); err != nil {
		return nil, err
	}
	if !requestsFit(p.Requests, e.cfg.MaxPDU-s.head.Length()-16) {
		return nil, errors.New("the answers to so many filestore requests do not fit a PDU")
	}
	pdu, err := Append(nil, s.head, &s.meta)
	if err == nil && len(pdu) > e.cfg.MaxPDU {
		err = fmt.Errorf("metadata PDU of %d octets, at most %d", len(pdu), e.cfg.MaxPDU)
	}
	return s, err
}

func (s *sender) id() TransactionID { return s.info.ID }
func (s *sender) state() *Info      { return &s.info }
func (s *sender) priority() uint8   { return s.put.Priority }
func (s *sender) timer() timer      { return s.ackTimer }

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
	case s.prompts[0] || s.prompts[1]:
		keepAlive := s.prompts[1]
		s.prompts[bitOf(keepAlive)] = false
		return s.encode(&Prompt{KeepAlive: keepAlive})
	case !s.eofDue && (s.eofSent || s.open || s.next < s.info.Size):
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
	part, repeat := s.part()
	if part.Start == part.End {
		return nil
	}
	data := make([]byte, part.End-part.Start)
	n, err := io.ReadFull(io.NewSectionReader(s.file, int64(part.Start), int64(len(data))), data)
	if s.open && !repeat && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		s.open, err = false, nil
		part.End, data = part.Start+uint64(n), data[:n]
		s.info.Size = part.End
	}
	switch {
	case err != nil:
		s.abandon(FilestoreRejection)
		return s.control()
	case part.End > s.e.cfg.Limits.MaxFileSize:
		s.abandon(FileSizeError)
		return s.control()
	case n == 0:
		return s.control() // the end was reached behind the last PDU
	}
	if repeat {
		s.info.Retransmitted++
		// Behind the last of them EOF asks again what is missing: the receiver
		// need not wait for a timer if that one is lost.
		s.eofDue = s.eofDue || s.eofSent && len(s.again.order) == 0
	} else {
		s.next = part.End
		s.sum.Write(data)
		if s.next-s.saved >= saveStep(s.info.Size) {
			s.save()
		}
	}
	s.report()
	return s.encode(s.fileData(part, data))
}

// part chooses what goes next, and takes it off what is to be repeated.
func (s *sender) part() (part Segment, repeat bool) {
	if at, ok := s.again.first(); ok {
		return s.again.take(s.room(at))
	}
	end := s.next + s.room(s.next)
	if !s.open {
		end = min(end, s.info.Size)
	}
	return Segment{s.next, end}, false
}

// room is how many octets of the file from offset at fit a PDU; where record
// boundaries are kept, none beyond the record's end.
func (s *sender) room(at uint64) uint64 {
	room := uint64(s.e.cfg.Data - s.head.Length() - s.head.offsetLength())
	if s.head.CRC {
		room -= crcLength
	}
	if records, ok := s.file.(RecordReader); ok && s.put.Records {
		room-- // for the segment metadata
		if end := records.RecordEnd(at); end > at {
			room = min(room, end-at)
		}
	}
	return room
}

// Record continuation states, table 5-15.
const (
	recordStarts = 1
	recordEnds   = 2
)

func (s *sender) fileData(part Segment, data []byte) *FileData {
	d := &FileData{Offset: part.Start, Data: data}
	if records, ok := s.file.(RecordReader); ok && s.put.Records {
		d.HasMetadata = true
		if part.Start == 0 || records.RecordEnd(part.Start-1) == part.Start {
			d.Continuation |= recordStarts
		}
		if records.RecordEnd(part.End-1) == part.End {
			d.Continuation |= recordEnds
		}
	}
	return d
}

func (s *sender) report() {
	before, size := s.info.Done, s.info.Size
	s.info.Done = s.next - s.again.queued.total()
	if s.open {
		size = 100 * saveEvery
	}
	if worthTelling(before, s.info.Done, size) {
		s.e.progress(s.info)
	}
}

// worthTelling is true about a hundred times a file.
func worthTelling(before, after, size uint64) bool {
	step := size/100 + 1
	return after > before && (after/step != before/step || after == size)
}
