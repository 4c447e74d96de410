package services_test

import (
	"testing"
	"testing/synctest"

	"github.com/perilune/perilune/ccsds/pus"
)

// What the forwarding control leaves out does not go down, over a restart too.
func TestForwarding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		g := &ground{craft: c, s: s}
		time9 := []pus.ProcessReports{{APID: 1, Services: []pus.ServiceReports{{Service: 9}}}}
		g.ok(14, 2, pus.ReportTypes{Processes: time9})
		g.ok(14, 5, pus.Structures{Processes: []pus.ProcessStructures{{APID: 1, Structures: []pus.StructureRate{{SID: 1, Rate: 3}}}}})
		g.ok(14, 14, pus.BlockedEvents{Processes: []pus.ProcessEvents{{APID: 1, Events: []uint16{40}}}})
		stop()
		synctest.Wait()
		g.s, stop = c.launch()
		defer stop()
		down := func(service, subtype uint8, data ...byte) bool { return g.s.Forwards(1, service, subtype, data) }
		if down(9, 2) || !down(3, 10) || down(5, 1, 0, 40) || !down(5, 1, 0, 41) || down(3, 25, 0, 2) {
			t.Error("it is not as the telecommands had it")
		}
		n := 0
		for range 9 {
			if down(3, 25, 0, 1) {
				n++
			}
		}
		if n != 3 {
			t.Errorf("%d of 9 reports of structure 1, want one in 3", n)
		}
		g.ok(14, 7, pus.None{})
		g.ok(14, 15, pus.None{})
		g.ok(14, 3, pus.None{})
		if got := g.last(14, 4).(pus.ReportTypes).Processes; len(got) != 2 || got[1].APID != 100 || len(got[1].Services) != 0 {
			t.Errorf("types %+v", got)
		}
		if got := g.last(14, 16).(pus.BlockedEvents).Processes; len(got) != 1 || got[0].Events[0] != 40 {
			t.Errorf("blocked %+v", got)
		}
		if code := g.send(14, 1, pus.ReportTypes{Processes: []pus.ProcessReports{{APID: 77}}}); code != pus.FailureIllegalAPID {
			t.Errorf("nobody's reports: %v", code)
		}
		g.ok(14, 1, pus.ReportTypes{Processes: time9})
		if !down(9, 2) {
			t.Error("time reports do not go down again")
		}
	})
}
