package link_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/tc"
)

// forge radiates a frame that the ground never made.
func forge(t *testing.T, w *world, f tc.Frame, data []byte) {
	t.Helper()
	f.Params, f.SCID = tc.Params{SCID: 42, FECF: true}, 42
	frame, err := tc.Append(nil, &f, data)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.space.Receive(coding.EncodeCLTU(bytes.Repeat([]byte{0x55}, 16), frame)); err != nil {
		t.Fatal(err)
	}
}

// TestForgedFrames: what is not ours never becomes a packet; what it does to FARM-1 the
// ground repairs, and its own packets all arrive.
func TestForgedFrames(t *testing.T) {
	w := newWorld(t, profile(), 11, 0, 0)
	w.feedUp = load(0, 100, 1)
	w.run(time.Second)
	clear := append([]byte{0xc0}, packet(666, 100)...)
	forge(t, w, tc.Frame{VCID: 2, Bypass: true}, clear)
	forge(t, w, tc.Frame{VCID: 0, Bypass: true}, clear)
	forge(t, w, tc.Frame{VCID: 0, Bypass: true}, []byte{0xc0})
	forge(t, w, tc.Frame{VCID: 2}, clear)
	forge(t, w, tc.Frame{VCID: 9, Bypass: true}, clear)
	forge(t, w, tc.Frame{VCID: 0, Bypass: true, Control: true}, []byte{0x83, 0, 0})
	vr := w.space.Stats().FARM[0].VR
	forge(t, w, tc.Frame{VCID: 0, Seq: vr + 127}, clear) // locks the channel
	if s := w.space.Stats().FARM[0].State; s != "lockout" {
		t.Fatalf("FARM is %s", s)
	}
	w.run(3 * time.Second)
	forge(t, w, tc.Frame{VCID: 0, Bypass: true, Control: true}, cop1.SetVR(w.space.Stats().FARM[0].VR+40))
	w.until(time.Minute, "transfer", func() bool { return len(w.accepted[0]) >= 100 })
	inOrder(t, "accepted", w.accepted[0], 100)
	for vc, ids := range w.got {
		for _, id := range ids {
			if id == 666 {
				t.Fatalf("a forged packet was delivered on channel %d", vc)
			}
		}
	}
	for reason, want := range map[string]int{
		"sdls: unknown SPI": 2, "sdls: truncated": 1, "tc: unknown virtual channel": 1,
		"farm: sequence-controlled frame on a recovery channel": 1, "farm: invalid control command": 1, "farm: outside window": 1,
	} {
		if w.refused[reason] != want {
			t.Errorf("%s: %d, want %d (%v)", reason, w.refused[reason], want, w.refused)
		}
	}
	if w.alerts["lockout"] == 0 {
		t.Errorf("alerts %v", w.alerts)
	}
}

// TestReplay: recorded uplink radiated once more, by itself and after a restart of the
// craft, is refused, and the anti-replay number does not go back.
func TestReplay(t *testing.T) {
	w := newWorld(t, profile(), 12, 0, 0)
	var record []byte
	w.tap = func(cltu []byte) { record = append(record, cltu...) }
	if err := w.gnd.Send(2, packet(1, 500), true, 1); err != nil {
		t.Fatal(err)
	}
	w.run(time.Second)
	if len(w.got[2]) != 1 {
		t.Fatal("not delivered")
	}
	for i := range 2 {
		if err := w.space.Receive(record); err != nil {
			t.Fatal(err)
		}
		if len(w.got[2]) != 1 {
			t.Fatal("a replay was delivered")
		}
		if w.refused["sdls: replayed"] != 3*(i+1) {
			t.Fatalf("refused %v, want %d replays", w.refused, 3*(i+1))
		}
		w.bootSpace()
	}
	if w.space.Stats().Floors[3] != 3 {
		t.Errorf("floors %v", w.space.Stats().Floors)
	}
}

// TestDiskFails: while floors cannot be saved nothing is delivered and nothing is
// acknowledged; afterwards everything arrives, once.
func TestDiskFails(t *testing.T) {
	w := newWorld(t, profile(), 13, 0, 0)
	w.feedUp = load(1, 100, 1)
	w.run(time.Second)
	w.disk.broken = true
	before := len(w.got[1])
	w.run(2 * time.Second)
	if len(w.got[1]) != before || !errors.Is(w.receiveError, errDisk) {
		t.Fatalf("%d packets delivered without a floor, error %v", len(w.got[1])-before, w.receiveError)
	}
	w.disk.broken = false
	w.until(time.Minute, "transfer", func() bool { return len(w.accepted[1]) >= 100 })
	inOrder(t, "on board", w.got[1], 100)
}

// TestCounterFails: without anti-replay numbers nothing new goes up, nothing is lost.
func TestCounterFails(t *testing.T) {
	w := newWorld(t, profile(), 14, 0, 0)
	w.feedUp = load(1, 50, 1)
	w.keys.broken = true
	_ = w.gnd.Send(2, packet(0, 300), true, 0)
	w.run(2 * time.Second)
	if len(w.got) != 0 || w.gnd.Stats().Counter == 0 {
		t.Fatalf("%v arrived", w.got)
	}
	w.keys.broken = false
	w.until(time.Minute, "transfer", func() bool { return len(w.accepted[1]) >= 50 && len(w.got[2]) == 1 })
	inOrder(t, "on board", w.got[1], 50)
}

// TestFaults: each switch breaks its one thing.
func TestFaults(t *testing.T) {
	run := func(f link.Faults, berUp, berDown float64) *world {
		p := profile()
		p.Faults = f
		w := newWorld(t, p, 15, berUp, berDown)
		w.feedUp = load(0, 60, 1)
		w.run(20 * time.Second)
		return w
	}
	if w := run(link.Faults{}, 1e-3, 5e-3); len(w.accepted[0]) != 60 {
		t.Errorf("nothing broken: %d accepted", len(w.accepted[0]))
	}
	if w := run(link.Faults{WrongKey: true}, 0, 0); len(w.got[0]) != 0 || w.refused["sdls: forged"] == 0 {
		t.Errorf("wrong key: %d arrived, refused %v", len(w.got[0]), w.refused)
	}
	if w := run(link.Faults{NoRS: true}, 0, 5e-3); w.gnd.Stats().Frames != 0 || w.bad == 0 {
		t.Errorf("no RS: %+v", w.gnd.Stats())
	}
	if w := run(link.Faults{NoRS: true}, 0, 0); len(w.accepted[0]) != 60 {
		t.Errorf("no RS, no noise: %d accepted", len(w.accepted[0]))
	}
	w := run(link.Faults{NoRetransmit: true}, 1e-3, 0)
	if s := w.gnd.Stats().FOP[0]; s.Again != 0 || len(w.got[0]) >= 60 {
		t.Errorf("no retransmission: %d arrived, %+v", len(w.got[0]), s)
	}
	if w := run(link.Faults{NoRetransmit: true}, 0, 0); len(w.accepted[0]) != 60 {
		t.Errorf("no retransmission, no noise: %d accepted", len(w.accepted[0]))
	}
}

func TestSendRefused(t *testing.T) {
	w := newWorld(t, profile(), 16, 0, 0)
	for name, err := range map[string]error{
		"up, unknown channel":   w.gnd.Send(9, packet(0, 20), false, 0),
		"up, no packet":         w.gnd.Send(0, []byte("hello"), false, 0),
		"up, cut":               w.gnd.Send(0, packet(0, 20)[:19], false, 0),
		"down, idle channel":    w.space.Send(7, packet(0, 20)),
		"down, unknown channel": w.space.Send(200, packet(0, 20)),
		"down, cut":             w.space.Send(0, packet(0, 20)[:19]),
		"down, version":         w.space.Send(0, bytes.Repeat([]byte{0xff}, 20)),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for range 64 {
		if w.gnd.Send(1, packet(0, 20), false, 0) != nil || w.gnd.Send(2, packet(0, 20), true, 0) != nil || w.space.Send(3, packet(0, 20)) != nil {
			t.Fatal("refused with room")
		}
	}
	if w.gnd.Room(1)+w.gnd.Room(2)+w.space.Room(3)+w.gnd.Room(9)+w.space.Room(7) != 0 {
		t.Error("room in a full queue")
	}
	if !errors.Is(w.gnd.Send(1, packet(0, 20), false, 0), link.ErrFull) || !errors.Is(w.gnd.Send(2, packet(0, 20), true, 0), link.ErrFull) ||
		!errors.Is(w.space.Send(3, packet(0, 20)), link.ErrFull) {
		t.Error("a full queue took one more")
	}
}

// TestShares: when all channels have more than fits, each gets its share.
func TestShares(t *testing.T) {
	w := newWorld(t, profile(), 17, 0, 0)
	count := map[ccsds.VCID]int{}
	w.feedDown = func(w *world) {
		for _, vc := range []ccsds.VCID{0, 1, 2, 3} {
			for w.space.Room(vc) > 0 {
				if err := w.space.Send(vc, packet(0, 900)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	w.run(6 * time.Second)
	for _, f := range w.frames {
		count[f.VC]++
	}
	all := float64(len(w.frames))
	for vc, want := range map[ccsds.VCID]float64{0: 8. / 18, 1: 4. / 18, 2: 4. / 18, 3: 2. / 18} {
		if got := float64(count[vc]) / all; got < want*0.9 || got > want*1.1 {
			t.Errorf("channel %d: %.2f of the frames, want %.2f", vc, got, want)
		}
	}
}

func TestProfileRefused(t *testing.T) {
	for name, bend := range map[string]func(p *link.Profile){
		"frame too long":      func(p *link.Profile) { p.FrameLength = 1120 },
		"frame odd":           func(p *link.Profile) { p.FrameLength = 1114 },
		"interleave":          func(p *link.Profile) { p.Code.Interleave = 7 },
		"tc frame too long":   func(p *link.Profile) { p.MaxTCFrame = 1025 },
		"tc frame too short":  func(p *link.Profile) { p.MaxTCFrame = 40 },
		"spacecraft":          func(p *link.Profile) { p.SCID = 1024 },
		"key missing":         func(p *link.Profile) { p.Keys = map[uint16][32]byte{1: {1}} },
		"key zero":            func(p *link.Profile) { p.Keys = map[uint16][32]byte{1: {1}, 2: {2}, 3: {}} },
		"channel unprotected": func(p *link.Profile) { p.SPI = map[ccsds.VCID]uint16{0: 1, 1: 2} },
		"SPI shared":          func(p *link.Profile) { p.SPI = map[ccsds.VCID]uint16{0: 1, 1: 1, 2: 3} },
		"keys for nothing":    func(p *link.Profile) { p.SPI = nil },
		"channel twice":       func(p *link.Profile) { p.BD = []ccsds.VCID{1} },
		"window":              func(p *link.Profile) { p.FOPWindow = 128 },
		"rate":                func(p *link.Profile) { p.DownRate = -1 },
		"queue":               func(p *link.Profile) { p.Queue = -1 },
	} {
		p := profile()
		bend(&p)
		if err := p.Validate(); !errors.Is(err, link.ErrProfile) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := link.NewSpace(p, newDisk(), link.SpaceEvents{}); err == nil {
			t.Errorf("%s: space made", name)
		}
		if _, err := link.NewGround(p, newDisk(), link.GroundEvents{}); err == nil {
			t.Errorf("%s: ground made", name)
		}
	}
	if err := (link.Profile{}).Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
}

// TestUnprotected: a profile without keys works in clear.
func TestUnprotected(t *testing.T) {
	w := newWorld(t, link.Profile{}, 18, 1e-3, 1e-3)
	w.feedUp = both(load(0, 30, 1), load(1, 30, 2))
	w.until(time.Minute, "transfer", func() bool { return len(w.accepted[0])+len(w.accepted[1]) == 60 })
	inOrder(t, "commands", w.got[0], 30)
	inOrder(t, "files", w.got[1], 30)
}
