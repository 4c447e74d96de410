package services_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/missions/database"
)

// A structure made on board is sent in its period, over a restart, and goes again.
func TestStructureOnBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		g := &ground{craft: c, s: s}
		made := pus.StructureDefinition{SID: 20, Period: 1000, Parameters: []uint16{3, 10}}
		g.ok(3, 1, made)
		time.Sleep(5 * time.Second)
		if n := len(g.structures(20)); n != 0 {
			t.Errorf("%d reports before it is enabled", n)
		}
		g.ok(3, 5, pus.IDs{IDs: []uint16{20}})
		stop()
		synctest.Wait()
		g.s, stop = c.launch()
		defer stop()
		before := len(g.structures(20))
		time.Sleep(9500 * time.Millisecond)
		if n := len(g.structures(20)) - before; n != 10 {
			t.Errorf("%d reports in 9.5 s after the restart, want 10", n)
		}
		if got := fmt.Sprintf("%x", g.structures(20)[0]); got != "000000" { // mode u8, pending u16
			t.Errorf("report %s", got)
		}
		g.ok(3, 31, pus.StructurePeriods{Structures: []pus.StructurePeriod{{SID: 20, Period: 60000}}})
		g.ok(3, 33, pus.IDs{IDs: []uint16{20}})
		want := pus.StructurePeriodState{SID: 20, Enabled: true, Period: 60000}
		if got := g.last(3, 35).(pus.StructurePeriodStates).Structures; len(got) != 1 || got[0] != want {
			t.Errorf("periods %+v", got)
		}
		for name, code := range map[string]pus.Failure{
			"delete enabled": g.send(3, 3, pus.IDs{IDs: []uint16{20}}),
			"other, same id": g.send(3, 1, pus.StructureDefinition{SID: 20, Parameters: []uint16{1}}),
			"database's":     g.send(3, 1, pus.StructureDefinition{SID: 1, Parameters: []uint16{1}}),
			"no parameter":   g.send(3, 1, pus.StructureDefinition{SID: 21, Parameters: []uint16{999}}),
			"too fast":       g.send(3, 1, pus.StructureDefinition{SID: 21, Period: 1, Parameters: []uint16{1}}),
			"nothing":        g.send(3, 27, pus.IDs{IDs: []uint16{21}}),
		} {
			if code == 0 {
				t.Errorf("%s: is carried out", name)
			}
		}
		g.ok(3, 6, pus.IDs{IDs: []uint16{20}})
		n := len(g.structures(20))
		g.ok(3, 27, pus.IDs{IDs: []uint16{20}})
		if got := len(g.structures(20)); got != n+1 {
			t.Errorf("%d reports on demand", got-n)
		}
		g.ok(3, 3, pus.IDs{IDs: []uint16{20}})
		g.ok(3, 9, pus.IDs{})
		if got := len(g.find(3, 10)); got != len(database.Default().Structures) {
			t.Errorf("%d structures are left", got)
		}
	})
}

// An event that is disabled is not reported and the ground can see which are.
// A telecommand whose report was lost is sent again as it was: what it does is done once, and
// what it asks for is told again.
func TestSentTwice(t *testing.T) {
	onBoard(t, func(g *ground) {
		again := func(service, subtype uint8, body any) {
			t.Helper()
			g.ok(service, subtype, body)
			g.seq--
			g.ok(service, subtype, body)
		}
		again(3, 1, pus.StructureDefinition{SID: 20, Parameters: []uint16{1}})
		again(3, 29, pus.StructureAppend{SID: 20, Parameters: []uint16{3}})
		again(3, 9, pus.IDs{IDs: []uint16{20}})
		if n := len(g.find(3, 10)); n != 2 {
			t.Errorf("%d reports of two requests", n)
		}
		got := g.last(3, 10).(pus.StructureReport).Parameters
		if fmt.Sprint(got) != "[1 3]" {
			t.Errorf("parameters %v", got)
		}
		again(3, 3, pus.IDs{IDs: []uint16{20}})
		for _, r := range []uint8{2, 4, 8} {
			if n := len(g.find(1, r)); n != 0 {
				t.Errorf("%d reports TM[1,%d]", n, r)
			}
		}
	})
}

func TestEventsOff(t *testing.T) {
	onBoard(t, func(g *ground) {
		g.ok(5, 6, pus.IDs{IDs: []uint16{uint16(pus.EventTimeSet)}})
		g.s.Event(pus.EventInfo, pus.EventTimeSet, "unheard")
		g.ok(5, 7, pus.None{})
		if got := g.last(5, 8).(pus.IDs).IDs; len(got) != 1 || got[0] != uint16(pus.EventTimeSet) {
			g.t.Errorf("disabled: %v", got)
		}
		g.ok(5, 5, pus.IDs{IDs: []uint16{uint16(pus.EventTimeSet)}})
		g.s.Event(pus.EventInfo, pus.EventTimeSet, "heard")
		if got := g.events(pus.EventTimeSet); len(got) != 1 || got[0] != "heard" {
			g.t.Errorf("events %v", got)
		}
		if code := g.send(5, 6, pus.IDs{IDs: []uint16{9999}}); code != pus.FailureUnknownName {
			g.t.Errorf("no such event: %v", code)
		}
	})
}

// A parameter is read and set; what cannot be set, or not to this, is refused whole.
func TestParameters(t *testing.T) {
	onBoard(t, func(g *ground) {
		period := func(ms ...byte) pus.ParameterValue { return pus.ParameterValue{Parameter: 30, Value: ms} }
		g.ok(20, 3, pus.ParameterValues{Values: []pus.ParameterValue{period(0, 0, 0x07, 0xD0)}})
		g.ok(20, 1, pus.IDs{IDs: []uint16{30, 3}})
		if got := fmt.Sprintf("%x", g.last(20, 2).(pus.ParameterValues).Values); got != "[{1e 000007d0} {3 00}]" {
			g.t.Errorf("values %s", got)
		}
		before := len(g.find(9, 2))
		time.Sleep(10 * time.Second)
		if n := len(g.find(9, 2)) - before; n < 4 || n > 6 {
			g.t.Errorf("%d time reports in 10 s, one each 2 s wanted", n)
		}
		for want, v := range map[pus.Failure]pus.ParameterValue{
			pus.FailureNotPermitted: {Parameter: 3, Value: pus.Value{1}},
			pus.FailureBadData:      period(0, 0, 0, 1),
		} {
			if code := g.send(20, 3, pus.ParameterValues{Values: []pus.ParameterValue{period(0, 0, 0x0B, 0xB8), v}}); code != want {
				g.t.Errorf("%v: %v, want %v", v, code, want)
			}
		}
		for name, data := range map[string][]byte{
			"short value": {0, 1, 0, 30, 1}, "long value": {0, 1, 0, 30, 0, 0, 0x0B, 0xB8, 0}, "no parameter": {0, 1, 0x03, 0xE7, 1},
		} {
			if code := g.raw(20, 3, data); code != pus.FailureBadData {
				g.t.Errorf("%s: %v", name, code)
			}
		}
		g.ok(20, 1, pus.IDs{IDs: []uint16{30}})
		if got := fmt.Sprintf("%x", g.last(20, 2).(pus.ParameterValues).Values); got != "[{1e 000007d0}]" {
			g.t.Errorf("refused settings left %s", got)
		}
	})
}

// A limit that is crossed often enough is reported once, raises its event, and the event
// is answered by a telecommand.
func TestMonitoringAndAction(t *testing.T) {
	onBoard(t, func(g *ground) {
		ping := tc(g.t, 77, pus.AckAll, pus.ServiceTest, pus.AreYouAlive, nil)
		crossed := uint16(pus.EventLimitCrossed)
		g.ok(19, 1, pus.EventActions{Actions: []pus.EventAction{{APID: 1, Event: crossed, Request: ping}}})
		g.ok(19, 4, pus.EventNames{Events: []pus.EventName{{APID: 1, Event: crossed}}})
		g.ok(19, 8, pus.None{})
		watch := pus.MonitoringDefinition{ID: 5, Parameter: 3, Interval: 1000, Repetition: 3,
			Criteria: pus.Criteria{Check: pus.CheckLimits, Low: pus.Value{0}, High: pus.Value{0}, HighEvent: crossed}}
		g.ok(12, 5, pus.MonitoringDefinitions{Definitions: []pus.MonitoringDefinition{watch}})
		g.ok(12, 1, pus.IDs{IDs: []uint16{5}})
		g.ok(12, 15, pus.None{})
		time.Sleep(10 * time.Second)
		if n := len(g.find(12, 12)); n != 0 {
			g.t.Errorf("%d transitions while all is well", n)
		}
		g.craft.mode.Store(uint32(pus.ModeSafe))
		time.Sleep(1500 * time.Millisecond)
		if n := len(g.find(12, 12)); n != 0 {
			g.t.Error("a transition before three checks say so")
		}
		time.Sleep(20 * time.Second)
		got := g.last(12, 12).(pus.Transitions).Transitions[0]
		if n := len(g.find(12, 12)); n != 1 || got.ID != 5 || got.Value[0] != 1 || got.Before != 0 || got.Now != 4 {
			g.t.Errorf("%d transitions, %+v", n, got)
		}
		if n := len(g.events(pus.EventLimitCrossed)); n != 1 {
			g.t.Errorf("%d events", n)
		}
		if n := len(g.find(17, 2)); n != 1 {
			g.t.Errorf("%d answers to the event", n)
		}
		g.ok(12, 10, pus.None{})
		if n := len(g.last(12, 11).(pus.Transitions).Transitions); n != 1 {
			g.t.Errorf("%d are outside", n)
		}
		watch.ID, watch.Criteria.Check = 6, pus.CheckDelta
		if code := g.send(12, 5, pus.MonitoringDefinitions{Definitions: []pus.MonitoringDefinition{watch}}); code != pus.FailureIllegalType {
			g.t.Errorf("a check that is not made: %v", code)
		}
		if code := g.send(19, 2, pus.EventNames{Events: []pus.EventName{{APID: 1, Event: crossed}}}); code != pus.FailureRefused {
			g.t.Errorf("an enabled action is deleted: %v", code)
		}
	})
}

// An array of a structure is sampled evenly over the period; the report has the samples in
// their order behind the simple parameters.
func TestArrays(t *testing.T) {
	onBoard(t, func(g *ground) {
		d := pus.StructureDefinition{SID: 30, Period: 4000, Parameters: []uint16{11}, Arrays: []pus.SampleArray{{Samples: 4, Parameters: []uint16{1}}}}
		g.ok(3, 1, d)
		g.ok(3, 5, pus.IDs{IDs: []uint16{30}})
		time.Sleep(500 * time.Millisecond) // not when it samples
		for i := range uint32(9) {
			g.uptime.Store(i)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		all := g.structures(30)
		if len(all) != 3 {
			g.t.Fatalf("%d reports in 9 s", len(all))
		}
		if got := fmt.Sprintf("%x", all[2][1:]); got != "00000004000000050000000600000007" {
			g.t.Errorf("samples of uptime %s", got)
		}
		g.ok(3, 9, pus.IDs{IDs: []uint16{30}})
		if got := g.last(3, 10).(pus.StructureReport); len(got.Arrays) != 1 || got.Arrays[0].Samples != 4 {
			g.t.Errorf("definition %+v", got)
		}
		for name, bad := range map[string]pus.SampleArray{
			"too quick": {Samples: 50, Parameters: []uint16{1}}, "none": {Parameters: []uint16{1}}, "no parameter": {Samples: 2, Parameters: []uint16{999}},
		} {
			if code := g.send(3, 1, pus.StructureDefinition{SID: 31, Period: 4000, Parameters: []uint16{1}, Arrays: []pus.SampleArray{bad}}); code == 0 {
				g.t.Errorf("%s: taken", name)
			}
		}
	})
}

// What was sampled for a structure is no part of another one that has its number.
func TestArraysOfAnother(t *testing.T) {
	onBoard(t, func(g *ground) {
		d := pus.StructureDefinition{SID: 30, Period: 4000, Parameters: []uint16{11}, Arrays: []pus.SampleArray{{Samples: 4, Parameters: []uint16{1}}}}
		g.ok(3, 1, d)
		g.ok(3, 5, pus.IDs{IDs: []uint16{30}})
		time.Sleep(9 * time.Second)
		synctest.Wait()
		number := pus.IDs{IDs: []uint16{30}}
		d.Arrays[0].Parameters = []uint16{1, 1}
		for i, step := range []struct {
			subtype uint8
			body    any
		}{{6, number}, {3, number}, {1, d}, {5, number}} {
			data, err := database.Default().Form.Encode(pus.Kind{Service: 3, Subtype: step.subtype}, step.body)
			if err != nil {
				g.t.Fatal(err)
			}
			g.s.Telecommand(tc(g.t, 900+uint16(i), 0, 3, step.subtype, data)) // one after the other, nothing in between
		}
		before := len(g.structures(30))
		time.Sleep(5 * time.Second)
		for _, report := range g.structures(30)[before:] {
			if len(report) != 1+4*2*4 {
				g.t.Errorf("report of %d octets, want 1 and 4 samples of 8", len(report))
			}
		}
	})
}

// Every telecommand of the standard that the craft does not offer is refused, with its code.
func TestNeverSilent(t *testing.T) {
	onBoard(t, func(g *ground) {
		for _, k := range pus.Kinds() {
			if k.TM {
				continue
			}
			g.seq++
			g.s.Telecommand(tc(g.t, g.seq, pus.AckAll, k.Service, k.Subtype, nil))
			synctest.Wait()
			want, ended := pus.NewRequestID(1, g.seq), false
			for _, subtype := range []uint8{2, 4, 7, 8} {
				for _, r := range g.find(1, subtype) {
					if v, err := pus.DecodeVerification(subtype, r.data); err == nil && v.Request == want {
						ended = true
					}
				}
			}
			if !ended {
				g.t.Errorf("%s: silence", k)
			}
		}
		if code := g.send(15, 9, pus.Retrievals{}); code != pus.FailureNotNow {
			g.t.Errorf("no packet store: %v", code)
		}
		g.ok(17, 3, pus.TestProcess{APID: 100})
		if code := g.send(17, 3, pus.TestProcess{APID: 99}); code != pus.FailureIllegalAPID {
			g.t.Errorf("nobody's APID: %v", code)
		}
	})
}
