package clock_test

import (
	"context"
	"testing"
	"time"

	"github.com/perilune/perilune/internal/clock"
)

func TestFakeWakesInOrder(t *testing.T) {
	c := clock.NewFake(time.Unix(0, 0))
	soon, late := c.After(time.Second), c.After(time.Minute)
	c.Advance(2 * time.Second)
	select {
	case <-soon:
	default:
		t.Fatal("a sleeper whose time had come still sleeps")
	}
	select {
	case <-late:
		t.Fatal("a sleeper woke early")
	default:
	}
	if c.Sleepers() != 1 {
		t.Fatalf("%d sleepers, want 1", c.Sleepers())
	}
}

func TestSleepEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := clock.Sleep(ctx, clock.NewFake(time.Unix(0, 0)), time.Hour); err != context.Canceled {
		t.Fatalf("got %v", err)
	}
}
