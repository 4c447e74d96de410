package services_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/missions/database"
	"github.com/perilune/perilune/scheduler/services"
)

// ground sends telecommands of the standard to services and reads what comes back.
type ground struct {
	*craft
	s   *services.Services
	seq uint16
}

// send sends a telecommand and returns its failure's code, 0 for success.
func (g *ground) send(service, subtype uint8, body any) pus.Failure {
	g.t.Helper()
	data, err := pus.EncodeMessage(pus.Kind{Service: service, Subtype: subtype}, body)
	if err != nil {
		g.t.Fatal(err)
	}
	g.seq++
	g.s.Telecommand(tc(g.t, g.seq, pus.AckAll, service, subtype, data))
	synctest.Wait()
	want := pus.NewRequestID(1, g.seq)
	for _, subtype := range []uint8{2, 4, 7, 8} {
		for _, r := range g.find(1, subtype) {
			v, err := pus.DecodeVerification(subtype, r.data)
			if err != nil {
				g.t.Fatal(err)
			}
			if v.Request == want {
				return v.Code
			}
		}
	}
	g.t.Fatalf("TC[%d,%d] has no end", service, subtype)
	return 0
}

// ok sends a telecommand that must be carried out.
func (g *ground) ok(service, subtype uint8, body any) {
	g.t.Helper()
	if code := g.send(service, subtype, body); code != 0 {
		g.t.Fatalf("TC[%d,%d]: %v", service, subtype, code)
	}
}

// last is the body of the last report of a kind.
func (g *ground) last(service, subtype uint8) any {
	g.t.Helper()
	all := g.find(service, subtype)
	if len(all) == 0 {
		g.t.Fatalf("no TM[%d,%d]", service, subtype)
	}
	body, err := pus.DecodeMessage(pus.Kind{TM: true, Service: service, Subtype: subtype}, all[len(all)-1].data)
	if err != nil {
		g.t.Fatal(err)
	}
	return body
}

// structures are the reports of a structure.
func (g *ground) structures(sid uint16) (out [][]byte) {
	for _, r := range g.find(3, 25) {
		if id, data, err := pus.DecodeReport(r.data); err == nil && id == sid {
			out = append(out, data)
		}
	}
	return out
}

func onBoard(t *testing.T, test func(*ground)) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		defer stop()
		test(&ground{craft: c, s: s})
	})
}

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
		if got := g.last(3, 10).(pus.StructureStates).Structures; len(got) != len(database.Default().Structures) {
			t.Errorf("%d structures are left", len(got))
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
		got := g.last(3, 10).(pus.StructureStates).Structures[0].Definition.Parameters
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
			pus.FailureUnknownName:  {Parameter: 999, Value: pus.Value{1}},
			pus.FailureNotPermitted: {Parameter: 3, Value: pus.Value{1}},
			pus.FailureBadData:      period(0, 0, 0, 1),
		} {
			if code := g.send(20, 3, pus.ParameterValues{Values: []pus.ParameterValue{period(0, 0, 0x0B, 0xB8), v}}); code != want {
				g.t.Errorf("%v: %v, want %v", v, code, want)
			}
		}
		if code := g.send(20, 3, pus.ParameterValues{Values: []pus.ParameterValue{period(1)}}); code != pus.FailureBadData {
			g.t.Errorf("short value: %v", code)
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
		watch := pus.MonitoringDefinition{ID: 5, Parameter: 3, Interval: 1000, Repetition: 3, Check: pus.CheckLimits,
			Limits: []pus.Limit{{Value: pus.Value{0}}, {Value: pus.Value{0}, Event: crossed}}}
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
		if n := len(g.find(12, 12)); n != 1 || got.ID != 5 || got.Value[0] != 1 || got.Before != 1 || got.Now != 3 {
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
		watch.ID, watch.Check = 6, pus.CheckDelta
		if code := g.send(12, 5, pus.MonitoringDefinitions{Definitions: []pus.MonitoringDefinition{watch}}); code != pus.FailureIllegalType {
			g.t.Errorf("a check that is not made: %v", code)
		}
		if code := g.send(19, 2, pus.EventNames{Events: []pus.EventName{{APID: 1, Event: crossed}}}); code != pus.FailureRefused {
			g.t.Errorf("an enabled action is deleted: %v", code)
		}
	})
}

// The schedule is listed, shifted and shortened by the names of requests.
func TestScheduleEdited(t *testing.T) {
	onBoard(t, func(g *ground) {
		now := timecode.FromTime(time.Now())
		data, err := pus.TimeSetting{Time: now, Quality: timecode.Set}.Encode()
		if err != nil {
			g.t.Fatal(err)
		}
		g.s.Telecommand(tc(g.t, 199, pus.AckAll, pus.ServiceTime, pus.SetTime, data))
		for i := range uint16(3) {
			g.s.Telecommand(insert(g.t, 200+i, now+timecode.Instant(10*time.Second)*timecode.Instant(1+i), tc(g.t, 100+i, pus.AckAll, 17, 1, nil)))
		}
		name := func(seq uint16) pus.RequestNames {
			return pus.RequestNames{Requests: []pus.RequestName{{Source: 7, APID: 1, Seq: seq}}}
		}
		g.ok(11, 5, name(101))
		if code := g.send(11, 5, name(101)); code != pus.FailureUnknownName {
			g.t.Errorf("deleted twice: %v", code)
		}
		if code := g.send(11, 7, pus.ActivityShift{Milliseconds: -60000, Requests: name(100).Requests}); code != pus.FailureNotNow {
			g.t.Errorf("into the past: %v", code)
		}
		g.ok(11, 7, pus.ActivityShift{Milliseconds: 30000, Requests: name(100).Requests})
		g.ok(11, 17, pus.None{})
		got := g.last(11, 13).(pus.ActivitySummary).Activities
		if len(got) != 2 || got[0].Request.Seq != 102 || got[1].Request.Seq != 100 || got[1].Release.Sub(got[0].Release).Round(time.Millisecond) != 10*time.Second {
			g.t.Errorf("summary %+v", got)
		}
		g.ok(11, 16, pus.None{})
		if n := len(g.last(11, 10).(pus.ActivityDetails).Activities); n != 2 {
			g.t.Errorf("%d in detail", n)
		}
		time.Sleep(time.Minute)
		if n := len(g.find(17, 2)); n != 2 {
			g.t.Errorf("%d were released", n)
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
		if code := g.send(22, 1, pus.None{}); code != pus.FailureIllegalType {
			g.t.Errorf("position-based scheduling: %v", code)
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
