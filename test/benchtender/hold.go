package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// holdGuests holds many guests at once, of 8 MiB each, of which each touches
// one, and asks all of them for an answer. Memory is what the machine has
// less of, kernel and page tables included: meaningful where little else runs.
func (b *bench) holdGuests() error {
	before, err := availableMiB()
	if err != nil {
		return err
	}
	guests := make([]*slot, 0, b.hold)
	defer func() {
		for _, s := range guests {
			s.end()
		}
	}()
	began := time.Now()
	for i := range b.hold {
		s, err := b.start(i)
		if err != nil {
			return fmt.Errorf("guest %d: %w", i, err)
		}
		guests = append(guests, s)
		if err := s.order(b.guests["hold"], 8, radio); err != nil {
			return fmt.Errorf("guest %d: %w", i, err)
		}
	}
	figure("hold.guests", float64(len(guests)), "guests", 0)
	figure("hold.start", time.Since(began).Seconds(), "s", 0)
	time.Sleep(500 * time.Millisecond)
	after, err := availableMiB()
	if err != nil {
		return err
	}
	figure("hold.memory", (before-after)/float64(b.hold), "MiB/guest", 10.24)
	var private []float64
	for _, s := range guests {
		if kib, err := privateKiB(s.PID); err == nil {
			private = append(private, kib/1024-1)
		}
	}
	if len(private) > 0 {
		figure("hold.private", median(private), "MiB-without-what-the-guest-touched", 5)
	}
	took, err := askAll(guests)
	if err != nil {
		return err
	}
	figure("hold.answers", took.Seconds(), "s", 1)
	return nil
}

// askAll sends every guest a datagram and waits for all answers.
func askAll(guests []*slot) (time.Duration, error) {
	answers := make(chan error, len(guests))
	start := time.Now()
	for i, s := range guests {
		s.Data.SetDeadline(start.Add(patience))
		if _, err := s.Data.Write([]byte("there?")); err != nil {
			return 0, fmt.Errorf("guest %d: %w", i, err)
		}
		go func() {
			b := make([]byte, 64)
			n, err := s.Data.Read(b)
			if err == nil && string(b[:n]) != "there?" {
				err = fmt.Errorf("answers %q", b[:n])
			}
			answers <- err
		}()
	}
	for range guests {
		if err := <-answers; err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

func availableMiB() (float64, error) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	kib, err := field(string(b), "MemAvailable:")
	return kib / 1024, err
}

// privateKiB is what the process does not share with others.
func privateKiB(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	clean, err := field(string(b), "Private_Clean:")
	if err != nil {
		return 0, err
	}
	dirty, err := field(string(b), "Private_Dirty:")
	return clean + dirty, err
}

// field finds "name 123 kB".
func field(text, name string) (float64, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseFloat(strings.Fields(rest)[0], 64)
		}
	}
	return 0, fmt.Errorf("no field %s", name)
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
