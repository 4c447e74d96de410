package flatsat_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/grant"
)

var seeds = flag.Int("seeds", 20, "flights through noise")

func TestMissionThroughNoise(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = min(n, 2)
	}
	outside(t)
	for seed := range uint64(n) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fly(t, seed, 1e-3, 5e-3, func(ctx context.Context, f *flatsat) { mission(t, ctx, f) })
			})
		})
	}
}

// mission is what an operator does on a day with bad weather.
func mission(t *testing.T, ctx context.Context, f *flatsat) {
	if _, err := f.api.Ping(ctx); err != nil {
		t.Fatalf("ping: %v", err)
	}
	honest, err := f.dev.Tenant("borealis")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := grant.NewKey(grant.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	burst := time.AfterFunc(300*time.Millisecond, func() {
		f.air.set(func(up, down *channel.Channel) { up.Burst(5_000); down.Burst(100_000) })
	})
	defer burst.Stop()
	act, err := f.api.Activate(ctx, f.pack("earth", honest), nil)
	if err != nil {
		t.Fatalf("activate: %v", err)
	}
	if act.Mission != "earth" || act.Tenant != "borealis" {
		t.Errorf("activation %+v", act)
	}
	var refused *client.RefusedError
	if _, err := f.api.Activate(ctx, f.pack("moon", stranger), nil); !errors.As(err, &refused) || refused.Rule != missions.RuleSignature {
		t.Errorf("a stranger's bundle: %v", err)
	}
	if _, err := f.api.Do(ctx, client.Request{Function: "mission.list"}); err != nil {
		t.Fatalf("list: %v", err)
	}
	if _, err := f.api.Wait(ctx, 0, func(e client.Event) bool { return e.Field("name") == "bundle activated" }, client.KindEvent); err != nil {
		t.Fatalf("event: %v", err)
	}
	guests, err := f.api.Missions(ctx)
	if err != nil || len(guests) != 1 || guests[0].Mission != "earth" {
		t.Errorf("guests %+v, %v", guests, err)
	}
	schedule(t, ctx, f)
	s, err := f.api.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s.Link.Corrected == 0 || s.Link.Lost+s.Link.Bad == 0 || s.Link.Retransmissions == 0 {
		t.Errorf("the noise did not hurt: %+v", s.Link)
	}
}

// schedule waits for the clock, orders a ping for later and sees it carried out then.
func schedule(t *testing.T, ctx context.Context, f *flatsat) {
	for {
		s, err := f.api.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if s.Health != nil && s.Health.ScheduleEnabled && s.Health.TimeQuality == "set" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	at := time.Now().Add(10 * time.Second)
	id, err := f.api.Schedule(ctx, at, client.Request{Service: 17, Subtype: 1})
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := f.api.WaitCommand(ctx, id, client.StageCompleted)
	if err != nil {
		t.Fatalf("schedule: %v", err)
	}
	if _, err := f.api.WaitCommand(ctx, cmd.Child, client.StageCompleted); err != nil {
		t.Fatalf("scheduled ping: %v", err)
	}
	if early := time.Until(at); early > 100*time.Millisecond {
		t.Errorf("carried out %v early", early)
	}
}
