package services

import (
	"errors"
	"math"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/scheduler/stored"
)

// Store keeps telemetry and gives it back.
type Store interface {
	Retrieve(from, to timecode.Instant) error
	Abort()
	Delete(until timecode.Instant) error
	Summary() stored.Summary
}

// theStore is the number of the one packet store.
const theStore = 1

// Storing says whether telemetry is to be stored.
func (s *Services) Storing() bool { return !s.notStoring.get() }

// storageHandlers are those of service 15.
func (s *Services) storageHandlers() map[pus.Kind]handler {
	set := func(off bool) handler {
		return s.withStore(func() error {
			return s.notStoring.change(func(v *bool) error { *v = off; return nil })
		})
	}
	return map[pus.Kind]handler{
		kind(15, 1):  set(false),
		kind(15, 2):  set(true),
		kind(15, 9):  s.retrieve,
		kind(15, 11): s.deleteStored,
		kind(15, 12): s.withStore(s.reportStore),
		kind(15, 17): s.withStore(func() error { s.cfg.Store.Abort(); return nil }),
		kind(15, 18): s.storeStatus,
	}
}

func (s *Services) checkStores(stores ...uint16) error {
	if s.cfg.Store == nil {
		return refusal(pus.FailureNotNow, "there is no packet store: no data partition, or safe mode")
	}
	for _, n := range stores {
		if n != theStore {
			return refusal(pus.FailureUnknownName, "no packet store %d", n)
		}
	}
	return nil
}

// withStore carries fn out if the numbers, none or all for each, name the store.
func (s *Services) withStore(fn func() error) handler {
	return func(body any) error {
		if err := s.checkStores(body.(pus.IDs).IDs...); err != nil {
			return err
		}
		return fn()
	}
}

// retrieve is TC[15,9]: all ranges or none.
func (s *Services) retrieve(body any) error {
	list := body.(pus.Retrievals).Retrievals
	if err := s.checkStores(); err != nil {
		return err
	}
	for _, r := range list {
		if err := s.checkStores(r.Store); err != nil {
			return err
		}
		if r.End < r.Start {
			return refusal(pus.FailureBadData, "it ends at %v, before it begins", r.End)
		}
	}
	for _, r := range list {
		err := s.cfg.Store.Retrieve(r.Start, r.End)
		if errors.Is(err, stored.ErrFull) {
			return refusal(pus.FailureFull, "%v", err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// deleteStored is TC[15,11].
func (s *Services) deleteStored(body any) error {
	d := body.(pus.StoreTimes)
	if err := s.checkStores(d.Stores...); err != nil {
		return err
	}
	return s.cfg.Store.Delete(d.At)
}

// reportStore sends TM[15,13].
func (s *Services) reportStore() error {
	sum := s.cfg.Store.Summary()
	filled := uint8(math.Ceil(100 * sum.Filled))
	return s.answer(pus.ServiceStorage, 13, pus.StorageSummary{Stores: []pus.StoreSummary{{
		Store: theStore, Oldest: sum.Oldest, Newest: sum.Newest, OpenFrom: sum.Oldest, Filled: filled, FilledOpen: filled,
	}}})
}

// storeStatus is TC[15,18].
func (s *Services) storeStatus(any) error {
	if err := s.checkStores(); err != nil {
		return err
	}
	return s.answer(pus.ServiceStorage, 19, pus.StorageStatus{Stores: []pus.StoreStatus{{
		Store: theStore, Storing: s.Storing(), ByTime: s.cfg.Store.Summary().Retrievals > 0,
	}}})
}
