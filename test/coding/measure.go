package main

import (
	"sync"
	"sync/atomic"
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

// batch is how many frames a worker sends before it looks whether there are enough.
const batch = 16

// measure sends frames by several workers until enough were wrong. Each worker ends at
// a whole batch, whatever the frames in it were, so that ending does not bend the rate.
func measure(s system, db float64, enough int64, workers int) (result, error) {
	var frames, wrong, units, errors atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	for w := range workers {
		send, err := s.worker(uint64(w)*1000003+uint64(db*100), db)
		if err != nil {
			return result{}, err
		}
		all.Go(func() {
			for wrong.Load() < enough && failed.Load() == nil {
				for range batch {
					n, bad, err := send()
					if err != nil {
						failed.Store(&err)
						return
					}
					frames.Add(1)
					units.Add(int64(n))
					errors.Add(int64(bad))
					if bad > 0 {
						wrong.Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return result{}, *err
	}
	return result{frames.Load(), wrong.Load(), units.Load(), errors.Load()}, nil
}
