package services

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
)

// Bounds of service 21.
const (
	maxSequences    = 16
	maxSteps        = 256
	maxSequenceFile = 64 << 10
	maxDelay        = 24 * time.Hour
)

// sequences are those that run; a restart of the program ends them, those that are loaded
// stay.
type sequences struct {
	begin chan *running

	mu  sync.Mutex
	now map[uint16]*running
}

type running struct {
	load pus.SequenceLoad
	stop chan struct{} // closed by an abort
}

func newSequences() sequences {
	return sequences{begin: make(chan *running, maxSequences), now: map[uint16]*running{}}
}

// sequenceHandlers are those of service 21.
func (s *Services) sequenceHandlers() map[pus.Kind]handler {
	id := func(fn func(uint16) error) handler {
		return func(b any) error { return fn(b.(pus.SequenceID).Sequence) }
	}
	return map[pus.Kind]handler{
		kind(21, 1): func(b any) error { return s.loadSequence(b.(pus.SequenceLoad)) },
		kind(21, 2): func(b any) error { return s.loadSequenceFile(b.(pus.SequenceFile)) },
		kind(21, 3): id(s.unloadSequence),
		kind(21, 4): id(s.startSequence),
		kind(21, 5): id(s.abortSequence),
		kind(21, 6): func(any) error { return s.reportSequences() },
		kind(21, 8): func(b any) error {
			f := b.(pus.SequenceFile)
			if err := s.loadSequenceFile(f); err != nil {
				return err
			}
			return s.startSequence(f.Sequence)
		},
		kind(21, 9): id(func(n uint16) error {
			data, err := s.sequenceOctets(n)
			if err != nil {
				return err
			}
			return s.answer(pus.ServiceSequence, 10, pus.SequenceChecksum{Sequence: n, Checksum: ccsds.CRC16(data)})
		}),
		kind(21, 11): id(func(n uint16) error {
			q, err := s.sequence(n)
			if err != nil {
				return err
			}
			return s.answer(pus.ServiceSequence, 12, q)
		}),
		kind(21, 13): func(any) error { return s.abortAll() },
	}
}

// sequence is one that is loaded.
func (s *Services) sequence(n uint16) (pus.SequenceLoad, error) {
	all := s.loaded.get()
	i := slices.IndexFunc(all, func(q pus.SequenceLoad) bool { return q.Sequence == n })
	if i < 0 {
		return pus.SequenceLoad{}, refusal(pus.FailureUnknownName, "sequence %d is not loaded", n)
	}
	return all[i], nil
}

// sequenceOctets is a sequence as TM[21,12] has it.
func (s *Services) sequenceOctets(n uint16) ([]byte, error) {
	q, err := s.sequence(n)
	if err != nil {
		return nil, err
	}
	return s.cfg.Database.Form.Encode(pus.Kind{TM: true, Service: pus.ServiceSequence, Subtype: 12}, q)
}

// loadSequence is TC[21,1]. A sequence does not steer sequences, so that none can start
// itself for ever.
func (s *Services) loadSequence(q pus.SequenceLoad) error {
	if len(q.Steps) == 0 || len(q.Steps) > maxSteps {
		return refusal(pus.FailureBadData, "%d steps, want 1 to %d", len(q.Steps), maxSteps)
	}
	for i, step := range q.Steps {
		tc, err := s.parse(step.Request)
		switch {
		case err != nil:
			_, text := explain(err)
			return refusal(pus.FailureBadData, "step %d: %s", i, text)
		case tc.Service == pus.ServiceSequence:
			return refusal(pus.FailureIllegalType, "step %d: a sequence does not steer sequences", i)
		case time.Duration(step.Delay)*time.Millisecond > maxDelay:
			return refusal(pus.FailureBadData, "step %d waits %d ms, at most %v", i, step.Delay, maxDelay)
		}
	}
	return s.loaded.change(func(all *[]pus.SequenceLoad) error {
		if slices.ContainsFunc(*all, func(o pus.SequenceLoad) bool { return o.Sequence == q.Sequence }) {
			return refusal(pus.FailureRefused, "sequence %d is loaded: unload it first", q.Sequence)
		}
		if len(*all) >= maxSequences {
			return refusal(pus.FailureFull, "%d sequences are loaded, at most %d", len(*all), maxSequences)
		}
		*all = append(*all, q)
		return nil
	})
}

// loadSequenceFile is TC[21,2]: the file holds the message of a TC[21,1] for that sequence.
func (s *Services) loadSequenceFile(f pus.SequenceFile) error {
	data, err := s.wholeFile(pus.FileName{Repository: f.Repository, Name: f.File}, maxSequenceFile)
	if err != nil {
		return err
	}
	body, err := s.cfg.Database.Form.Decode(kind(21, 1), data)
	if err != nil {
		return err
	}
	q := body.(pus.SequenceLoad)
	if q.Sequence != f.Sequence {
		return refusal(pus.FailureBadData, "%s holds sequence %d", f.File, q.Sequence)
	}
	return s.loadSequence(q)
}

// wholeFile reads a file of the file store.
func (s *Services) wholeFile(f pus.FileName, most uint64) ([]byte, error) {
	if s.cfg.Depot == nil {
		return nil, refusal(pus.FailureNotNow, "there is no file store: no data partition")
	}
	a, err := s.cfg.Depot.Attributes(f)
	if err != nil {
		return nil, err
	}
	if a.Size > most {
		return nil, refusal(pus.FailureFull, "%s has %d octets, at most %d", f.Name, a.Size, most)
	}
	return s.cfg.Depot.ReadAt(f, 0, int64(a.Size))
}

// unloadSequence is TC[21,3].
func (s *Services) unloadSequence(n uint16) error {
	if _, err := s.sequence(n); err != nil {
		return err
	}
	s.sequences.mu.Lock()
	defer s.sequences.mu.Unlock()
	if s.sequences.now[n] != nil {
		return refusal(pus.FailureRefused, "sequence %d runs: abort it first", n)
	}
	return s.loaded.change(func(all *[]pus.SequenceLoad) error {
		*all = slices.DeleteFunc(*all, func(o pus.SequenceLoad) bool { return o.Sequence == n })
		return nil
	})
}

// startSequence is TC[21,4].
func (s *Services) startSequence(n uint16) error {
	q, err := s.sequence(n)
	if err != nil {
		return err
	}
	s.sequences.mu.Lock()
	defer s.sequences.mu.Unlock()
	if s.sequences.now[n] != nil {
		return refusal(pus.FailureRefused, "sequence %d runs already", n)
	}
	r := &running{load: q, stop: make(chan struct{})}
	select {
	case s.sequences.begin <- r:
		s.sequences.now[n] = r
		return nil
	default:
		return refusal(pus.FailureFull, "too many sequences begin")
	}
}

// abortSequence is TC[21,5].
func (s *Services) abortSequence(n uint16) error {
	s.sequences.mu.Lock()
	defer s.sequences.mu.Unlock()
	r := s.sequences.now[n]
	if r == nil {
		return refusal(pus.FailureNotNow, "sequence %d does not run", n)
	}
	delete(s.sequences.now, n)
	close(r.stop)
	return nil
}

// abortAll is TC[21,13], answered by TM[21,14].
func (s *Services) abortAll() error {
	var out pus.IDs
	s.sequences.mu.Lock()
	for n, r := range s.sequences.now {
		out.IDs = append(out.IDs, n)
		delete(s.sequences.now, n)
		close(r.stop)
	}
	s.sequences.mu.Unlock()
	slices.Sort(out.IDs)
	return s.answer(pus.ServiceSequence, 14, out)
}

// reportSequences sends TM[21,7].
func (s *Services) reportSequences() error {
	var out pus.SequenceStatus
	all := s.loaded.get()
	s.sequences.mu.Lock()
	for _, q := range all {
		out.Sequences = append(out.Sequences, pus.SequenceState{Sequence: q.Sequence, Running: s.sequences.now[q.Sequence] != nil})
	}
	s.sequences.mu.Unlock()
	return s.answer(pus.ServiceSequence, 7, out)
}

// runSequences lets sequences run, each on its own goroutine.
func (s *Services) runSequences(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-s.sequences.begin:
			wg.Go(func() { s.runSequence(ctx, r) })
		}
	}
}

// runSequence releases the steps of a sequence, each with its own reports. A step that fails
// does not end it.
func (s *Services) runSequence(ctx context.Context, r *running) {
	for i, step := range r.load.Steps {
		select {
		case <-r.stop:
			return
		default:
		}
		tc, err := s.parse(step.Request)
		if err != nil { // it was good when it was loaded, perhaps by another image
			s.refuse(fmt.Errorf("sequence %d, step %d: %w", r.load.Sequence, i, err))
		} else {
			s.verify(&tc, pus.AcceptanceSuccess)
			s.execute(tc)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.stop:
			return
		case <-s.cfg.Clock.After(time.Duration(step.Delay) * time.Millisecond):
		}
	}
	s.sequences.mu.Lock()
	defer s.sequences.mu.Unlock()
	if s.sequences.now[r.load.Sequence] == r {
		delete(s.sequences.now, r.load.Sequence)
	}
}
