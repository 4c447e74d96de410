package services

import (
	"context"
	"sync"

	"github.com/perilune/perilune/ccsds/pus"
)

// turn says when a function runs that came after others.
type turn uint8

const (
	inTurn   turn = iota // when those before it are over, but for those beside
	inLane               // and those of its tenant that are beside
	beside               // like inLane, and only its tenant waits for it: it waits for a guest
	afterAll             // when all are over
)

// lanes are the functions that run beside the others: a mission may take its grace to end, and
// others should not wait for it. Those of one tenant keep their order, since one frees what the
// next one needs. They belong to one goroutine.
type lanes struct {
	all []lane
	run sync.WaitGroup
}

type lane struct {
	tenant string
	done   chan struct{}
}

// runFunctions carries out the functions.
func (s *Services) runFunctions(ctx context.Context) {
	var l lanes
	defer l.run.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case tc := <-s.functions:
			s.function(ctx, &l, tc)
		}
	}
}

// take runs do in its turn, or refuses it: those that wait are bounded.
func (l *lanes) take(ctx context.Context, when turn, tenant string, do func()) error {
	var before chan struct{} // the last one of the tenant
	var left []lane
	for _, one := range l.all {
		if over(one.done) {
			continue
		}
		if left = append(left, one); one.tenant == tenant {
			before = one.done
		}
	}
	l.all = left
	switch {
	case when == afterAll:
		for _, one := range l.all {
			if !await(ctx, one.done) {
				return nil // this program ends
			}
		}
	case when == beside || when == inLane && before != nil:
		if len(l.all) >= functionQueue {
			return refusal(pus.FailureFull, "too many functions wait")
		}
		done := make(chan struct{})
		l.all = append(l.all, lane{tenant, done})
		l.run.Go(func() {
			defer close(done)
			if before == nil || await(ctx, before) {
				do()
			}
		})
		return nil
	}
	do()
	return nil
}

func over(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// await waits for done; false says that ctx ended first.
func await(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
