package forward_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/scheduler/forward"
)

func types(apid uint16, service uint8, subtypes ...uint8) []pus.ProcessReports {
	p := pus.ProcessReports{APID: apid}
	if service != 0 {
		p.Services = []pus.ServiceReports{{Service: service, Subtypes: subtypes}}
	}
	return []pus.ProcessReports{p}
}

// What was deleted does not go down, all else does, and what is added back does again.
func TestTypes(t *testing.T) {
	c := forward.Everything(1, 100)
	down := func(apid uint16, service, subtype uint8) bool {
		ok, _ := c.Allows(apid, service, subtype, nil)
		return ok
	}
	if !down(1, 3, 25) || !down(100, 128, 1) || down(99, 128, 1) {
		t.Fatal("at the start all of both goes down, and of nobody else")
	}
	c.Delete(types(1, 3, 25))
	if down(1, 3, 25) || !down(1, 3, 10) || !down(1, 5, 1) || !down(1, 129, 1) || !down(100, 128, 1) {
		t.Error("without TM[3,25]")
	}
	c.Delete(types(1, 5))
	c.Delete(types(100, 128, 2))
	if down(1, 5, 1) || down(1, 5, 4) || !down(1, 9, 2) || !down(100, 128, 1) || down(100, 128, 2) {
		t.Errorf("without events and console: %+v", c.Types)
	}
	c.Add(types(1, 3, 25))
	if !down(1, 3, 25) || down(1, 5, 1) {
		t.Error("TM[3,25] again")
	}
	c.Add(types(1, 0))
	if !down(1, 5, 1) {
		t.Error("all of the craft's again")
	}
	c.Delete(nil)
	if down(1, 3, 25) || down(100, 128, 1) || !down(1, 1, 7) || !down(1, 14, 4) || !down(1, 13, 1) {
		t.Error("nothing but what tells the ground what its telecommands do")
	}
}

func TestStructuresAndEvents(t *testing.T) {
	c := forward.Everything(1)
	sid := func(n byte) (bool, uint16) { return c.Allows(1, 3, 25, []byte{0, n, 1, 2}) }
	c.AddStructures([]pus.ProcessStructures{{APID: 1, Structures: []pus.StructureRate{{SID: 1}, {SID: 2, Rate: 4}}}})
	for n, want := range map[byte]uint16{1: 1, 2: 4, 3: 0} {
		if ok, rate := sid(n); ok != (want > 0) || rate != want {
			t.Errorf("structure %d: %v, one in %d", n, ok, rate)
		}
	}
	c.DeleteStructures([]pus.ProcessStructures{{APID: 1, Structures: []pus.StructureRate{{SID: 1}, {SID: 2}}}})
	if ok, _ := sid(3); !ok {
		t.Error("a process that names none forwards all")
	}
	event := func(id byte) bool { ok, _ := c.Allows(1, 5, 1, []byte{0, id, 0, 0}); return ok }
	c.Block([]pus.ProcessEvents{{APID: 1, Events: []uint16{41, 40, 41}}})
	if event(40) || event(41) || !event(42) {
		t.Error("blocked events")
	}
	c.Unblock([]pus.ProcessEvents{{APID: 1, Events: []uint16{40}}})
	if !event(40) || event(41) {
		t.Error("one is free again")
	}
}

// Deleting what was added, in any order, leaves a service as it was named: never "all" by
// accident, for an empty list stands for all.
func TestNeverAllByAccident(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := forward.Control{}
		subtypes := rapid.SliceOfNDistinct(rapid.Uint8Range(1, 40), 1, 5, rapid.ID).Draw(t, "subtypes")
		c.Add(types(1, 3, subtypes...))
		order := rapid.Permutation(subtypes).Draw(t, "order")
		for i, n := range order {
			c.Delete(types(1, 3, n))
			for _, m := range subtypes {
				ok, _ := c.Allows(1, 3, m, nil)
				if want := slices.Index(order, m) > i; ok != want {
					t.Fatalf("after deleting %v of %v: [3,%d] %v", order[:i+1], subtypes, m, ok)
				}
			}
		}
		if len(c.Types) != 0 {
			t.Fatalf("left over: %+v", c.Types)
		}
	})
}
