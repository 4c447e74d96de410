package main

import (
	"time"
)

// warmOrders times orders to slots that wait: from the claim until the order
// giver has the text of the guest's first hypercall, which is more than until
// its first instruction. A slot serves one guest; the next one takes its place
// outside of the time measured.
func (b *bench) warmOrders() error {
	pool := make([]*slot, b.pool)
	defer func() {
		for _, s := range pool {
			if s != nil {
				s.end()
			}
		}
	}()
	var err error
	for i := range pool {
		if pool[i], err = b.start(i); err != nil {
			return err
		}
	}
	b.idle(pool)
	times := make([]time.Duration, 0, b.warm)
	for n := range b.warm {
		i := n % len(pool)
		start := time.Now()
		if err := pool[i].order(b.guests["first"], 8); err != nil {
			return err
		}
		times = append(times, time.Since(start))
		pool[i].end()
		if pool[i], err = b.start(i); err != nil {
			return err
		}
	}
	figure("warm.p50", quantile(times, 0.5), "ms", 0.6)
	figure("warm.p90", quantile(times, 0.9), "ms", 0)
	figure("warm.p99", quantile(times, 0.99), "ms", 0)
	figure("warm.p99.9", quantile(times, 0.999), "ms", 3)
	figure("warm.max", quantile(times, 1), "ms", 0)
	figure("warm.orders", float64(len(times)), "orders", 0)
	return nil
}

// idle looks at the memory of slots that wait.
func (b *bench) idle(pool []*slot) {
	time.Sleep(200 * time.Millisecond)
	var private []float64
	for _, s := range pool {
		if kib, err := privateKiB(s.PID); err == nil {
			private = append(private, kib/1024)
		}
	}
	if len(private) > 0 {
		figure("idle.private", median(private), "MiB", 2.2)
	}
}
