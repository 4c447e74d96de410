package services_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/missions/database"
)

func TestScheduleOnTimeLateAndMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		base := timecode.FromTime(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
		at := func(d time.Duration) timecode.Instant { return base.Add(d) }
		// Before the time is set anything may be inserted, and nothing happens.
		s.Telecommand(insert(t, 1, at(-time.Hour), start(t, 100)))
		s.Telecommand(insert(t, 2, at(-30*time.Second), start(t, 101)))
		s.Telecommand(insert(t, 3, at(time.Hour), start(t, 102)))
		time.Sleep(48 * time.Hour)
		if len(c.starts()) != 0 || len(c.events(pus.EventPlanWaitsForTime)) == 0 {
			t.Fatalf("started %v, events %q", c.starts(), c.events(pus.EventPlanWaitsForTime))
		}
		set := func() {
			data, err := pus.TimeSetting{Time: base, Quality: timecode.Set}.Encode()
			if err != nil {
				t.Fatal(err)
			}
			s.Telecommand(tc(t, 4, pus.AckAll, pus.ServiceTime, pus.SetTime, data))
			synctest.Wait()
		}
		set()
		if len(c.starts()) != 1 || len(c.events(pus.EventPlanMissed)) != 1 {
			t.Errorf("half a minute late: %v; an hour late: %q", c.starts(), c.events(pus.EventPlanMissed))
		}
		time.Sleep(time.Hour - time.Second)
		if len(c.starts()) != 1 {
			t.Errorf("started early: %v", c.starts())
		}
		time.Sleep(2 * time.Second)
		if len(c.starts()) != 2 {
			t.Errorf("started %v", c.starts())
		}
		// Disabled, it waits; the flag and the activity survive a restart.
		s.Telecommand(insert(t, 5, at(3*time.Hour), start(t, 103)))
		s.Telecommand(tc(t, 6, pus.AckAll, pus.ServiceSchedule, pus.ScheduleDisable, nil))
		stop()
		synctest.Wait()
		s, stop = c.launch()
		defer func() { stop() }()
		set()
		time.Sleep(3*time.Hour + 10*time.Second)
		if len(c.starts()) != 2 {
			t.Errorf("a disabled schedule started %v", c.starts())
		}
		s.Telecommand(tc(t, 7, pus.AckAll, pus.ServiceSchedule, pus.ScheduleEnable, nil))
		synctest.Wait()
		if len(c.starts()) != 3 {
			t.Errorf("started %v", c.starts())
		}
		s.Telecommand(insert(t, 8, at(9*time.Hour), start(t, 104)))
		s.Telecommand(tc(t, 9, pus.AckAll, pus.ServiceSchedule, pus.ScheduleReset, nil))
		time.Sleep(10 * time.Hour)
		if len(c.starts()) != 3 {
			t.Errorf("after the reset: started %v", c.starts())
		}
	})
}

func TestScheduleRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		defer stop()
		refusals := func() int { return len(c.find(1, 8)) + len(c.find(1, 2)) }
		bad := start(t, 7)
		bad[len(bad)-1] ^= 1
		for i, p := range [][]byte{
			insert(t, 1, 0, bad),
			insert(t, 2, 0, insert(t, 3, 0, start(t, 8))),
			insert(t, 4, 0, tc(t, 9, 0, 99, 99, nil)),
			tc(t, 5, pus.AckAll, pus.ServiceSchedule, pus.ScheduleInsert, []byte{0, 1, 2}),
			insert(t, 6, 0, notOffered(t)),
			insert(t, 7, 0, toTenant(t, pus.ServiceTest, pus.AreYouAlive)),
		} {
			s.Telecommand(p)
			if refusals() != i+1 {
				t.Errorf("insertion %d was taken", i)
			}
		}
		for i := range 256 {
			s.Telecommand(insert(t, uint16(1000+i), 0, tc(t, uint16(i), 0, 17, 1, nil)))
		}
		if refusals() != 6 {
			t.Errorf("%d refusals", refusals())
		}
		s.Telecommand(insert(t, 2000, 0, tc(t, 0, 0, 17, 1, nil)))
		if refusals() != 7 {
			t.Error("the schedule has no end")
		}
	})
}

// notOffered is a telecommand of the standard that this craft has nothing to do for.
func notOffered(t *testing.T) []byte {
	t.Helper()
	data, err := database.Default().Form.Encode(pus.Kind{Service: pus.ServiceForwarding, Subtype: 9}, pus.Structures{})
	if err != nil {
		t.Fatal(err)
	}
	return tc(t, 60, pus.AckAll, pus.ServiceForwarding, 9, data)
}

// toTenant is a telecommand without data for an application process that is a tenant's.
func toTenant(t *testing.T, service, subtype uint8) []byte {
	t.Helper()
	p, err := pus.BuildTC(100, 61, pus.AckAll, service, subtype, 7, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A schedule that another image has left may hold what this one does not offer: it is
// refused when it is due, and flight goes on.
func TestScheduleOfAnotherImage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		left := struct{ Activities []struct{ Request []byte } }{Activities: []struct{ Request []byte }{{notOffered(t)}}}
		if err := c.Put("services", "plan", left); err != nil {
			t.Fatal(err)
		}
		s, stop := c.launch()
		defer stop()
		data, err := pus.TimeSetting{Time: timecode.Instant(time.Second), Quality: timecode.Set}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		s.Telecommand(tc(t, 1, 0, pus.ServiceTime, pus.SetTime, data))
		synctest.Wait()
		if n := len(c.find(1, 2)); n != 1 {
			t.Errorf("%d refused, want 1", n)
		}
	})
}
