package cfdp

import "fmt"

// earlyOverhead is what holding a piece of data costs beside its octets, so
// that many tiny ones count for what they take.
const earlyOverhead = 128

// receiver is the receiving side of a transaction.
type receiver struct {
	e      *Entity
	info   Info
	head   Header // of the PDUs to the sender
	meta   *Metadata
	file   Writer // nil before metadata, and after the end
	have   segments
	early  []*FileData // came before the metadata
	earlyN int         // octets in early
	eof    *EOF        // without error; one with a condition ends the transaction at once
	acting bool        // filestore requests are under way: they are not begun again
	saved  uint64      // info.Done, when last saved
	told   uint64      // info.Done, when last reported

	over      bool // Finished is or was to be sent
	final     closedTransaction
	eofAckDue bool
	finDue    bool
	silent    bool // abandoned: the other side is not told
	prompt    bool // a Keep Alive is due
	ask       asking
	ackTimer  timer // for ACK(Finished)
	nakTimer  timer // class 2: the next NAK; class 1: the check timer
	idle      timer
	keepAlive timer
	expiries  int // in a row, of ackTimer or nakTimer
}

func (e *Entity) newReceiver(h Header) *receiver {
	h.TowardSender, h.CRC = true, e.cfg.CRC
	h.FileData, h.SegmentMetadata, h.SegmentationControl = false, false, false
	r := &receiver{
		e: e, head: h,
		info: Info{ID: h.ID(), Peer: h.Source, Class: 2},
		have: segments{limit: e.cfg.Limits.MaxSegments},
		ask:  asking{asked: segments{limit: e.cfg.Limits.MaxSegments}},
	}
	if h.Mode == Unacknowledged {
		r.info.Class = 1
	}
	return r
}

func (r *receiver) id() TransactionID { return r.info.ID }
func (r *receiver) state() *Info      { return &r.info }
func (r *receiver) priority() uint8   { return 0 }

func (r *receiver) timer() timer {
	return earliest(r.ackTimer, r.nakTimer, r.idle, r.keepAlive)
}

func (r *receiver) receive(h Header, body Body) error {
	r.head.LargeFile = r.head.LargeFile || h.LargeFile
	r.idle.start(&r.e.clock, r.e.cfg.Timers.Inactivity)
	if d := r.e.cfg.Timers.KeepAlive; d > 0 && !r.keepAlive.on && r.eof == nil && !r.over && r.head.Mode == Acknowledged {
		r.keepAlive.start(&r.e.clock, d)
	}
	switch b := body.(type) {
	case *FileData:
		return r.fileData(b)
	case *Metadata:
		return r.metadata(b)
	case *EOF:
		return r.endOfFile(b)
	case *ACK:
		if b.Of == DirectiveFinished && r.over {
			r.close()
		}
	case *Prompt:
		if b.KeepAlive {
			r.prompt = true
		} else {
			r.ask.everything()
			r.ask.prompted = true
		}
	default:
		return fmt.Errorf("transaction %v: a receiver has no use for this PDU", r.info.ID)
	}
	return nil
}

func (r *receiver) metadata(m *Metadata) error {
	if r.meta != nil || r.over {
		return nil
	}
	m.TLVs = cloneTLVs(m.TLVs)
	r.meta = m
	r.info.Name, r.info.DestName, r.info.Size = m.Source, m.Dest, m.FileSize
	if r.eof != nil {
		r.info.Size = r.eof.FileSize
	}
	for _, t := range m.TLVs {
		if t.Type == TLVMessageToUser {
			r.info.Messages = append(r.info.Messages, t.Value)
		}
	}
	r.e.started(r.info)
	switch {
	case m.FileSize > r.e.cfg.Limits.MaxFileSize:
		return r.fail(FileSizeError, fmt.Errorf("file of %d octets, at most %d", m.FileSize, r.e.cfg.Limits.MaxFileSize))
	case m.FileSize > 0 && r.have.end() > m.FileSize:
		return r.fail(FileSizeError, fmt.Errorf("data up to octet %d of %d", r.have.end(), m.FileSize))
	case !m.Checksum.Supported():
		return r.fail(UnsupportedChecksum, fmt.Errorf("checksum type %d", m.Checksum))
	}
	if m.Dest != "" {
		f, err := r.e.cfg.Store.Create(m.Dest, m.FileSize)
		if err != nil {
			return r.fail(FilestoreRejection, err)
		}
		r.file = f
	}
	early := r.early
	r.dropEarly()
	for _, d := range early {
		if err := r.write(d); err != nil {
			return err
		}
	}
	r.save()
	return r.maybeComplete()
}

func (r *receiver) fileData(d *FileData) error {
	end := d.Offset + uint64(len(d.Data))
	part := Segment{d.Offset, end}
	switch {
	case r.over:
		return nil
	case end > r.limit():
		return r.fail(FileSizeError, fmt.Errorf("data up to octet %d of %d", end, r.limit()))
	}
	if r.have.covers(part) {
		r.arrived(part)
		return nil
	}
	if r.meta == nil && !r.keepEarly(d) {
		return nil
	}
	if err := r.write(d); err != nil {
		return err
	}
	before := r.have.end()
	fresh, ok := r.have.add(part)
	if !ok {
		return nil // too many parts: it will be asked for when there are fewer
	}
	r.tellSegment(part, d)
	if d.Offset > before && r.head.Mode == Acknowledged && r.e.cfg.NAK == NAKImmediate {
		r.ask.gap(Segment{before, d.Offset})
	}
	r.info.Done += fresh
	r.expiries = 0
	if r.nakTimer.on {
		r.startNAKTimer()
	}
	r.arrived(part)
	if r.info.Done-r.saved >= saveStep(r.info.Size) {
		r.save()
	}
	if r.info.Size > 0 && worthTelling(r.told, r.info.Done, r.info.Size) {
		r.told = r.info.Done
		r.e.progress(r.info)
	}
	return r.maybeComplete()
}

// tellSegment passes on what the segment metadata says.
func (r *receiver) tellSegment(part Segment, d *FileData) {
	if f := r.e.ev.Segment; f != nil && d.HasMetadata {
		id, about := r.info.ID, FileData{HasMetadata: true, Continuation: d.Continuation, SegmentMeta: append([]byte(nil), d.SegmentMeta...), Offset: d.Offset}
		r.e.events = append(r.e.events, func() { f(id, part, about) })
	}
}

// limit is the first octet that cannot be part of the file.
func (r *receiver) limit() uint64 {
	switch {
	case r.eof != nil:
		return r.eof.FileSize
	case r.meta != nil && r.meta.FileSize > 0:
		return r.meta.FileSize
	}
	return r.e.cfg.Limits.MaxFileSize
}

// keepEarly holds data that cannot be written yet, if there is room.
func (r *receiver) keepEarly(d *FileData) bool {
	r.ask.metadata = r.ask.metadata || r.e.cfg.NAK == NAKImmediate && !r.ask.metaSent
	cost := len(d.Data) + earlyOverhead
	if r.e.early+cost > r.e.cfg.Limits.MaxEarly {
		return false
	}
	r.early = append(r.early, &FileData{Offset: d.Offset, Data: append([]byte(nil), d.Data...)})
	r.earlyN += cost
	r.e.early += cost
	return true
}

func (r *receiver) dropEarly() {
	r.e.early -= r.earlyN
	r.early, r.earlyN = nil, 0
}

// write puts data into the file. A transaction without file has nowhere to.
func (r *receiver) write(d *FileData) error {
	if r.meta == nil || len(d.Data) == 0 {
		return nil
	}
	if r.file == nil {
		return r.fail(InvalidFileStructure, fmt.Errorf("data without a file"))
	}
	if _, err := r.file.WriteAt(d.Data, int64(d.Offset)); err != nil {
		return r.fail(FilestoreRejection, err)
	}
	return nil
}

func (r *receiver) endOfFile(b *EOF) (err error) {
	acknowledged := r.head.Mode == Acknowledged
	switch {
	case b.Condition != NoError:
		if acknowledged {
			r.e.reply(r.head, &ACK{Of: DirectiveEOF, Condition: b.Condition, Status: StatusTerminated})
		}
		r.cancelled(b.Condition)
		return nil
	case r.over:
		r.finDue = r.finDue || acknowledged
	case r.eof != nil:
		// The sender waits for us; it may not know what we lack.
		r.answered()
	default:
		r.eof = b
		r.info.Size, r.info.Checksum = b.FileSize, b.Checksum
		r.answered()
		if b.FileSize > r.e.cfg.Limits.MaxFileSize || r.have.end() > b.FileSize {
			err = r.fail(FileSizeError, fmt.Errorf("data up to octet %d, EOF at %d, at most %d", r.have.end(), b.FileSize, r.e.cfg.Limits.MaxFileSize))
		} else {
			r.save()
			err = r.maybeComplete()
		}
		if !r.over {
			r.startNAKTimer()
		}
	}
	r.eofAckDue = acknowledged
	return err
}
