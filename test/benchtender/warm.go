package main

import (
	"errors"
	"time"
)

// warmOrders times orders to slots that wait: from the claim until the order
// giver has the text of the guest's first hypercall, which is more than until
// its first instruction. A slot serves one guest; the next one takes its place
// outside of the time measured. The control says what of it is the machine's.
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
	other, err := startControl()
	if err != nil {
		return err
	}
	defer other.end()
	orders, answers := make([]time.Duration, 0, b.warm), make([]time.Duration, 0, b.warm)
	for n := range b.warm {
		i := n % len(pool)
		order := func() error { return timed(&orders, func() error { return pool[i].order(b.guests["first"], 8) }) }
		question := func() error { return timed(&answers, other.ask) }
		if n%2 == 0 { // neither is always the one that comes right after a start
			order, question = question, order
		}
		if err := errors.Join(order(), question()); err != nil {
			return err
		}
		pool[i].end()
		if pool[i], err = b.start(i); err != nil {
			return err
		}
	}
	figure("warm.p50", quantile(orders, 0.5), "ms", 0.6)
	figure("warm.p90", quantile(orders, 0.9), "ms", 0)
	figure("warm.p99", quantile(orders, 0.99), "ms", 0)
	figure("warm.p99.9", quantile(orders, 0.999), "ms", 3)
	figure("warm.max", quantile(orders, 1), "ms", 0)
	figure("warm.orders", float64(len(orders)), "orders", 0)
	figure("warm.control.p50", quantile(answers, 0.5), "ms", 0)
	figure("warm.control.p99", quantile(answers, 0.99), "ms", 0)
	figure("warm.control.p99.9", quantile(answers, 0.999), "ms", 0)
	return nil
}

// timed adds what f takes to times.
func timed(times *[]time.Duration, f func() error) error {
	start := time.Now()
	err := f()
	*times = append(*times, time.Since(start))
	return err
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
