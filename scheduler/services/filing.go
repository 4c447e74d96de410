package services

import (
	"context"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/scheduler/depot"
)

// Depot manages the files on board. Copy returns when the copy is complete.
type Depot interface {
	Create(pus.FileCreate) error
	Delete(pus.FileName) error
	Attributes(pus.FileName) (pus.FileAttributes, error)
	Lock(f pus.FileName, on bool) error
	Find(pus.FileFind) (pus.FilesFound, error)
	MakeDirectory(pus.FileName) error
	RemoveDirectory(pus.FileName) error
	RenameDirectory(pus.DirectoryRename) error
	List(pus.DirectoryName) (pus.DirectorySummary, error)
	Copy(pus.FileCopy) error
	Move(pus.FileCopy) error
	Steer(operations []uint16, what int) error
	SteerIn(repository string, what int) error
	Progress() []pus.FileCopyState
	ReadAt(f pus.FileName, offset, length int64) ([]byte, error)
	WriteAt(f pus.FileName, offset int64, data []byte) error
}

// minCopyReport is the shortest interval of TM[23,23].
const minCopyReport = time.Second

// long are telecommands that take their time; they have goroutines of their own.
var long = map[pus.Kind]bool{kind(23, 14): true}

// fileHandlers are those of service 23.
func (s *Services) fileHandlers() map[pus.Kind]handler {
	type name = pus.FileName
	all := map[pus.Kind]handler{
		kind(23, 1): func(b any) error { return s.cfg.Depot.Create(b.(pus.FileCreate)) },
		kind(23, 2): func(b any) error { return s.cfg.Depot.Delete(b.(name)) },
		kind(23, 3): func(b any) error {
			a, err := s.cfg.Depot.Attributes(b.(name))
			return s.tell(4, a, err)
		},
		kind(23, 5): func(b any) error { return s.cfg.Depot.Lock(b.(name), true) },
		kind(23, 6): func(b any) error { return s.cfg.Depot.Lock(b.(name), false) },
		kind(23, 7): func(b any) error {
			found, err := s.cfg.Depot.Find(b.(pus.FileFind))
			return s.tell(8, found, err)
		},
		kind(23, 9):  func(b any) error { return s.cfg.Depot.MakeDirectory(b.(name)) },
		kind(23, 10): func(b any) error { return s.cfg.Depot.RemoveDirectory(b.(name)) },
		kind(23, 11): func(b any) error { return s.cfg.Depot.RenameDirectory(b.(pus.DirectoryRename)) },
		kind(23, 12): func(b any) error {
			list, err := s.cfg.Depot.List(b.(pus.DirectoryName))
			return s.tell(13, list, err)
		},
		kind(23, 14): func(b any) error { return s.cfg.Depot.Copy(b.(pus.FileCopy)) },
		kind(23, 15): func(b any) error { return s.cfg.Depot.Move(b.(pus.FileCopy)) },
		kind(23, 22): s.reportCopies,
		kind(23, 24): func(any) error { return s.copyReports.change(func(ms *uint32) error { *ms = 0; return nil }) },
	}
	for i, what := range []int{depot.Suspend, depot.Resume, depot.Abort} {
		all[kind(23, 16+uint8(i))] = func(b any) error { return s.cfg.Depot.Steer(b.(pus.IDs).IDs, what) }
		all[kind(23, 19+uint8(i))] = func(b any) error { return s.cfg.Depot.SteerIn(b.(pus.DirectoryName).Repository, what) }
	}
	for k, h := range all {
		all[k] = func(b any) error {
			if s.cfg.Depot == nil {
				return refusal(pus.FailureNotNow, "there is no file store: no data partition")
			}
			return h(b)
		}
	}
	return all
}

// tell sends a report of service 23, unless there is none.
func (s *Services) tell(subtype uint8, body any, err error) error {
	if err != nil {
		return err
	}
	return s.answer(pus.ServiceFile, subtype, body)
}

// reportCopies is TC[23,22].
func (s *Services) reportCopies(body any) error {
	ms := body.(pus.FileCopyPeriod).Interval
	if time.Duration(ms)*time.Millisecond < minCopyReport {
		return refusal(pus.FailureBadData, "an interval of %d ms, want at least %v", ms, minCopyReport)
	}
	return s.copyReports.change(func(to *uint32) error { *to = ms; return nil })
}

// runCopyReports sends TM[23,23] while copies are under way.
func (s *Services) runCopyReports(ctx context.Context) {
	for {
		var timer <-chan time.Time
		if ms := s.copyReports.get(); ms > 0 {
			timer = s.cfg.Clock.After(time.Duration(ms) * time.Millisecond)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.copyReports.wake:
			continue
		case <-timer:
		}
		if s.cfg.Depot == nil {
			continue
		}
		if list := s.cfg.Depot.Progress(); len(list) > 0 {
			if err := s.answer(pus.ServiceFile, 23, pus.FileCopyStatus{Operations: list}); err != nil {
				s.cfg.Log.Error("copy status", "err", err)
			}
		}
	}
}
