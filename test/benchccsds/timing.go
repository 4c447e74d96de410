package main

import (
	"math/rand/v2"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// step does a piece of work and says how many units it was.
type step func() (units int, err error)

// rate returns units a second of CPU time of this thread, and allocations a unit.
func rate(do step, seconds float64) (perSecond, allocs float64, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, err := do(); err != nil { // warm
		return 0, 0, err
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	units := 0
	for begin := cpu(); ; {
		for range 20 {
			n, err := do()
			if err != nil {
				return 0, 0, err
			}
			units += n
		}
		if spent := cpu() - begin; spent.Seconds() >= seconds {
			runtime.ReadMemStats(&after)
			return float64(units) / spent.Seconds(), float64(after.Mallocs-before.Mallocs) / float64(units), nil
		}
	}
}

func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// random returns n octets, the same ones each time.
func random(seed uint64, n int) []byte {
	rnd, b := rand.New(rand.NewPCG(seed, 77)), make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}
