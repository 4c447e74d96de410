package link_test

import (
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
)

// slowDisk lets others use the craft while a floor is on its way to it.
type slowDisk struct {
	*disk
	meanwhile func()
}

func (d *slowDisk) SaveFloor(spi uint16, n uint64) error {
	d.meanwhile()
	return d.disk.SaveFloor(spi, n)
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
