package obt_test

import (
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/scheduler/obt"
	"github.com/perilune/perilune/scheduler/safe"
)

func TestKeptOverRestartNotOverReset(t *testing.T) {
	machine := clock.NewFake(time.Unix(1_700_000_000, 0))
	records := safe.NewRecords()
	c, err := obt.New(machine, records, "boot 1")
	if err != nil {
		t.Fatal(err)
	}
	machine.Advance(3 * time.Second)
	if i, q := c.Now(); i != timecode.Instant(3*time.Second) || q != timecode.Free {
		t.Errorf("after power-on: %d, %v", i, q)
	}
	if _, valid := c.UTC(); valid {
		t.Error("a free time is valid")
	}
	changed := c.Changed()
	want := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if err := c.Set(timecode.FromTime(want), timecode.Set); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("Set is not heard of")
	}
	machine.Advance(time.Minute)
	if got, valid := c.UTC(); !valid || !got.Equal(want.Add(time.Minute)) {
		t.Errorf("a minute after: %v, %v", got, valid)
	}

	again, err := obt.New(machine, records, "boot 1")
	if err != nil {
		t.Fatal(err)
	}
	machine.Advance(time.Second)
	if got, valid := again.UTC(); !valid || !got.Equal(want.Add(61*time.Second)) {
		t.Errorf("after a restart of the program: %v, %v", got, valid)
	}
	reset, err := obt.New(machine, records, "boot 2")
	if err != nil {
		t.Fatal(err)
	}
	if _, q := reset.Now(); q != timecode.Free {
		t.Errorf("after a reset the time is %v", q)
	}
}
