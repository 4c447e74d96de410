package main

import (
	"errors"
	"sync"
)

// system sends frames through noise.
type system interface {
	// worker returns a function that sends one frame at db dB and returns how many of its
	// units, frames or bits, there were and how many came out wrong.
	worker(seed uint64, db float64) (func() (units, wrong int, err error), error)
}

// result counts what a measurement saw.
type result struct {
	frames, wrong int64 // frames sent, frames with an error
	units, errors int64 // frames or bits
}

func (r result) rate() float64 { return float64(r.errors) / float64(r.units) }

func (r *result) add(o result) {
	r.frames, r.wrong, r.units, r.errors = r.frames+o.frames, r.wrong+o.wrong, r.units+o.units, r.errors+o.errors
}

// streams is how many workers measure a point, each with noise of its own, and batch how many
// frames each sends before it is asked whether enough were wrong. Neither depends on the
// machine, and no stream is ahead of another then: the same frames are measured wherever and
// however busily a point is, and what is ok once is ok again.
const (
	streams = 16
	batch   = 16
)

// measure sends frames until enough were wrong, whatever those of the last batches were, so
// that ending does not bend the rate.
func measure(s system, db float64, enough int64) (sum result, err error) {
	var send [streams]func() (int, int, error)
	for i := range send {
		if send[i], err = s.worker(uint64(i)*1000003+uint64(db*100), db); err != nil {
			return result{}, err
		}
	}
	for sum.wrong < enough {
		var parts [streams]result
		var failed [streams]error
		var all sync.WaitGroup
		for i := range send {
			all.Go(func() { parts[i], failed[i] = sendBatch(send[i]) })
		}
		all.Wait()
		if err := errors.Join(failed[:]...); err != nil {
			return result{}, err
		}
		for _, p := range parts {
			sum.add(p)
		}
	}
	return sum, nil
}

func sendBatch(send func() (units, wrong int, err error)) (r result, err error) {
	for range batch {
		units, wrong, err := send()
		if err != nil {
			return r, err
		}
		r.add(result{1, int64(min(wrong, 1)), int64(units), int64(wrong)})
	}
	return r, nil
}
