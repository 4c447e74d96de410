package tender_test

import (
	"context"
	"testing"

	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/tendertest"
)

// A warm machine runs guests of any size as a cold one does, and gives none
// of them more than its own memory.
func TestWarm(t *testing.T) {
	for _, mib := range []uint64{2, 32, 34, 256} {
		for arg, want := range map[string]tender.Exit{
			"puts-edge": {Kind: tender.Halt}, "puts-above": {Kind: tender.Fault, Status: 1}, "read-above": {Kind: tender.Fault, Status: 1},
		} {
			m := newMachine(t)
			if err := m.Warm(); err != nil {
				t.Fatal(err)
			}
			c := config(t, tendertest.Guest(t, "hostile"), arg)
			c.Memory = mib << 20
			if err := m.Load(c); err != nil {
				t.Fatal(err)
			}
			if e := m.Run(context.Background()); e.Kind != want.Kind || e.Status != want.Status {
				t.Errorf("%d MiB, %s: %+v", mib, arg, e)
			}
		}
	}
	if err := newMachine(t).Warm(); err != nil { // and no guest comes
		t.Fatal(err)
	}
}
