package link_test

import (
	"slices"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/tc"
)

// slowDisk lets others use the craft while a floor is on its way to it.
type slowDisk struct {
	*disk
	meanwhile func()
	whileVR   func()
}

func (d *slowDisk) SaveFloor(spi uint16, n uint64) error {
	d.meanwhile()
	return d.disk.SaveFloor(spi, n)
}

func (d *slowDisk) SaveVR(vc ccsds.VCID, v uint8) error {
	if d.whileVR != nil {
		d.whileVR()
	}
	return d.disk.SaveVR(vc, v)
}

// A directive is acknowledged once its V(R) is durable: with another one after a restart, the
// ground would go on in a sequence that the craft is not in.
func TestDirectiveWhileSaving(t *testing.T) {
	w := newWorld(t, profile(), 20, 0, 0)
	d := &slowDisk{disk: w.disk}
	space, err := link.NewSpace(w.p, d, link.SpaceEvents{})
	if err != nil {
		t.Fatal(err)
	}
	w.space = space
	var told []uint8
	ground, err := link.NewGround(w.p, newDisk(), link.GroundEvents{CLCW: func(vc ccsds.VCID, c cop1.CLCW, _ uint64) {
		if vc == 0 {
			told = append(told, c.ReportValue)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	down := func() {
		told = nil
		for range 12 {
			ground.Receive(space.NextCADU(nil))
		}
	}
	saves := 0
	d.whileVR = func() {
		saves++
		if down(); len(told) == 0 || slices.Contains(told, 77) {
			t.Errorf("before V(R) is durable: %d", told)
		}
	}
	forge(t, w, tc.Frame{VCID: 0, Bypass: true, Control: true}, cop1.SetVR(77))
	if down(); saves != 1 || len(told) == 0 || slices.Contains(told, 0) {
		t.Errorf("afterwards: %d, saved %d times", told, saves)
	}
}

// While an anti-replay floor is made durable the downlink goes on, and tells the ground of no frame that is
// not: should the floor not become durable, the ground sends the frame again.
func TestDownlinkWhileSaving(t *testing.T) {
	d := &slowDisk{disk: newDisk(), meanwhile: func() {}}
	var delivered, accepted []int
	space, err := link.NewSpace(profile(), d, link.SpaceEvents{Packet: func(_ ccsds.VCID, p []byte) { delivered = append(delivered, idOf(p)) }})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ground, err := link.NewGround(profile(), newDisk(), link.GroundEvents{
		Packet: func(ccsds.VCID, []byte, link.Offset) { seen++ },
		FOP: func(e link.FOPEvent) {
			if e.Kind == link.FOPAccepted {
				accepted = append(accepted, e.Tag.(int))
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_000_000, 0)
	down := func(frames int) {
		for range frames {
			ground.Receive(space.NextCADU(nil))
		}
	}
	up := func(tag int) {
		t.Helper()
		if err := ground.Send(0, packet(tag, 50), false, tag); err != nil {
			t.Fatal(err)
		}
	}
	exchange := func(done func() bool) {
		t.Helper()
		for range 5000 {
			if done() {
				return
			}
			now = now.Add(20 * time.Millisecond)
			if cltu := ground.NextCLTU(now); cltu != nil {
				_ = space.Receive(cltu) // the broken disk's error
			}
			down(1)
			ground.Tick(now)
		}
		t.Fatalf("delivered %v, accepted %v", delivered, accepted)
	}
	up(1)
	exchange(func() bool { return len(accepted) == 1 })

	saves := 0
	d.meanwhile = func() {
		saves++
		d.broken = saves == 1
		before := seen
		if space.Room(0) == 0 || space.Send(0, packet(9, 50)) != nil || space.Stats().FramesDown == 0 {
			t.Error("the downlink's queue is of no use")
		}
		down(12)
		if seen == before {
			t.Error("nothing comes down")
		}
		if len(accepted) > 1 || len(delivered) > 1 {
			t.Errorf("before the floor is durable: accepted %v, delivered %v", accepted, delivered)
		}
	}
	up(2)
	exchange(func() bool { return len(accepted) == 2 })
	if saves != 2 || len(delivered) != 2 || delivered[1] != 2 {
		t.Errorf("saved %d times, delivered %v", saves, delivered)
	}
}
