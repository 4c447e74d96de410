package flatsat_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/missions/craft"
)

// TestProfiles flies the same bad day with each link that the demonstration can have. The
// rates are low, which saves bits to decode: the clock is fake anyway.
func TestProfiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "sim", "flatsat", "profiles", "*.toml"))
	if err != nil || len(files) != 5 {
		t.Fatalf("profiles %v, %v: want five", files, err)
	}
	outside(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { profileFlight(t, file) })
		})
	}
}

func profileFlight(t *testing.T, file string) {
	desc, err := craft.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range desc.Tenants {
		desc.Tenants[i].Missions, desc.Tenants[i].Autostart = nil, nil
	}
	desc.Link.DownRate, desc.Link.UpRate = 64_000, 64_000
	var awgn *channel.AWGN
	down := 5e-3
	if desc.Link.Soft {
		down = 0
		// A little better than the demonstration's, for the same reason.
		if awgn, err = channel.NewAWGN(1, *desc.Sim.EbN0Down+0.2, desc.Link.Ratio()); err != nil {
			t.Fatal(err)
		}
	}
	flyAs(t, desc, awgn, 1, 1e-3, down, func(ctx context.Context, f *flatsat) {
		mission(t, ctx, f)
		s, err := f.api.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, l := range s.Link.Layers {
			names[l.Name] = true
		}
		for _, want := range []string{"down sync", "down code", "down frames", "down packets", "up frames", "up SDLS", "up code"} {
			if !names[want] {
				t.Errorf("no layer %q in %v", want, s.Link.Layers)
			}
		}
	})
}

// TestPackets flies behind a platform computer that carries packets: no frames, no
// COP-1, no security, and a file goes up all the same.
func TestPackets(t *testing.T) {
	outside(t)
	text := craftTOML + "[link]\ndown = 'packets'\nup = 'packets'\nsecurity = 'none'\ndown_rate = 64000\nup_rate = 64000\n"
	desc, err := craft.Parse([]byte(text), "craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		flyAs(t, desc, nil, 1, 0, 0, func(ctx context.Context, f *flatsat) {
			if _, err := f.api.Ping(ctx); err != nil {
				t.Fatalf("ping: %v", err)
			}
			key, err := f.dev.Tenant("borealis")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.api.Activate(ctx, f.pack("earth", key), nil); err != nil {
				t.Fatalf("activate: %v", err)
			}
		})
	})
}
