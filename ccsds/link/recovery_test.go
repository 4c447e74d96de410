package link_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/tc"
)

// TestCraftRestarts: the craft is reset again and again in the middle of a transfer and
// comes back with a V(R) that is up to 16 frames old. The ground recovers alone: nothing
// is missing but packets that were half on board, and what comes twice is only what the
// ground had no word of.
func TestCraftRestarts(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			const n = 200
			w := newWorld(t, profile(), seed, 1e-4, 1e-3)
			w.feedUp = load(1, n, seed)
			floors := map[uint16]uint64{}
			for range 4 {
				w.run(1500*time.Millisecond + time.Duration(seed%10)*130*time.Millisecond)
				w.bootSpace()
				for spi, now := range w.space.Stats().Floors {
					if now < floors[spi] {
						t.Fatalf("SPI %d: floor went back from %d to %d", spi, floors[spi], now)
					}
					floors[spi] = now
				}
			}
			w.until(2*time.Minute, "transfer", func() bool { return len(w.accepted[1]) >= n })
			inOrder(t, "accepted", w.accepted[1], n)
			missing, twice, at := 0, 0, 0
			for _, id := range w.got[1] {
				switch {
				case id < at:
					twice++
				case id == at:
					at++
				default:
					missing += id - at
					at = id + 1
				}
			}
			if missing > 4 {
				t.Errorf("%d packets missing after 4 restarts: more than one each", missing)
			}
			if w.alerts["nnr"]+w.alerts["synch"] == 0 {
				t.Errorf("alerts %v: V(R) was not stale, the test does not test", w.alerts)
			}
			if w.disk.vred > 60+w.disk.floored {
				t.Errorf("V(R) saved %d times", w.disk.vred)
			}
			t.Logf("%d missing, %d twice, alerts %v", missing, twice, w.alerts)
		})
	}
}

// TestGroundRestarts: a new ground with the same counter goes on where FARM-1 stands.
func TestGroundRestarts(t *testing.T) {
	w := newWorld(t, profile(), 3, 1e-3, 1e-3)
	w.feedUp = load(0, 30, 1)
	w.until(time.Minute, "first", func() bool { return len(w.accepted[0]) >= 30 })
	w.bootGround()
	w.got, w.accepted = map[ccsds.VCID][]int{}, map[ccsds.VCID][]int{}
	w.feedUp = load(0, 30, 2)
	w.until(time.Minute, "second", func() bool { return len(w.accepted[0]) >= 30 })
	inOrder(t, "after the restart", w.got[0], 30)
	if n := w.refused["sdls: replayed"]; n != 0 {
		t.Errorf("%d frames taken for replays", n)
	}
}

// TestLongSilence: ten minutes without signal, with noise or with nothing at all, cost
// no transmission and no alert, and the transfer goes on by itself.
func TestLongSilence(t *testing.T) {
	for name, hush := range map[string]func(w *world, on bool){
		"noise":   func(w *world, on bool) { w.signal(!on) },
		"no bits": func(w *world, on bool) { w.cut = on; w.up.SetSignal(!on) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, profile(), 5, 0, 0)
			w.feedUp = load(1, 150, 1)
			w.run(1500 * time.Millisecond)
			hush(w, true)
			w.run(10 * time.Second)
			before := w.gnd.Stats()
			if before.Up || w.kinds[link.FOPSuspended] != 2 || !before.FOP[1].Held {
				t.Fatalf("not suspended: %+v", before)
			}
			w.run(time.Minute)
			if after := w.gnd.Stats(); after.CLTUs != before.CLTUs {
				t.Errorf("%d CLTUs radiated without a return link", after.CLTUs-before.CLTUs)
			}
			w.now = w.now.Add(10 * time.Minute)
			hush(w, false)
			w.until(time.Minute, "transfer", func() bool { return len(w.accepted[1]) >= 150 })
			inOrder(t, "on board", w.got[1], 150)
			if len(w.alerts) != 0 || w.kinds[link.FOPResumed] < 2 {
				t.Errorf("alerts %v, events %v", w.alerts, w.kinds)
			}
		})
	}
}

// TestSlips: the receivers' bit clocks slip; both ends find themselves again.
func TestSlips(t *testing.T) {
	w := newWorld(t, profile(), 6, 1e-4, 1e-4)
	w.feedUp = load(1, 100, 1)
	for i := range 5 {
		w.run(700 * time.Millisecond)
		w.up.Slip(3 - i)
		w.down.Slip(5*i - 7)
	}
	w.until(time.Minute, "transfer", func() bool { return len(w.accepted[1]) >= 100 })
	inOrder(t, "on board", w.got[1], 100)
}

// TestRecoveryChannel: channel 2 works with no return link at all and while the others
// are locked out.
func TestRecoveryChannel(t *testing.T) {
	w := newWorld(t, profile(), 7, 0, 0)
	w.down.SetSignal(false)
	if err := w.gnd.Send(2, packet(77, 600), false, "way in"); err != nil {
		t.Fatal(err)
	}
	w.run(2 * time.Second)
	if len(w.got[2]) != 1 || w.got[2][0] != 77 {
		t.Fatalf("on board %v, refused %v", w.got, w.refused)
	}
	if w.kinds[link.FOPRadiated] != 1 || w.kinds[link.FOPInitialised] != 0 {
		t.Errorf("events %v", w.kinds)
	}
}

// TestAttackerLocksOut: frames forged without a key lock both AD channels again and again,
// faster than Unlock can come: FARM-1 stands before security, so no command gets through
// there. The recovery channel has no FARM-1 state to spoil: each of its commands arrives,
// once, and when the attack ends so do those that waited.
func TestAttackerLocksOut(t *testing.T) {
	w := newWorld(t, profile(), 21, 0, 0)
	w.run(time.Second)
	lock := func() {
		for vc := range ccsds.VCID(2) {
			forge(t, w, tc.Frame{VCID: vc, Seq: w.space.Stats().FARM[vc].VR + 127}, append([]byte{0xc0}, packet(666, 40)...))
		}
	}
	lock()
	if err := w.gnd.Send(0, packet(1, 60), false, "waits"); err != nil {
		t.Fatal(err)
	}
	const commands = 50
	for i := range commands {
		if err := w.gnd.Send(2, packet(100+i, 300), true, i); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			w.step()
			lock()
		}
	}
	if len(w.got[0]) != 0 {
		t.Fatalf("the attack does not lock channel 0: %v arrived", w.got[0])
	}
	if len(w.got[2]) != commands {
		t.Fatalf("%d of %d recovery commands arrived", len(w.got[2]), commands)
	}
	for i, id := range w.got[2] {
		if id != 100+i {
			t.Fatalf("recovery command %d is %d", i, id)
		}
	}
	w.until(time.Minute, "the command that waited", func() bool { return len(w.got[0]) == 1 && w.got[0][0] == 1 })
}

// TestBypassOvertakes: Type-BD frames between the segments of Type-AD packets on the
// same channel disturb neither.
func TestBypassOvertakes(t *testing.T) {
	w := newWorld(t, profile(), 8, 1e-3, 1e-3)
	w.feedUp = load(0, 80, 1)
	bd := 0
	for range 100 {
		w.run(50 * time.Millisecond)
		if err := w.gnd.Send(0, packet(1000+bd, 500), true, 1000+bd); err != nil {
			t.Fatal(err)
		}
		bd++
	}
	w.until(time.Minute, "transfer", func() bool { return len(w.accepted[0]) >= 80 })
	var ad, bypass []int
	for _, id := range w.got[0] {
		if id < 1000 {
			ad = append(ad, id)
		} else {
			bypass = append(bypass, id)
		}
	}
	inOrder(t, "AD", ad, 80)
	if len(bypass) < bd/2 {
		t.Errorf("%d of %d BD packets arrived", len(bypass), bd)
	}
}

// TestDirectives: the operator may start the service anew at any time.
func TestDirectives(t *testing.T) {
	w := newWorld(t, profile(), 9, 0, 0)
	w.feedUp = load(0, 60, 1)
	w.run(time.Second)
	w.gnd.InitAD(0, w.now)
	w.run(time.Second)
	w.gnd.SetVR(0, 200, w.now)
	w.run(time.Second)
	w.gnd.Unlock(0, w.now)
	w.gnd.Unlock(2, w.now) // no FOP there: nothing happens
	w.until(time.Minute, "transfer", func() bool { return len(w.accepted[0]) >= 60 })
	inOrder(t, "accepted", w.accepted[0], 60)
	seen := map[int]bool{}
	for _, id := range w.got[0] {
		seen[id] = true
	}
	if len(seen) != 60 || w.alerts["term"] < 3 {
		t.Errorf("%d of 60 on board, alerts %v", len(seen), w.alerts)
	}
}

// TestLargestPacket: 65542 octets go up in segments and down over frames.
func TestLargestPacket(t *testing.T) {
	w := newWorld(t, profile(), 10, 1e-3, 1e-3)
	if err := w.gnd.Send(1, packet(1, 65542), false, 1); err != nil {
		t.Fatal(err)
	}
	if err := w.space.Send(2, packet(2, 65542)); err != nil {
		t.Fatal(err)
	}
	w.until(time.Minute, "both", func() bool { return len(w.got[1]) == 1 && len(w.seen[2]) == 1 })
}

// TestSlowCraft: a craft in an emulator on a loaded machine stands still for up to four
// seconds at a time and then works off what came in. The AD service bears it.
func TestSlowCraft(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, profile(), seed, 1e-3, 1e-3)
			rng := rand.New(rand.NewPCG(seed, 5))
			w.feedUp = both(load(1, 60, seed), func(w *world) {
				if w.stall == 0 && rng.IntN(20) == 0 {
					w.stall = rng.IntN(400)
				}
			})
			w.until(10*time.Minute, "transfer", func() bool { return len(w.accepted[1]) >= 60 })
			inOrder(t, "on board", w.got[1], 60)
			if len(w.alerts) != 0 {
				t.Errorf("alerts %v", w.alerts)
			}
		})
	}
}

// TestNextTimer: the time to call Tick is at once after control words came in, and later
// the end of T1.
func TestNextTimer(t *testing.T) {
	w := newWorld(t, profile(), 20, 0, 0)
	if at := w.gnd.NextTimer(); !at.IsZero() {
		t.Errorf("a timer runs before anything happened: %v", at)
	}
	w.run(2 * time.Second)
	for w.gnd.NextTimer() != w.now && !t.Failed() {
		w.gnd.Receive(w.space.NextCADU(nil))
		if w.gnd.Stats().Frames > 1000 {
			t.Error("control words do not ask for a Tick")
		}
	}
	w.gnd.Tick(w.now)
	if err := w.gnd.Send(0, packet(1, 100), false, 1); err != nil {
		t.Fatal(err)
	}
	for w.gnd.NextCLTU(w.now) == nil {
		w.step()
	}
	t1 := time.Duration(w.gnd.Stats().FOP[0].T1Millis) * time.Millisecond
	if at := w.gnd.NextTimer(); at.Before(w.now.Add(t1-time.Second)) || at.After(w.now.Add(t1+time.Second)) {
		t.Errorf("next timer in %v, T1 is %v", at.Sub(w.now), t1)
	}
}
