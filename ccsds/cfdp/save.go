package cfdp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// A restart costs a transfer at most saveEvery octets, or the 32nd part of the file if
// that is less, but saving is not worth while below saveLeast.
const (
	saveEvery = 256 << 10
	saveLeast = 32 << 10
)

func saveStep(size uint64) uint64 { return max(saveLeast, min(saveEvery, size/32)) }

// maxSavedParts bounds a record; parts that are not in it come again.
const maxSavedParts = 4096

// maxSavedClosed bounds the record of transactions that are over.
const maxSavedClosed = 64

// recordVersion marks records; those of another version are left alone.
const recordVersion = 1

const (
	keySequence   = "sequence"
	keyClosed     = "closed"
	prefixSend    = "send-"
	prefixReceive = "receive-"
)

type sequenceRecord struct {
	Version int
	Next    uint64
}

type closedRecord struct {
	Version int
	All     []savedClosed
}

type savedClosed struct {
	ID  TransactionID
	Was closedTransaction
}

type sendRecord struct {
	Version   int
	ID        TransactionID
	Put       Put
	Size      uint64
	Next      uint64
	EOFSent   bool
	Fault     Condition
	Suspended bool
}

type receiveRecord struct {
	Version   int
	Head      Header
	Meta      *Metadata
	EOF       *EOF
	Have      []Segment
	Token     string
	Over      bool
	Acting    bool `json:",omitempty"`
	Final     closedTransaction
	Suspended bool
	NAKs      int
}

func sendKey(id TransactionID) string    { return prefixSend + id.String() }
func receiveKey(id TransactionID) string { return prefixReceive + id.String() }

// put stores a record; without a Saver that is nothing.
func (e *Entity) put(key string, v any) error {
	if e.cfg.Saver == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err == nil {
		err = e.cfg.Saver.Save(key, b)
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", key, err)
	}
	return nil
}

// failed keeps an error for the method that is running to return.
func (e *Entity) failed(err error) { e.saveErr = errors.Join(e.saveErr, err) }

// takeSequence numbers a new transaction. Numbers must not come again after a
// restart; where no Saver remembers them, they begin at the time of day.
func (e *Entity) takeSequence(now time.Time) uint64 {
	if e.nextSequence == 0 {
		e.nextSequence = max(1, uint64(now.Unix())&math.MaxUint32)
	}
	for {
		n := e.nextSequence
		if e.nextSequence++; e.nextSequence > math.MaxUint32 {
			e.nextSequence = 1
		}
		if e.all[TransactionID{e.cfg.Local, n}] == nil {
			return n
		}
	}
}

func (e *Entity) saveSequence() error {
	return e.put(keySequence, sequenceRecord{recordVersion, e.nextSequence})
}

// saveClosed puts the end of a transaction in place of its record.
func (e *Entity) saveClosed(id TransactionID) {
	if e.cfg.Saver == nil {
		return
	}
	rec := closedRecord{Version: recordVersion}
	for _, id := range e.closed.order[max(0, len(e.closed.order)-maxSavedClosed):] {
		rec.All = append(rec.All, savedClosed{id, e.closed.m[id]})
	}
	e.failed(e.put(keyClosed, rec))
	key := receiveKey(id)
	if id.Source == e.cfg.Local {
		key = sendKey(id)
	}
	e.failed(e.cfg.Saver.Delete(key))
}

func (s *sender) save() { s.e.failed(s.store()) }

func (s *sender) store() error {
	s.saved = s.next
	return s.e.put(sendKey(s.info.ID), sendRecord{
		Version: recordVersion, ID: s.info.ID, Put: s.put, Size: s.info.Size,
		Next: s.next, EOFSent: s.eofSent, Fault: s.fault, Suspended: s.info.Suspended,
	})
}

// save makes the file durable before the record that counts on it.
func (r *receiver) save() {
	if r.e.cfg.Saver == nil {
		return
	}
	rec := receiveRecord{
		Version: recordVersion, Head: r.head, Meta: r.meta, EOF: r.eof, Over: r.over, Acting: r.acting, Final: r.final,
		Suspended: r.info.Suspended, NAKs: r.info.NAKs,
	}
	if f, ok := r.file.(ResumableWriter); ok {
		if err := f.Sync(); err != nil {
			r.e.failed(fmt.Errorf("save transaction %v: %w", r.info.ID, err))
			return
		}
		rec.Token, rec.Have = f.Token(), r.have.parts[:min(len(r.have.parts), maxSavedParts)]
	}
	r.saved = r.info.Done
	r.e.failed(r.e.put(receiveKey(r.info.ID), rec))
}
