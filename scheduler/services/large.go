package services

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
)

// largeTimeout is how long a telecommand in parts may take between two of them.
const largeTimeout = 10 * time.Minute

// Reasons of TM[13,16].
const (
	largeTimedOut = 1
	largeGaveWay  = 2 // to a newer one
	largeBadParts = 3
)

// large are telecommands that come in parts (ECSS-E-ST-70-41C §6.13).
type large struct {
	mu    sync.Mutex
	parts pus.Assembler
	last  map[uint16]time.Time
	wake  chan struct{}
}

// largeHandlers are those of service 13; a telecommand that is complete is carried out as if
// it had come whole, with reports of its own.
func (s *Services) largeHandlers() map[pus.Kind]handler {
	all := map[pus.Kind]handler{}
	for _, subtype := range []uint8{9, 10, 11} {
		k := kind(pus.ServiceLarge, subtype)
		all[k] = func(b any) error { return s.part(k, b.(pus.LargePart)) }
	}
	return all
}

func (s *Services) part(k pus.Kind, p pus.LargePart) error {
	l := &s.large
	l.mu.Lock()
	packet, lost, err := l.parts.Add(k, p)
	open := l.parts.Open() // a part may come again when its transfer is over
	maps.DeleteFunc(l.last, func(n uint16, _ time.Time) bool { return !slices.Contains(open, n) })
	if slices.Contains(open, p.Transaction) {
		l.last[p.Transaction] = s.cfg.Clock.Now()
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	for _, n := range lost {
		s.abortLarge(n, largeGaveWay)
	}
	if err != nil {
		s.abortLarge(p.Transaction, largeBadParts)
		return refusal(pus.FailureBadData, "%v", err)
	}
	if packet == nil {
		return nil
	}
	if tc, err := pus.ParseTC(packet); err == nil && tc.Service == pus.ServiceLarge {
		return refusal(pus.FailureIllegalType, "a part of a telecommand is no telecommand in parts")
	}
	s.Telecommand(packet)
	return nil
}

// abortLarge sends TM[13,16].
func (s *Services) abortLarge(transaction, reason uint16) {
	if err := s.answer(pus.ServiceLarge, 16, pus.LargeAbort{Transaction: transaction, Reason: reason}); err != nil {
		s.cfg.Log.Error("large packet", "transaction", transaction, "err", err)
	}
}

// runLarge gives up what gets no more parts.
func (s *Services) runLarge(ctx context.Context) {
	for {
		late, wait, any := s.lateLarge(s.cfg.Clock.Now())
		for _, n := range late {
			s.abortLarge(n, largeTimedOut)
		}
		if !s.rest(ctx, wait, any, s.large.wake) {
			return
		}
	}
}

// lateLarge forgets the transfers whose time is over, and says how long the next one has.
func (s *Services) lateLarge(now time.Time) (late []uint16, wait time.Duration, any bool) {
	l := &s.large
	l.mu.Lock()
	defer l.mu.Unlock()
	wait = largeTimeout
	for _, n := range l.parts.Open() {
		left := l.last[n].Add(largeTimeout).Sub(now)
		if left <= 0 {
			l.parts.Forget(n)
			delete(l.last, n)
			late = append(late, n)
			continue
		}
		wait, any = min(wait, left), true
	}
	return late, wait, any
}
