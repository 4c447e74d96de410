package services_test

import (
	"slices"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/missions/database"
)

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

// What a sub-schedule or a group holds back waits; enabled in time it is released.
func TestGroups(t *testing.T) {
	onBoard(t, func(g *ground) {
		now := g.setTime()
		add := func(seq, sub, group uint16, after time.Duration) pus.Failure {
			data, err := database.Default().Form.EncodeInsertion(pus.Insertion{SubSchedule: sub, Activities: []pus.Activity{
				{Group: group, Release: now + timecode.Instant(after), Request: tc(g.t, seq, pus.AckAll, 17, 1, nil)},
			}})
			if err != nil {
				g.t.Fatal(err)
			}
			return g.raw(11, 4, data)
		}
		if code := add(100, 0, 5, 10*time.Second); code != pus.FailureUnknownName {
			g.t.Errorf("no such group: %v", code)
		}
		g.ok(11, 22, pus.ScheduleStates{States: []pus.ScheduleState{{ID: 5}}})
		g.ok(11, 21, pus.IDs{IDs: []uint16{2}})
		for seq, where := range [][2]uint16{{0, 0}, {2, 0}, {0, 5}, {2, 5}} {
			if code := add(uint16(101+seq), where[0], where[1], 10*time.Second); code != 0 {
				g.t.Fatal(code)
			}
		}
		if code := g.send(11, 23, pus.IDs{IDs: []uint16{5}}); code != pus.FailureRefused {
			g.t.Errorf("a group with activities is deleted: %v", code)
		}
		time.Sleep(20 * time.Second)
		if n := len(g.find(17, 2)); n != 1 {
			g.t.Errorf("%d released, want the one that nothing holds back", n)
		}
		g.ok(11, 18, pus.None{})
		if got := g.last(11, 19).(pus.ScheduleStates).States; !slices.Equal(got, []pus.ScheduleState{{ID: 0, Enabled: true}, {ID: 2}}) {
			g.t.Errorf("sub-schedules %+v", got)
		}
		g.ok(11, 24, pus.IDs{})
		g.ok(11, 20, pus.IDs{IDs: []uint16{2}})
		time.Sleep(time.Second)
		if n := len(g.find(17, 2)); n != 4 {
			g.t.Errorf("%d released, want all four", n)
		}
		g.ok(11, 23, pus.IDs{})
		g.ok(11, 26, pus.None{})
		if got := g.last(11, 27).(pus.ScheduleStates).States; len(got) != 0 {
			g.t.Errorf("groups %+v", got)
		}
	})
}

// A filter chooses by time, sub-schedule and group; the rest stays.
func TestFilter(t *testing.T) {
	onBoard(t, func(g *ground) {
		now := g.setTime()
		g.ok(11, 22, pus.ScheduleStates{States: []pus.ScheduleState{{ID: 1, Enabled: true}}})
		for i := range uint16(4) {
			data, err := database.Default().Form.EncodeInsertion(pus.Insertion{SubSchedule: i % 2, Activities: []pus.Activity{
				{Group: i / 2, Release: now + timecode.Instant(time.Duration(i+1)*time.Minute), Request: tc(g.t, 100+i, pus.AckAll, 17, 1, nil)},
			}})
			if err != nil {
				g.t.Fatal(err)
			}
			if code := g.raw(11, 4, data); code != 0 {
				g.t.Fatal(code)
			}
		}
		seqs := func(f pus.ActivityFilter) (out []uint16) {
			g.ok(11, 14, f)
			for _, a := range g.last(11, 13).(pus.ActivitySummary).Activities {
				out = append(out, a.Request.Seq)
			}
			return out
		}
		for name, c := range map[string]struct {
			filter pus.ActivityFilter
			want   []uint16
		}{
			"all":          {pus.ActivityFilter{}, []uint16{100, 101, 102, 103}},
			"sub-schedule": {pus.ActivityFilter{SubSchedules: []uint16{1}}, []uint16{101, 103}},
			"group":        {pus.ActivityFilter{Groups: []uint16{1}}, []uint16{102, 103}},
			"both":         {pus.ActivityFilter{SubSchedules: []uint16{0}, Groups: []uint16{0}}, []uint16{100}},
			"from": {pus.ActivityFilter{Window: pus.TimeWindow{Type: pus.WindowFrom, From: now + timecode.Instant(150*time.Second)}},
				[]uint16{102, 103}},
			"up to": {pus.ActivityFilter{Window: pus.TimeWindow{Type: pus.WindowUpTo, To: now + timecode.Instant(90*time.Second)}}, []uint16{100}},
		} {
			if got := seqs(c.filter); !slices.Equal(got, c.want) {
				g.t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		g.ok(11, 6, pus.ActivityFilter{SubSchedules: []uint16{1}})
		g.ok(11, 8, pus.ActivityShiftFilter{Milliseconds: 600000, Filter: pus.ActivityFilter{Groups: []uint16{1}}})
		if got := seqs(pus.ActivityFilter{Window: pus.TimeWindow{Type: pus.WindowFrom, From: now + timecode.Instant(10*time.Minute)}}); !slices.Equal(got, []uint16{102}) {
			g.t.Errorf("after deleting and shifting: %v", got)
		}
	})
}
