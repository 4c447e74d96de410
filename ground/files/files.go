// Package files is the ground's end of file transfer: a CFDP entity, what it sends from
// an outbox, and the folder where it puts what comes down, each file with a record of
// where it came from.
//
//	DIR/files/NAME            as the craft named it
//	DIR/provenance/NAME.json  size, digest, tenant, mission, time, transfer
//	DIR/outbox/N              copies of what goes up, until it is there
package files

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/internal/client"
)

// Entity ids of the two ends.
const (
	EntityGround = 1
	EntityCraft  = 2
)

// maxTransfers is how many transfers are remembered when they are over.
const maxTransfers = 256

// Event is what is told about a transfer.
type Event = client.Event

// Record is the durable state of the entity.
type Record interface {
	Put(bucket, key string, v any) error
	Delete(bucket, key string) error
	Each(bucket string, fn func(key string, read func(v any) error) error) error
}

// Config says where files are and who is told.
type Config struct {
	Dir    string
	MaxPDU int // octets of a PDU; 0 for the default
	Timers cfdp.Timers
	State  Record
	Event  func(Event) // called with the entity locked: it must not call back
	Now    time.Time
	Log    *slog.Logger
}

// Files is the entity with its folders. It is safe for concurrent use.
type Files struct {
	cfg    Config
	store  split
	mu     sync.Mutex
	entity *cfdp.Entity
	now    time.Time // of the call that runs
	bit    uint64    // where the PDU that is being taken began
	all    []*client.Transfer
	byID   map[string]*client.Transfer
	waits  map[string][]chan client.Transfer
	asks   map[string]bool // transfers whose answer is still to come: true once the question is there
	heard  time.Time       // the last PDU, or the return of the signal
	frozen bool
	listed int // listings asked for
}

// split receives into one folder and sends from another.
type split struct {
	*cfdp.Dir
	out *cfdp.Dir
}

// Open opens a file of the outbox for sending.
func (s split) Open(name string) (cfdp.Reader, error) { return s.out.Open(name) }

// Open makes the folders and takes up the transfers of the last process.
func Open(cfg Config) (*Files, error) {
	f := &Files{cfg: cfg, now: cfg.Now, heard: cfg.Now, byID: map[string]*client.Transfer{}, waits: map[string][]chan client.Transfer{}, asks: map[string]bool{}}
	for _, dir := range []string{"files", "outbox", "provenance"} {
		if err := os.MkdirAll(filepath.Join(cfg.Dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	if f.store.Dir, err = cfdp.DirStore(filepath.Join(cfg.Dir, "files")); err != nil {
		return nil, err
	}
	if f.store.out, err = cfdp.DirStore(filepath.Join(cfg.Dir, "outbox")); err != nil {
		return nil, errors.Join(err, f.store.Close())
	}
	if err := os.RemoveAll(filepath.Join(cfg.Dir, "files", filepath.FromSlash(listings))); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	f.entity, err = cfdp.New(cfdp.Config{
		Local: EntityGround, MaxPDU: cfg.MaxPDU, Timers: cfg.Timers, Store: f.store, Saver: saver{cfg.State, cfg.Log},
	}, cfdp.Events{Started: f.started, Progress: f.progress, Finished: f.finished, NAK: f.nak})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	sending := map[string]bool{}
	for _, i := range f.entity.Transactions() {
		f.update(i)
		sending[i.Name] = sending[i.Name] || i.Source // what comes down may have any name
	}
	return f, f.sweep(sending)
}

// sweep removes what an upload left in the outbox that never became a transfer.
func (f *Files) sweep(sending map[string]bool) error {
	all, err := filepath.Glob(filepath.Join(f.cfg.Dir, "outbox", outboxPrefix+"*"))
	for _, path := range all {
		if !sending[filepath.Base(path)] {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

const outboxPrefix = "up-"

// Close lets go of the folders.
func (f *Files) Close() error { return errors.Join(f.store.Close(), f.store.out.Close()) }

// Upload copies src and begins to send it.
func (f *Files) Upload(now time.Time, src io.Reader, p client.Put) (client.Transfer, error) {
	dest := p.Dest
	if p.Class < 0 || p.Class > 2 || p.Priority < 0 || p.Priority > 255 {
		return client.Transfer{}, fmt.Errorf("upload %s: class %d, priority %d: %w: want class 1 or 2, priority 0 to 255", dest, p.Class, p.Priority, fs.ErrInvalid)
	}
	if !filepath.IsLocal(dest) || strings.ContainsAny(dest, "\\\x00") || len(dest) > 255 {
		return client.Transfer{}, fmt.Errorf("destination %q: %w: want a relative path of at most 255 octets", dest, fs.ErrInvalid)
	}
	name, err := f.copyIn(src)
	if err != nil {
		return client.Transfer{}, fmt.Errorf("upload %s: %w", dest, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
	id, err := f.entity.Put(now, cfdp.Put{Dest: EntityCraft, Source: name, DestName: dest, Class: p.Class, Priority: uint8(p.Priority)})
	if err != nil {
		return client.Transfer{}, errors.Join(fmt.Errorf("upload %s: %w", dest, err), os.Remove(f.outboxPath(name)))
	}
	return *f.byID[id.String()], nil
}

// copyIn puts src into the outbox under a new name.
func (f *Files) copyIn(src io.Reader) (string, error) {
	tmp, err := os.CreateTemp(filepath.Join(f.cfg.Dir, "outbox"), outboxPrefix+"*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(tmp, src)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return "", errors.Join(err, os.Remove(tmp.Name()))
	}
	return filepath.Base(tmp.Name()), nil
}

func (f *Files) outboxPath(name string) string {
	return filepath.Join(f.cfg.Dir, "outbox", filepath.Base(name))
}

// Receive takes a PDU that began at bit of the received stream.
func (f *Files) Receive(now time.Time, pdu []byte, bit uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now, f.heard, f.bit = now, now, bit
	defer func() { f.bit = 0 }()
	return f.entity.Receive(now, pdu)
}

// Next gives the next PDU to radiate.
func (f *Files) Next(now time.Time) ([]byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
	return f.entity.Next(now)
}

// Tick runs timers that are due and says when to come again, zero for never.
func (f *Files) Tick(now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
	if t := f.entity.NextTimer(); !t.IsZero() && !t.After(now) {
		f.entity.Tick(now)
	}
	return earlier(f.entity.NextTimer(), f.giveUp())
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Freeze stops the timers while there is no signal.
func (f *Files) Freeze(now time.Time, on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
	if f.frozen && !on {
		f.heard = now
	}
	f.frozen = on
	f.entity.Freeze(on)
}

// saver keeps the entity's records in the station's state.
type saver struct {
	r   Record
	log *slog.Logger
}

const bucket = "cfdp"

func (s saver) Save(key string, record []byte) error {
	return s.r.Put(bucket, key, json.RawMessage(record))
}

func (s saver) Delete(key string) error { return s.r.Delete(bucket, key) }

// Load leaves out what cannot be read: the transfer is lost, the station is not.
func (s saver) Load() (map[string][]byte, error) {
	all := map[string][]byte{}
	err := s.r.Each(bucket, func(key string, read func(any) error) error {
		var record json.RawMessage
		if err := read(&record); err != nil {
			s.log.Error("record of a transfer", "key", key, "err", err)
			return nil
		}
		all[key] = record
		return nil
	})
	return all, err
}
