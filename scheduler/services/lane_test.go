package services_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
)

// A mission that takes its grace to end holds up functions of its own tenant, in their order, and a
// restart of the craft; no others.
func TestStopHoldsUpItsTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		c.grace = 30 * time.Second
		s, stop := c.launch()
		defer stop()
		done := func(want ...string) {
			t.Helper()
			synctest.Wait()
			if got := c.starts(); !slices.Equal(got, want) {
				t.Errorf("done %q, want %q", got, want)
			}
		}
		s.Telecommand(perform(t, 1, pus.FunctionMissionStop, "acme", "beacon"))
		s.Telecommand(perform(t, 2, pus.FunctionMissionStart, "acme", "beacon"))
		s.Telecommand(perform(t, 3, pus.FunctionMissionStart, "globex", "survey"))
		s.Telecommand(perform(t, 4, pus.FunctionMissionStop, "globex", "survey"))
		done("globex/survey")
		if n := len(c.find(1, 7)); n != 1 {
			t.Errorf("%d completed while two guests end", n)
		}
		s.Telecommand(perform(t, 5, pus.FunctionCraftRestart, pus.RestartAnew))
		s.Telecommand(perform(t, 6, pus.FunctionMissionStart, "globex", "survey"))
		time.Sleep(29 * time.Second)
		done("globex/survey")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		got := c.starts()
		if len(got) != 6 || !slices.Equal(got[4:], []string{"restart", "globex/survey"}) || slices.Index(got, "acme/beacon") < slices.Index(got, "stop acme/beacon") {
			t.Errorf("done %q", got)
		}
		if n := len(c.find(1, 7)); n != 6 {
			t.Errorf("%d completed", n)
		}
	})
}

// Those that wait are bounded, and none is carried out once this program ends.
func TestLanesBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		c.grace = time.Hour
		s, stop := c.launch()
		for i := range 20 {
			s.Telecommand(perform(t, uint16(i), pus.FunctionMissionStop, "acme", "beacon"))
			synctest.Wait()
		}
		if n := len(c.find(1, 4)); n != 4 { // one runs, fifteen wait
			t.Errorf("%d functions were too many", n)
		}
		stop()
		if got := c.starts(); len(got) != 0 {
			t.Errorf("done %q", got)
		}
	})
}
