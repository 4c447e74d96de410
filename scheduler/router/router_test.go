package router_test

import (
	"errors"
	"testing"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/scheduler/router"
)

type fixedTime struct{}

func (fixedTime) Now() (timecode.Instant, timecode.Quality) {
	return timecode.Instant(7 * time.Second), timecode.Set
}

// sink is a link with room for so many packets a channel.
type sink struct {
	room int
	sent map[ccsds.VCID][][]byte
}

func (s *sink) Room(vc ccsds.VCID) int { return s.room - len(s.sent[vc]) }

func (s *sink) Send(vc ccsds.VCID, p []byte) error {
	if s.Room(vc) <= 0 {
		return errors.New("full")
	}
	s.sent[vc] = append(s.sent[vc], p)
	return nil
}

type harness struct {
	*router.Router
	clock                    *clock.Fake
	services, files, unknown int
	pdus                     int
}

func newHarness(rate int) *harness {
	h := &harness{clock: clock.NewFake(time.Unix(0, 0))}
	h.Router = router.New(router.Config{
		Clock: h.clock, Time: fixedTime{}, Publish: func(bus.Event) {},
		Tenants:  map[ccsds.APID]int{100: rate, 101: rate},
		Services: func([]byte) { h.services++ }, Files: func([]byte) { h.files++ },
		Unknown: func([]byte, string) { h.unknown++ },
		NextPDU: func() ([]byte, bool) { h.pdus++; return make([]byte, 100), true },
	})
	return h
}

func newSink(room int) *sink { return &sink{room: room, sent: map[ccsds.VCID][][]byte{}} }

func TestUplinkByAPID(t *testing.T) {
	h := newHarness(1000)
	for _, apid := range []ccsds.APID{1, 100, 101} {
		p, err := pus.BuildTC(apid, 0, pus.AckAll, 17, 1, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.Uplink(0, p)
	}
	h.Uplink(1, append([]byte{0x10, 2, 0xC0, 0, 0, 3}, 1, 2, 3, 4))
	h.Uplink(0, append([]byte{0x17, 0xFF, 0xC0, 0, 0, 3}, 1, 2, 3, 4)) // idle
	if h.services != 3 || h.files != 1 || h.unknown != 0 {
		t.Errorf("services %d, files %d, unknown %d", h.services, h.files, h.unknown)
	}
	h.Uplink(0, []byte{0x18, 99, 0xC0, 0, 0, 0, 1})
	h.Uplink(0, []byte{0x18, 1, 0xC0, 0, 0, 9, 1}) // says more than it has
	h.Uplink(0, nil)
	if h.unknown != 3 || h.services != 3 {
		t.Errorf("services %d, unknown %d", h.services, h.unknown)
	}
}

func TestStampsAndTurns(t *testing.T) {
	h := newHarness(1_000_000)
	for range 6 {
		if err := h.Tenant(100, 128, 1, []byte("a")); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := h.Tenant(101, 128, 1, []byte("b")); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Flight(17, 2, nil); err != nil {
		t.Fatal(err)
	}
	s := newSink(4)
	h.Fill(s)
	var seen [2]uint16
	for _, p := range s.sent[1] {
		tm, err := pus.ParseTM(p)
		if err != nil {
			t.Fatal(err)
		}
		i := tm.APID - 100
		if tm.Seq != seen[i] || tm.Count != seen[i] || tm.Quality != timecode.Set || tm.Time != timecode.Instant(7*time.Second) {
			t.Errorf("APID %d: sequence %d, count %d, %v %v", tm.APID, tm.Seq, tm.Count, tm.Quality, tm.Time)
		}
		seen[i]++
	}
	if seen != [2]uint16{2, 2} {
		t.Errorf("of four places the tenants got %v", seen)
	}
	if len(s.sent[0]) != 1 || len(s.sent[2]) != 4 || h.pdus != 4 {
		t.Errorf("flight %d, files %d (%d asked for)", len(s.sent[0]), len(s.sent[2]), h.pdus)
	}
	if p := s.sent[2][3]; p[1] != 2 || p[3] != 3 || len(p) != spp.HeaderLength+100 {
		t.Errorf("file packet %x", p[:6])
	}
	h.Fill(s) // no room: nothing may be lost
	s = newSink(10)
	h.Fill(s)
	if len(s.sent[1]) != 4 || h.Dropped() != 0 {
		t.Errorf("%d tenant packets came later, %d dropped", len(s.sent[1]), h.Dropped())
	}
}

func TestFloodDropsItsOwnOldest(t *testing.T) {
	h := newHarness(1_000_000)
	if err := h.Tenant(101, 128, 1, []byte("quiet")); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if err := h.Tenant(100, 128, 1, []byte("loud")); err != nil {
			t.Fatal(err)
		}
	}
	if h.Waiting(101) != 1 || h.Dropped() != uint64(1000-h.Waiting(100)) {
		t.Errorf("waiting %d and %d, dropped %d", h.Waiting(100), h.Waiting(101), h.Dropped())
	}
	s := newSink(10_000)
	h.Fill(s)
	last, err := pus.ParseTM(s.sent[1][len(s.sent[1])-1])
	if err != nil || last.Seq != 999 {
		t.Errorf("the newest packet is %d, %v", last.Seq, err)
	}
}

func TestQuota(t *testing.T) {
	h := newHarness(1000)
	n := 0
	for h.Tenant(100, 128, 1, make([]byte, 500)) == nil {
		n++
	}
	if n != 8 { // 4096 octets at once
		t.Errorf("%d packets at once", n)
	}
	if err := h.Tenant(100, 128, 1, make([]byte, 500)); !errors.Is(err, router.ErrQuota) {
		t.Error(err)
	}
	if err := h.Tenant(101, 128, 1, make([]byte, 500)); err != nil {
		t.Errorf("the neighbour: %v", err)
	}
	h.clock.Advance(time.Second)
	if err := h.Tenant(100, 128, 1, make([]byte, 500)); err != nil {
		t.Errorf("a second later: %v", err)
	}
	if err := h.Tenant(300, 128, 1, nil); err == nil {
		t.Error("telemetry of an APID that is nobody's")
	}
}

func TestReportsAreSentAgain(t *testing.T) {
	h := newHarness(1000)
	if err := h.Flight(pus.ServiceEvent, pus.EventInfo, []byte{0, 1, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if err := h.Flight(pus.ServiceTest, pus.IAmAlive, nil); err != nil {
		t.Fatal(err)
	}
	for step, want := range []int{2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0} {
		s := newSink(10)
		h.Fill(s)
		if len(s.sent[0]) != want {
			t.Errorf("after %d s: %d packets, want %d", 2*step, len(s.sent[0]), want)
		}
		h.clock.Advance(2 * time.Second)
	}
}
