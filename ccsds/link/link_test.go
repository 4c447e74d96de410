package link_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
)

// TestNoisyLink: BER 1e-3 up and 5e-3 down, a burst each way and a loss of signal. All
// packets sent on AD arrive once and in order, on two channels at the same time; on the
// way down what is missing is counted.
func TestNoisyLink(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			const commands, files, telemetry = 40, 120, 60
			w := newWorld(t, profile(), seed, 1e-3, 5e-3)
			w.feedUp = both(load(0, commands, seed), load(1, files, seed))
			sent := 0
			w.feedDown = func(w *world) {
				for sent < telemetry && w.space.Room(0) > 60 {
					if err := w.space.Send(0, packet(sent, 700)); err != nil {
						t.Fatal(err)
					}
					sent++
				}
			}
			w.run(2 * time.Second)
			w.up.Burst(w.p.UpRate / 2)
			w.down.Burst(w.p.DownRate / 2)
			w.run(2 * time.Second)
			w.signal(false)
			w.run(3 * time.Second)
			w.signal(true)
			w.until(3*time.Minute, "transfer", func() bool {
				return len(w.accepted[0]) >= commands && len(w.accepted[1]) >= files
			})
			inOrder(t, "commands on board", w.got[0], commands)
			inOrder(t, "files on board", w.got[1], files)
			inOrder(t, "commands accepted", w.accepted[0], commands)
			inOrder(t, "files accepted", w.accepted[1], files)
			g := w.gnd.Stats()
			if g.FOP[1].Again == 0 || g.Corrected == 0 || g.Lost == 0 || g.LockLosses == 0 || w.kinds["suspended"] == 0 {
				t.Errorf("the channel was too good for a test: %+v", g)
			}
			if n := w.refused["sdls: forged"] + w.refused["sdls: replayed"]; n != 0 {
				t.Errorf("%d good frames refused: %v", n, w.refused)
			}
			for i := 1; i < len(w.seen[0]); i++ {
				if w.seen[0][i] <= w.seen[0][i-1] {
					t.Fatalf("telemetry %d after %d", w.seen[0][i], w.seen[0][i-1])
				}
			}
			t.Logf("%v: %d CLTUs, %d again, %d alerts, T1 %d ms; %d frames, %d corrected, %d lost, %d bad, %d of %d packets",
				w.now.Sub(time.Unix(1_000_000, 0)), g.CLTUs, g.FOP[1].Again, g.FOP[1].Alerts, g.FOP[1].T1Millis,
				g.Frames, g.Corrected, g.Lost, g.Bad, len(w.seen[0]), sent)
		})
	}
}

// TestPerfectLink: without noise nothing is lost, corrected or sent twice.
func TestPerfectLink(t *testing.T) {
	w := newWorld(t, profile(), 1, 0, 0)
	w.feedUp = both(load(0, 50, 1), load(1, 50, 1))
	sent := 0
	w.feedDown = func(w *world) {
		for _, vc := range []ccsds.VCID{0, 1, 2, 3} {
			if sent < 400 && w.space.Room(vc) > 0 {
				_ = w.space.Send(vc, packet(sent, 300))
				sent++
			}
		}
	}
	w.until(time.Minute, "transfer", func() bool { return len(w.accepted[0])+len(w.accepted[1]) == 100 })
	w.run(2 * time.Second)
	inOrder(t, "commands", w.got[0], 50)
	inOrder(t, "files", w.got[1], 50)
	g := w.gnd.Stats()
	if g.Lost+g.Bad+g.Corrected+g.FOP[0].Again+g.FOP[1].Again+g.FOP[0].Alerts+g.FOP[1].Alerts != 0 {
		t.Errorf("%+v", g)
	}
	if n := len(w.seen[0]) + len(w.seen[1]) + len(w.seen[2]) + len(w.seen[3]); n != 400 {
		t.Errorf("%d of 400 packets came down", n)
	}
	if !w.upLock {
		t.Error("the craft hears nothing")
	}
}
