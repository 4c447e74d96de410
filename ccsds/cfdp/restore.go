package cfdp

import (
	"encoding/json"
	"errors"
	"io"
	"sort"
	"strings"
)

// load restores what the Saver holds. A record that cannot be read loses its
// transaction, which the other side then begins again or gives up: that must
// not keep the craft from starting.
func (e *Entity) load() error {
	keep := map[string]bool{}
	if e.cfg.Saver != nil {
		records, err := e.cfg.Saver.Load()
		if err != nil {
			return err
		}
		e.restore(records, keep)
	}
	if store, ok := e.cfg.Store.(Resumer); ok {
		return store.Sweep(keep)
	}
	return nil
}

func (e *Entity) restore(records map[string][]byte, keep map[string]bool) {
	var seq sequenceRecord
	if read(records[keySequence], &seq, &seq.Version) {
		e.nextSequence = seq.Next
	}
	var closed closedRecord
	if read(records[keyClosed], &closed, &closed.Version) {
		for _, c := range closed.All {
			e.closed.add(c.ID, c.Was)
		}
	}
	keys := make([]string, 0, len(records))
	for k := range records {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		switch {
		case strings.HasPrefix(k, prefixSend):
			var rec sendRecord
			if read(records[k], &rec, &rec.Version) && rec.ID.Source == e.cfg.Local {
				e.restoreSender(rec)
			}
		case strings.HasPrefix(k, prefixReceive):
			var rec receiveRecord
			if read(records[k], &rec, &rec.Version) && rec.Head.Source != e.cfg.Local {
				e.restoreReceiver(rec, keep)
			}
		}
	}
}

func read(data []byte, into any, version *int) bool {
	return len(data) > 0 && json.Unmarshal(data, into) == nil && *version == recordVersion
}

func (e *Entity) restoreSender(rec sendRecord) {
	f, err := e.open(rec.Put)
	if err != nil || !rec.Put.Unbounded && uint64(f.Size()) != rec.Size {
		// The file is gone or another: the receiver must hear of it.
		if err == nil {
			_ = f.Close() // it was only read
		}
		f, rec.Fault = noFile{int64(rec.Size)}, FilestoreRejection
	}
	s, err := e.makeSender(rec.ID, rec.Put, f)
	if err != nil {
		_ = f.Close() // the configuration changed; the receiver's inactivity ends it
		return
	}
	if rec.Put.Unbounded && rec.EOFSent {
		s.info.Size, s.open = rec.Size, false
	}
	if !s.open {
		rec.Next = min(rec.Next, s.info.Size)
	}
	s.next, s.saved, s.info.Suspended = rec.Next, rec.Next, rec.Suspended && rec.Fault == NoError
	s.info.Done = s.next
	s.eofSent = rec.EOFSent
	e.add(s) // before anything that may end it
	e.sending++
	switch {
	case rec.Fault != NoError:
		s.fault, s.info.Condition, s.eofDue = rec.Fault, rec.Fault, true
	default:
		if _, err := io.Copy(s.sum, io.NewSectionReader(f, 0, int64(s.next))); err != nil {
			s.abandon(FilestoreRejection)
		}
		s.goOn()
	}
}

func (e *Entity) restoreReceiver(rec receiveRecord, keep map[string]bool) {
	h := rec.Head
	if h.EntityLength < 1 || h.EntityLength > 8 || h.SequenceLength < 1 || h.SequenceLength > 8 {
		return
	}
	r := e.newReceiver(h)
	r.meta, r.eof, r.over, r.final = rec.Meta, rec.EOF, rec.Over, rec.Final
	r.info.Suspended, r.info.NAKs, r.acting = rec.Suspended, rec.NAKs, rec.Acting
	if rec.Meta != nil {
		r.info.Name, r.info.DestName, r.info.Size = rec.Meta.Source, rec.Meta.Dest, rec.Meta.FileSize
		for _, t := range rec.Meta.TLVs {
			if t.Type == TLVMessageToUser {
				r.info.Messages = append(r.info.Messages, t.Value)
			}
		}
	}
	if rec.EOF != nil {
		r.info.Size, r.info.Checksum = rec.EOF.FileSize, rec.EOF.Checksum
	}
	e.add(r)
	r.idle.start(&e.clock, e.cfg.Timers.Inactivity)
	switch {
	case r.over:
		// The event may not have been heard before the restart.
		r.info.Condition, r.info.Done = rec.Final.Condition, r.info.Size
		r.info.Incomplete, r.info.Status, r.info.Responses = rec.Final.Incomplete, rec.Final.Status, responses(rec.Final.Responses)
		r.finDue = true
		e.finished(r.info)
	default:
		r.resume(rec, keep)
	}
}

// committed finds out whether the restart came between the file's rename and
// the record of it: then the file is there and right, and its token is not.
func (r *receiver) committed() bool {
	store, ok := r.e.cfg.Store.(Resumer)
	if !ok || r.eof == nil || r.meta.Checksum == ChecksumNull {
		return false
	}
	f, err := store.Received(r.meta.Dest)
	if err != nil {
		return false
	}
	sum, err := Checksum(r.meta.Checksum, f, r.eof.FileSize)
	_ = f.Close() // it was only read
	return err == nil && sum == r.eof.Checksum && uint64(f.Size()) == r.eof.FileSize
}

// resume goes on with the unfinished file, or begins it again.
func (r *receiver) resume(rec receiveRecord, keep map[string]bool) {
	if r.acting {
		// The file was in place. What was asked for may have been done: it is not
		// begun again.
		r.info.Done = r.info.Size
		status := FileRetained
		if r.meta == nil || r.meta.Dest == "" {
			status = FileUnreported
		}
		requests, _ := r.requests()
		r.finish(closedTransaction{Status: status, Responses: r.answer(requests, nil, "broken off by a restart")})
		return
	}
	if r.meta != nil && r.meta.Dest != "" {
		if f, err := r.reopen(rec.Token); err == nil {
			keep[rec.Token] = true
			r.file = f
			for _, p := range rec.Have {
				r.have.add(p)
			}
		} else if r.committed() {
			r.info.Done = r.info.Size
			r.finish(closedTransaction{Status: FileRetained, Responses: r.act()})
			return
		} else if f, err := r.e.cfg.Store.Create(r.meta.Dest, r.info.Size); err == nil {
			r.file = f
			if f, ok := f.(ResumableWriter); ok {
				keep[f.Token()] = true
			}
		} else {
			_ = r.fail(FilestoreRejection, nil) // the Finished event tells
			return
		}
	}
	r.info.Done = r.have.total()
	r.saved = r.info.Done
	r.thaw()
	_ = r.maybeComplete()
}

func (r *receiver) reopen(token string) (ResumableWriter, error) {
	store, ok := r.e.cfg.Store.(Resumer)
	if !ok || token == "" {
		return nil, errors.New("nothing to resume")
	}
	return store.Resume(r.meta.Dest, token, r.info.Size)
}

// noFile stands for a file that is gone, while its transaction is cancelled.
type noFile struct{ size int64 }

func (noFile) ReadAt([]byte, int64) (int, error) { return 0, io.ErrUnexpectedEOF }
func (noFile) Close() error                      { return nil }
func (f noFile) Size() int64                     { return f.size }
