package tender_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/tendertest"
)

// TestVCPUs: what several vCPUs do together. The guest checks and says.
func TestVCPUs(t *testing.T) {
	for _, c := range []struct {
		arg  string
		want tender.Exit
	}{
		{"start", tender.Exit{Kind: tender.Halt}},
		{"park", tender.Exit{Kind: tender.Halt}},
		{"owner", tender.Exit{Kind: tender.Halt}},
		{"ring 2000", tender.Exit{Kind: tender.Halt}},
		{"halt", tender.Exit{Status: 7, Kind: tender.Halt}},
		{"abort", tender.Exit{Status: 255, Kind: tender.Abort, Reason: "vCPU 1: guest aborted"}},
	} {
		m := newMachine(t)
		g := config(t, tendertest.Guest(t, "smp"), c.arg)
		var text strings.Builder
		g.Console = func(p []byte) error { text.Write(p); return nil }
		if err := m.Load(g); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		if e := m.Run(ctx); e != c.want {
			t.Errorf("%s: %+v, want %+v; %q", c.arg, e, c.want, text.String())
		}
		cancel()
	}
}

// A fault names the vCPU.
func TestVCPUFault(t *testing.T) {
	m := newMachine(t)
	if err := m.Load(config(t, tendertest.Guest(t, "smp"), "fault")); err != nil {
		t.Fatal(err)
	}
	if e := m.Run(context.Background()); e.Status != 1 || !strings.HasPrefix(e.Reason, "vCPU 1: ") {
		t.Errorf("%+v", e)
	}
}

// Stop ends vCPUs that are parked.
func TestVCPUsStop(t *testing.T) {
	m := newMachine(t)
	if err := m.Load(config(t, tendertest.Guest(t, "smp"), "sleep")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if e := m.Run(ctx); e.Kind != tender.Killed {
		t.Errorf("%+v", e)
	}
}

// More vCPUs than granted are refused before the guest runs.
func TestVCPUsGranted(t *testing.T) {
	g := config(t, tendertest.Guest(t, "smp"), "start")
	g.VCPUs = 2
	if err := newMachine(t).Load(g); !errors.Is(err, tender.ErrVCPUs) {
		t.Errorf("3 vCPUs where 2 are granted: %v", err)
	}
}
