package services

import (
	"slices"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
)

// Bounds of parameters that are sampled several times in a period (super-commutated).
const (
	maxArrays      = 8
	maxSamples     = 64
	maxSampled     = 4000 // octets of a report
	minSampling    = 100 * time.Millisecond
	minPlaceOctets = 1 // of a parameter in a report
)

// samples are what was sampled for structures with arrays since their last reports.
type samples struct {
	mu sync.Mutex
	of map[uint16][]series // by structure, a series for each of its arrays
}

// series is the last samples of one array, the oldest first, and when the next is due.
type series struct {
	of    []uint16 // parameters
	every time.Duration
	due   time.Time
	last  [][]byte
}

// checkArrays refuses arrays that are too many, too quick, or too long for a report.
func (s *Services) checkArrays(d *pus.StructureDefinition) error {
	if len(d.Arrays) == 0 {
		return nil
	}
	if len(d.Arrays) > maxArrays || d.Period == 0 {
		return refusal(pus.FailureBadData, "%d arrays in a period of %d ms, want at most %d in one above 0", len(d.Arrays), d.Period, maxArrays)
	}
	octets := 0
	for _, id := range d.Parameters {
		octets += s.widthOf(id)
	}
	for i, a := range d.Arrays {
		if err := s.checkParameters(a.Parameters); err != nil {
			return err
		}
		if a.Samples == 0 || a.Samples > maxSamples || sampling(d, i) < minSampling {
			return refusal(pus.FailureBadData, "array %d: %d samples in %d ms, want 1 to %d, %v apart or more", i, a.Samples, d.Period, maxSamples, minSampling)
		}
		for _, id := range a.Parameters {
			octets += int(a.Samples) * s.widthOf(id)
		}
	}
	if octets > maxSampled {
		return refusal(pus.FailureFull, "its reports would have %d octets, at most %d", octets, maxSampled)
	}
	return nil
}

func (s *Services) widthOf(parameter uint16) int {
	if p := s.parameter(parameter); p != nil {
		return len(p.Append(nil, 0))
	}
	return minPlaceOctets
}

// sampling is the time between two samples of array i.
func sampling(d *pus.StructureDefinition, i int) time.Duration {
	return time.Duration(d.Period) * time.Millisecond / time.Duration(max(1, d.Arrays[i].Samples))
}

// sampleDue samples what is due of structure d, and says how long it is until the next.
func (s *Services) sampleDue(d *pus.StructureDefinition, now time.Time) time.Duration {
	wait := noisePeriod
	s.samples.mu.Lock()
	defer s.samples.mu.Unlock()
	all := s.samples.of[d.SID]
	if len(all) != len(d.Arrays) {
		all = make([]series, len(d.Arrays))
	}
	for i := range d.Arrays {
		q := &all[i]
		if every := sampling(d, i); q.every != every || !slices.Equal(q.of, d.Arrays[i].Parameters) {
			*q = series{of: d.Arrays[i].Parameters, every: every, due: now}
		}
		if !now.Before(q.due) {
			q.last = append(q.last, s.sample(d.Arrays[i].Parameters))
			q.last = q.last[max(0, len(q.last)-int(d.Arrays[i].Samples)):]
			q.due = now.Add(q.every)
		}
		wait = min(wait, q.due.Sub(now))
	}
	s.samples.of[d.SID] = all
	return wait
}

// sample is the present value of parameters, as a report has it.
func (s *Services) sample(parameters []uint16) (out []byte) {
	values := s.values()
	for _, id := range parameters {
		if p := s.parameter(id); p != nil {
			out = p.Append(out, values[p.Name])
		}
	}
	return out
}

// appendSamples appends the last samples of d's arrays, oldest first. Where there are fewer
// than a report has, the oldest stands for those before it.
func (s *Services) appendSamples(data []byte, d *pus.StructureDefinition) []byte {
	s.samples.mu.Lock()
	defer s.samples.mu.Unlock()
	all := s.samples.of[d.SID]
	for i, a := range d.Arrays {
		var last [][]byte
		if i < len(all) {
			last = all[i].last
		}
		if len(last) == 0 {
			last = [][]byte{s.sample(a.Parameters)}
		}
		last = append(slices.Repeat(last[:1], max(0, int(a.Samples)-len(last))), last...)
		data = append(data, slices.Concat(last...)...)
	}
	return data
}

// forgetSamples drops what was sampled for structures that are not sent any more.
func (s *Services) forgetSamples(wanted map[uint16]bool) {
	s.samples.mu.Lock()
	defer s.samples.mu.Unlock()
	for sid := range s.samples.of {
		if !wanted[sid] {
			delete(s.samples.of, sid)
		}
	}
}
