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

// slowRecords is a disk that takes a record when the test says so.
type slowRecords struct {
	*safe.Records
	asked, allowed chan bool
}

func (r slowRecords) Put(bucket, key string, v any) error {
	r.asked <- true
	<-r.allowed
	return r.Records.Put(bucket, key, v)
}

// While a setting waits for the disk, reports are told the time of before; then it is that of the
// moment when the setting came.
func TestSetOnASlowDisk(t *testing.T) {
	machine := clock.NewFake(time.Unix(1_700_000_000, 0))
	disk := slowRecords{safe.NewRecords(), make(chan bool), make(chan bool)}
	c, err := obt.New(machine, disk, "boot 1")
	if err != nil {
		t.Fatal(err)
	}
	set := make(chan error, 1)
	go func() { set <- c.Set(timecode.Instant(time.Hour), timecode.Set) }()
	<-disk.asked
	machine.Advance(3 * time.Second)
	told := make(chan bool)
	go func() {
		defer close(told)
		if i, q := c.Now(); i != timecode.Instant(3*time.Second) || q != timecode.Free {
			t.Errorf("before the setting is durable: %d, %v", i, q)
		}
	}()
	select {
	case <-told:
	case <-time.After(time.Minute):
		t.Error("the disk holds up who asks for the time")
	}
	disk.allowed <- true
	if err := <-set; err != nil {
		t.Fatal(err)
	}
	<-told
	if i, q := c.Now(); i != timecode.Instant(time.Hour+3*time.Second) || q != timecode.Set {
		t.Errorf("after it: %d, %v", i, q)
	}
}
