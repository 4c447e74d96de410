package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

// settle is longer than the kernel takes to end a machine that a program has left
// to it: it must neither slow the next one down nor spare it the kernel's patching
// of itself for a first machine.
const settle = 3 * time.Millisecond

// coldStart runs a guest from the start of the program to its exit, all
// tenders in turn, so that whatever else the machine does meets all alike.
func (b *bench) coldStart() error {
	guest := b.guests["first"]
	if g := os.Getenv("GUEST"); g != "" {
		guest = g
	}
	mem := fmt.Sprintf("--mem=%d", b.mem)
	runs := map[string][]string{
		"cold":         {b.tender, mem, guest},
		"cold-no-jail": {b.tender, "--no-jail", mem, guest},
	}
	order := []string{"cold", "cold-no-jail"}
	if reference := os.Getenv("SOLO5_HVT"); reference != "" {
		order = append(order, "solo5-hvt")
		runs["solo5-hvt"] = []string{reference, mem, guest}
	}
	times := map[string][]time.Duration{}
	for range b.cold {
		for _, name := range order {
			c := exec.Command(runs[name][0], runs[name][1:]...)
			start := time.Now()
			if err := c.Start(); err != nil {
				return err
			}
			_ = c.Wait() // a guest may end with any status
			times[name] = append(times[name], time.Since(start))
			time.Sleep(settle)
		}
	}
	for _, name := range order {
		figure(name+".p10", quantile(times[name], 0.1), "ms", 0)
		figure(name+".p50", quantile(times[name], 0.5), "ms", 0)
		figure(name+".p90", quantile(times[name], 0.9), "ms", 0)
	}
	if reference := times["solo5-hvt"]; reference != nil {
		for _, name := range order[:2] {
			figure(name+".ratio", quantile(times[name], 0.5)/quantile(reference, 0.5), "x-solo5-hvt", 1)
		}
	}
	return nil
}
