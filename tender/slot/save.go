package slot

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"

	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/snapshot"
	"github.com/perilune/perilune/tender/wire"
)

// errTooLong ends a snapshot that is longer than flight allows.
var errTooLong = errors.New("it is longer")

// saver writes the one snapshot of a slot.
type saver struct {
	file *os.File   // from the claim; nil: it brought none
	busy sync.Mutex // held while a snapshot is written, and at the end

	mu      sync.Mutex // held while an answer is given, and while an order is looked at
	order   uint64     // the last one that began a snapshot; guarded by mu, as the rest
	writing bool       // it is being carried out
	saved   bool       // it was
	unsaved string     // why it was not, if neither
}

// errOther refuses an order that comes while another one is carried out.
const errOther = "another order to save it is being carried out"

// begin says whether an order begins a snapshot. One that does not has the answer that it gives to
// answer, or, if it gives none, that of the order that is carried out, or the guest's end.
func (s *saver) begin(order uint64, answer func(reason string)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch again := order == s.order; {
	case s.saved, again && s.writing:
	case s.writing:
		answer(errOther)
	case again && s.unsaved != "": // whoever gave it has not heard, or not yet
		answer(s.unsaved)
	case s.busy.TryLock(): // else the guest is over
		s.order, s.writing, s.unsaved = order, true, ""
		return true
	}
	return false
}

// end gives the answer of the snapshot that was begun: an empty reason says that it was written.
func (s *saver) end(reason string, answer func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing, s.saved, s.unsaved = false, reason == "", reason
	answer()
	s.busy.Unlock()
}

// save answers a Save, beside the guest: whoever says Stop meanwhile is heard.
func (s *slot) save(r wire.Save) {
	unsaved := func(reason string) { _ = s.say(wire.Unsaved{Order: r.Order, Reason: reason}) }
	if s.saver.file == nil {
		unsaved("the claim brought no file for a snapshot")
		return
	}
	if !s.saver.begin(r.Order, unsaved) {
		return
	}
	go func() {
		to := &target{f: s.saver.file, left: r.Max}
		if err := s.write(to, r.Max); err != nil {
			s.saver.end(err.Error(), func() { unsaved(err.Error()) })
			return
		}
		// Whoever does not take it sees the end of the guest, and looks at the file.
		s.saver.end("", func() { _ = s.say(wire.Saved{Order: r.Order, Size: to.at}) })
	}()
}

// write writes the snapshot, of at most so many octets, and ends the guest.
func (s *slot) write(to *target, most uint64) error {
	err := s.machine.Snapshot(to, true)
	if errors.Is(err, errTooLong) {
		err = fmt.Errorf("snapshot has more than the %d octets that it may have", most)
	}
	if err != nil {
		err = errors.Join(err, to.spoil())
	}
	return err
}

// target writes a file from its beginning, wherever it was left.
type target struct {
	f        *os.File
	at, left uint64
}

func (t *target) Write(p []byte) (int, error) {
	if uint64(len(p)) > t.left {
		return 0, errTooLong
	}
	n, err := t.f.WriteAt(p, int64(t.at))
	t.at, t.left = t.at+uint64(n), t.left-uint64(n)
	return n, err
}

func (t *target) Sync() error { return t.f.Sync() }

// spoil makes what was written worth nothing: its guest goes on, and whoever looks at the
// file later must not take it for the guest's end.
func (t *target) spoil() error {
	if t.at == 0 {
		return nil
	}
	if _, err := t.f.WriteAt(make([]byte, 8), 0); err != nil {
		return err
	}
	return t.f.Sync()
}

// restore puts the guest of a snapshot, from the file's beginning, into the machine. Its program is the
// snapshot's; the claim's must declare the same.
func (s *slot) restore(c tender.Config, file *os.File) error {
	r, err := snapshot.NewReader(io.NewSectionReader(file, 0, math.MaxInt64))
	if err != nil {
		return err
	}
	if err := snapshot.Differ("memory, octets", r.Header.Memory, c.Memory); err != nil {
		return err
	}
	return s.machine.Restore(c, r)
}

// largestFile is how long a file may become that the slot writes, in octets.
func (s *slot) largestFile(saves bool) uint64 {
	n := uint64(1 << 20) // its log
	for _, b := range s.devices.blocks {
		n = max(n, b.Attachment().Capacity)
	}
	if saves {
		n = max(n, s.machine.SnapshotSize())
	}
	return n
}

// invalid are what is wrong with a snapshot whatever it is restored in.
var invalid = []error{snapshot.ErrNotOne, snapshot.ErrVersion, snapshot.ErrTruncated, snapshot.ErrCorrupt}

func isInvalid(err error) bool {
	for _, e := range invalid {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
