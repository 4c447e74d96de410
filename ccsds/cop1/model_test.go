package cop1_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cop1"
)

// TestNoGapNoDuplicate: whatever the channel loses or repeats, and wherever V(R)
// starts, each FDU is delivered once, in order, and confirmed once, in order.
func TestNoGapNoDuplicate(t *testing.T) {
	for seed := range uint64(40) {
		loss := []float64{0, 0.02, 0.1, 0.3, 0.5}[seed%5]
		t.Run(fmt.Sprintf("seed=%d/loss=%v", seed, loss), func(t *testing.T) {
			const n = 700 // beyond two turns of the sequence number
			w := newWorld(t, seed, n, loss, uint8(seed*37))
			w.run(n)
			for i := range n {
				if w.delivered[i] != i || w.confirmed[i] != i {
					t.Fatalf("place %d: delivered %d, confirmed %d", i, w.delivered[i], w.confirmed[i])
				}
			}
			if len(w.delivered) != n {
				t.Fatalf("%d delivered, want %d", len(w.delivered), n)
			}
			if loss >= 0.02 && w.again == 0 {
				t.Error("nothing was retransmitted: the test does not test")
			}
		})
	}
}

// TestRestartAndLockout: the craft restarts with a stale V(R), and forged frames
// lock the channel. Everything still arrives, nothing is missing; a frame may
// come twice, since its acknowledgement died with the craft.
func TestRestartAndLockout(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			const n = 300
			w := newWorld(t, seed, n, 0.05, 0)
			for i := 0; len(w.confirmed) < n; i++ {
				if i > 200000 {
					t.Fatalf("deadlock: %d confirmed, FOP %v, FARM %v", len(w.confirmed), w.fop.State(), w.farm.State())
				}
				switch {
				case i%700 == 500: // restart: V(R) up to 15 behind
					w.farm, _ = cop1.NewFARM(254, w.farm.VR()-uint8(w.rng.IntN(16)))
				case i%700 == 650:
					w.farm.AD(w.farm.VR()+127, true)
				}
				w.step()
			}
			seen := map[int]bool{}
			for _, d := range w.delivered {
				if d > 0 && !seen[d-1] {
					t.Fatalf("%d delivered before %d", d, d-1)
				}
				seen[d] = true
			}
			if len(seen) != n {
				t.Fatalf("%d of %d delivered", len(seen), n)
			}
			if w.alerts[cop1.AlertNNR]+w.alerts[cop1.AlertSynch] == 0 || w.alerts[cop1.AlertLockout] == 0 {
				t.Errorf("alerts %v: the test does not test", w.alerts)
			}
		})
	}
}

// TestHoldIsNotSilence: an hour without a return link costs neither a T1 nor a
// transmission.
func TestHoldIsNotSilence(t *testing.T) {
	var notices []cop1.Notice
	f, err := cop1.NewFOP(0, cop1.Config{Window: 4, Limit: 2, T1First: time.Second}, func(n cop1.Notice) { notices = append(notices, n) })
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Initiate()
	fdu := &cop1.FDU{Tag: 1}
	_ = f.Send(fdu)
	if _, ok := f.Next(start); !ok {
		t.Fatal("nothing to send")
	}
	f.Hold(start.Add(400 * time.Millisecond))
	f.Tick(start.Add(time.Hour))
	if _, ok := f.Next(start.Add(time.Hour)); ok || !f.Deadline().IsZero() {
		t.Fatal("a held FOP sends or times")
	}
	f.Release(start.Add(time.Hour))
	if got, want := f.Deadline(), start.Add(time.Hour+600*time.Millisecond); !got.Equal(want) {
		t.Errorf("T1 ends %v, want %v", got, want)
	}
	f.Repeat(start.Add(time.Hour))
	if tx, ok := f.Next(start.Add(time.Hour)); !ok || !tx.Again || tx.FDU != fdu {
		t.Errorf("after the hold: %+v %v", tx, ok)
	}
	for _, n := range notices {
		if n.Kind == cop1.Alerted {
			t.Errorf("alert %v", n.Alert)
		}
	}
}

// TestSuspendAndResume: with timeout type 1 the queues survive (E18, E31).
func TestSuspendAndResume(t *testing.T) {
	suspended, confirmed := 0, 0
	f, err := cop1.NewFOP(0, cop1.Config{Window: 4, Limit: 1, Suspend: true}, func(n cop1.Notice) {
		switch n.Kind {
		case cop1.Suspended:
			suspended++
		case cop1.Confirmed:
			confirmed++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Initiate()
	_ = f.Send(&cop1.FDU{})
	f.Next(start)
	f.Tick(start.Add(time.Hour))
	if f.State() != cop1.Initial || f.SS() != cop1.Active || suspended != 1 {
		t.Fatalf("state %v, SS %v", f.State(), f.SS())
	}
	if err := f.SetVS(3); err == nil {
		t.Error("V(S) set while suspended")
	}
	if err := f.Resume(start); err != nil {
		t.Fatal(err)
	}
	f.CLCW(cop1.CLCW{COP: 1, ReportValue: 1}, start)
	if confirmed != 1 {
		t.Error("the frame sent before the suspension is not confirmed")
	}
}

// TestT1FollowsRoundTrip: after steady round trips of 3 s T1 is near them,
// although it began at 10 s, and after 50 ms ones it comes down.
func TestT1FollowsRoundTrip(t *testing.T) {
	f, err := cop1.NewFOP(0, cop1.Config{Window: 4, Limit: 10}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Initiate()
	now := start
	trip := func(d time.Duration, n int) {
		for range n {
			_ = f.Send(&cop1.FDU{})
			f.Next(now)
			now = now.Add(d)
			f.CLCW(cop1.CLCW{COP: 1, ReportValue: f.VS()}, now)
		}
	}
	trip(3*time.Second, 30)
	if v := f.T1(); v < 3*time.Second || v > 5*time.Second {
		t.Errorf("T1 = %v after round trips of 3 s", v)
	}
	trip(50*time.Millisecond, 100)
	if v := f.T1(); v > 400*time.Millisecond {
		t.Errorf("T1 = %v after round trips of 50 ms", v)
	}
}

func TestConfigRefused(t *testing.T) {
	if _, err := cop1.NewFOP(0, cop1.Config{Window: 256, Limit: 1}, nil); err == nil {
		t.Error("window 256 taken")
	}
	if _, err := cop1.NewFOP(0, cop1.Config{Window: 1}, nil); err == nil {
		t.Error("limit 0 taken")
	}
	for _, w := range []int{0, 1, 7, 255, 256} {
		if _, err := cop1.NewFARM(w, 0); err == nil {
			t.Errorf("FARM window %d taken", w)
		}
	}
}
