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

	answer sync.Mutex // held while an answer is given, and while an order is looked at
	saved  bool       // guarded by answer
}

// begin says whether an order begins a snapshot. One that comes while a snapshot is written has
// that one's answer, and one that comes once the answer is out another.
func (s *saver) begin() bool {
	s.answer.Lock()
	defer s.answer.Unlock()
	return !s.saved && s.busy.TryLock()
}

// end gives the answer of the snapshot that was begun.
func (s *saver) end(saved bool, answer func()) {
	s.answer.Lock()
	defer s.answer.Unlock()
	s.saved = saved
	answer()
	s.busy.Unlock()
}

// save answers a Save, beside the guest: whoever says Stop meanwhile is heard.
func (s *slot) save(r wire.Save) {
	if s.saver.file == nil {
		s.unsaved("the claim brought no file for a snapshot")
		return
	}
	if !s.saver.begin() {
		return // the order has come again, or the guest is over: one answer is enough
	}
	go func() {
		to := &target{f: s.saver.file, left: r.Max}
		err := s.machine.Snapshot(to, true)
		if errors.Is(err, errTooLong) {
			err = fmt.Errorf("snapshot has more than the %d octets that it may have", r.Max)
		}
		if err != nil {
			err = errors.Join(err, to.spoil())
		}
		s.saver.end(err == nil, func() {
			if err != nil {
				s.unsaved(err.Error())
				return
			}
			// Whoever does not take it sees the end of the guest, and looks at the file.
			_ = s.say(wire.Saved{Size: to.at})
		})
	}()
}

func (s *slot) unsaved(reason string) { _ = s.say(wire.Unsaved{Reason: reason}) }

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
