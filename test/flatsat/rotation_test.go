package flatsat_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/tc"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/craft"
)

// protected is a craft whose telemetry is authenticated and encrypted.
func protected(t *testing.T, down string, fn func(t *testing.T, ctx context.Context, f *flatsat)) {
	t.Helper()
	outside(t)
	toml := craftTOML + "[link]\nfsr = true\ndown = \"" + down + "\"\n"
	for _, vc := range []string{"0", "1", "2"} {
		toml += "[[link.down_channel]]\nvc = " + vc + "\nsecurity = \"both\"\n"
	}
	desc, err := craft.Parse([]byte(toml), "craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		flyAs(t, desc, nil, 1, 0, 0, func(ctx context.Context, f *flatsat) { fn(t, ctx, f) })
	})
}

func (f *flatsat) rotate(ctx context.Context, vc uint8, down bool) client.LinkKey {
	f.t.Helper()
	k, err := f.api.RotateKey(ctx, client.Rotation{VC: vc, Down: down})
	if err != nil {
		f.t.Fatalf("rotate %d, down %v: %v", vc, down, err)
	}
	return k
}

func (f *flatsat) ping(ctx context.Context) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if _, err := f.api.Ping(ctx); err != nil {
		f.t.Fatalf("ping: %v", err)
	}
}

// settled checks that all channels work under keys that both sides know.
func (f *flatsat) settled(ctx context.Context) {
	f.t.Helper()
	f.ping(ctx)
	keys, err := f.api.Keys(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, k := range keys {
		if k.Rotating || k.Lost {
			f.t.Errorf("not settled: %+v", k)
		}
		if _, err := f.api.Procedure(ctx, client.Procedure{Name: "key.verify", Key: k.Key}); err != nil {
			f.t.Errorf("key %d: %v", k.Key, err)
		}
		if k.Down {
			continue
		}
		r := client.Request{Service: 17, Subtype: 1, VC: k.VC, BD: k.VC == 2}
		if _, err := f.api.Do(ctx, r); err != nil {
			f.t.Errorf("uplink channel %d: %v", k.VC, err)
		}
	}
	inventory, err := f.api.Procedure(ctx, client.Procedure{Name: "key.inventory"})
	if err != nil || len(inventory.Keys) != len(keys) {
		f.t.Errorf("%d keys on board for %d channels, %v: %+v", len(inventory.Keys), len(keys), err, inventory.Keys)
	}
}

// The keys of the downlink change, twice, and not a frame of telemetry is lost or refused; each
// side sees the other change.
func TestDownlinkKeys(t *testing.T) {
	for _, down := range []string{"tm", "aos", "uslp"} {
		t.Run(down, func(t *testing.T) {
			protected(t, down, func(t *testing.T, ctx context.Context, f *flatsat) {
				f.ping(ctx)
				for range 2 {
					for vc := range uint8(3) {
						k := f.rotate(ctx, vc, true)
						if !k.Down || k.VC != vc || k.Key <= 1000 || k.Rotating {
							t.Errorf("%+v", k)
						}
						if vc != 0 {
							continue // nothing is sent there now
						}
						e, err := f.api.Wait(ctx, f.seen, func(e client.Event) bool { return e.Field("spi") == "32784" || e.Field("spi") == "16" }, client.KindKeys)
						if err != nil {
							t.Fatal(err)
						}
						f.seen = e.Seq
					}
				}
				f.settled(ctx)
				s, err := f.api.Status(ctx)
				if err != nil || s.Link.Bad != 0 || s.Link.Lost != 0 || s.Link.Packets == 0 {
					t.Errorf("link %+v, %v", s.Link, err)
				}
			})
		})
	}
}

// A rotation is cut off at any moment, and both sides begin anew: it goes on where it stood.
func TestRotationStopsHalfWay(t *testing.T) {
	for name, down := range map[string]bool{"up": false, "down": true} {
		t.Run(name, func(t *testing.T) {
			protected(t, "tm", func(t *testing.T, ctx context.Context, f *flatsat) {
				f.ping(ctx)
				cuts := 0
				for after := 10 * time.Millisecond; ; after += 10 * time.Millisecond {
					within, cancel := context.WithTimeout(ctx, after)
					_, err := f.api.RotateKey(within, client.Rotation{Down: down})
					cancel()
					if err == nil {
						break
					}
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Fatal(err)
					}
					cuts++
					f.again(ctx, func() {})
					f.halfChanged(ctx, down)
					f.ping(ctx)
				}
				if s, err := f.api.Status(ctx); err != nil || len(s.Keys) != 0 {
					t.Errorf("at the end: %+v, %v", s.Keys, err)
				}
				if cuts < 3 {
					t.Errorf("cut off %d times", cuts)
				}
				f.settled(ctx)
			})
		})
	}
}

// halfChanged checks that a station that has just begun tells of the rotation which was cut off,
// and of what ends it.
func (f *flatsat) halfChanged(ctx context.Context, down bool) client.LinkKey {
	f.t.Helper()
	s, err := f.api.Status(ctx)
	if err != nil || len(s.Keys) != 1 || s.Keys[0].Down != down || s.Keys[0].Step < 1 || s.Keys[0].Step > s.Keys[0].Steps || s.Keys[0].Busy {
		f.t.Fatalf("status tells of %+v, %v", s.Keys, err)
	}
	want := s.Keys[0].Advice()
	if !strings.Contains(want, "half changed") || !strings.Contains(want, "perilune key rotate --vc 0") {
		f.t.Errorf("advice %q", want)
	}
	if _, err := f.api.Wait(ctx, 0, func(e client.Event) bool { return e.Text == want }, client.KindKeys); err != nil {
		f.t.Errorf("no event %q: %v", want, err)
	}
	return s.Keys[0]
}

// A rotation is cut off and the craft loses what the steps so far have done: until the new key
// is in use, giving the command again is all that it takes.
func TestRotationFromTheBeginning(t *testing.T) {
	for name, down := range map[string]bool{"up": false, "down": true} {
		t.Run(name, func(t *testing.T) {
			steps := map[int]bool{}
			for after := 15 * time.Millisecond; after < 3*time.Second; after += 15 * time.Millisecond {
				protected(t, "tm", func(t *testing.T, ctx context.Context, f *flatsat) {
					f.ping(ctx)
					within, cancel := context.WithTimeout(ctx, after)
					_, err := f.api.RotateKey(within, client.Rotation{Down: down})
					cancel()
					if err == nil {
						after = time.Hour
						return
					}
					f.again(ctx, func() { f.lose(craftDB) })
					k := f.halfChanged(ctx, down)
					if k.Step > 5 || steps[k.Step] { // the new key may be in use: that is for recovering
						return
					}
					steps[k.Step] = true
					f.ping(ctx)
					f.rotate(ctx, 0, down)
					f.settled(ctx)
				})
			}
			if len(steps) < 4 {
				t.Errorf("tried at steps %v only", steps)
			}
		})
	}
}

// Keys and associations by hand, as the commands have it.
func TestProceduresByHand(t *testing.T) {
	protected(t, "tm", func(t *testing.T, ctx context.Context, f *flatsat) {
		f.ping(ctx)
		do := func(p client.Procedure) client.ProcedureReply {
			t.Helper()
			r, err := f.api.Procedure(ctx, p)
			if err != nil || !r.Good {
				t.Fatalf("%+v: %+v, %v", p, r, err)
			}
			return r
		}
		state := func(spi uint16) string {
			t.Helper()
			return do(client.Procedure{Name: "sa.status", SPI: spi}).Associations[0].State
		}
		key := do(client.Procedure{Name: "key.load"}).Keys[0]
		if key.State != "pre-active" {
			t.Errorf("%+v", key)
		}
		const spi = 100
		for _, step := range []struct{ name, want string }{
			{"sa.create", "unkeyed"}, {"sa.rekey", "keyed"}, {"key.activate", "keyed"}, {"sa.start", "operational"},
			{"sa.window", "operational"}, {"reset", "operational"}, {"sa.stop", "keyed"}, {"sa.expire", "unkeyed"}, {"sa.delete", "none"}, {"reset", "none"}, {"key.revoke", "none"},
		} {
			if step.name == "reset" {
				f.again(ctx, func() {})
				f.ping(ctx)
			} else {
				do(client.Procedure{Name: step.name, SPI: spi, Key: key.Key, Number: 5, VCs: []uint8{0}})
			}
			if got := state(spi); got != step.want {
				t.Fatalf("after %s: %s, want %s", step.name, got, step.want)
			}
		}
		if n := len(do(client.Procedure{Name: "sa.status"}).Associations); n != 12 {
			t.Errorf("%d associations", n)
		}
		do(client.Procedure{Name: "ping"})
		do(client.Procedure{Name: "selftest"})
		do(client.Procedure{Name: "alarm.reset"})
		if _, err := f.api.Procedure(ctx, client.Procedure{Name: "sa.stop", SPI: 1}); err == nil {
			t.Error("stopped")
		}
		if log := do(client.Procedure{Name: "log.status"}).Log; log.Events == 0 {
			t.Errorf("%+v", log)
		}
		events := do(client.Procedure{Name: "log.dump"}).Events
		if len(events) == 0 || events[len(events)-1] != (client.SecurityEvent{Tag: 0x1E, What: "procedure refused", SPI: 1}) {
			t.Errorf("%+v", events)
		}
		if log := do(client.Procedure{Name: "log.erase"}).Log; log.Events != 0 {
			t.Errorf("%+v", log)
		}
		// An association of the profile that was deleted comes back for the next rotation.
		do(client.Procedure{Name: "sa.delete", SPI: 32769})
		f.again(ctx, func() {})
		f.rotate(ctx, 0, false)
		f.settled(ctx)
	})
}

// A forged frame raises the alarm of the frame security report, until it is reset.
func TestSecurityAlarm(t *testing.T) {
	protected(t, "aos", func(t *testing.T, ctx context.Context, f *flatsat) {
		f.ping(ctx)
		report := func(words string) {
			t.Helper()
			e, err := f.api.Wait(ctx, f.seen, func(e client.Event) bool { return strings.Contains(e.Text, words) }, client.KindFSR)
			if err != nil {
				t.Fatal(err)
			}
			f.seen = e.Seq
		}
		report("SPI")
		field := append([]byte{0xC0, 0, 1, 0, 0, 0, 1}, make([]byte, 60)...)
		f.radiate(ctx, cltu(frame(t, tc.Frame{VCID: 0, Bypass: true}, field)))
		report("alarm")
		if _, err := f.api.Procedure(ctx, client.Procedure{Name: "alarm.reset"}); err != nil {
			t.Fatal(err)
		}
		e, err := f.api.Wait(ctx, f.seen, func(e client.Event) bool { return !strings.Contains(e.Text, "alarm") }, client.KindFSR)
		if err != nil {
			t.Fatal(err)
		}
		f.seen = e.Seq
		events, err := f.api.Procedure(ctx, client.Procedure{Name: "log.dump"})
		if err != nil || len(events.Events) == 0 || events.Events[0].What != "forged" || events.Events[0].SPI != 1 {
			t.Errorf("log %+v, %v", events, err)
		}
	})
}
