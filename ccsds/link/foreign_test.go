package link_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/tm"
)

// TestIdleDataAmongPackets: a craft that is not ours sends its frames of only idle data on the
// channels that carry packets, as 132.0-B-3 §4.1.4 has it, and packets on channel 7. Such a frame
// has its place in the count of its channel, and costs no packet.
func TestIdleDataAmongPackets(t *testing.T) {
	p := link.Profile{Down: link.FramingTM, FrameLength: 60, Code: link.Code{Kind: link.CodeNone}}
	params := tm.Params{SCID: 42, FrameLength: 60, OCF: true, FECF: true}
	room := params.DataLength()
	for _, vc := range []ccsds.VCID{1, 7} {
		long := packet(1, room+20)
		fill := ccsds.AppendIdlePacket(bytes.Clone(long[room:]), room-20)
		d, err := link.NewDeframer(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got [][]byte
		for i, f := range []struct {
			first uint16
			data  []byte
		}{{0, long[:room]}, {tm.OnlyIdleData, bytes.Repeat([]byte{0xA5}, room)}, {20, fill}} {
			frame, err := tm.Append(nil, &tm.Frame{Params: params, SCID: 42, VCID: vc, MCFC: uint8(i), VCFC: uint8(i), SegLengthID: 3, FirstHeaderPointer: f.first}, f.data)
			if err != nil {
				t.Fatal(err)
			}
			if h, err := d.Decode(frame); err != nil || h.Idle != (i == 1) {
				t.Fatalf("channel %d, frame %d: idle %t, %v", vc, i, h.Idle, err)
			}
			if err := d.Packets(func(q []byte) { got = append(got, bytes.Clone(q)) }); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != 1 || !bytes.Equal(got[0], long) {
			t.Errorf("channel %d: %d packets", vc, len(got))
		}
	}
}

// TestOtherCOP: control words of another procedure than COP-1 say nothing about sequence
// numbers (232.0-B-4 §4.2.1.5): nothing is radiated on their account.
func TestOtherCOP(t *testing.T) {
	for cop, want := range map[uint8]bool{0: false, 1: true, 2: false, 3: false} {
		p := link.Profile{Code: link.Code{Kind: link.CodeNone}, FrameLength: 100}
		g, err := link.NewGround(p, newDisk(), link.GroundEvents{})
		if err != nil {
			t.Fatal(err)
		}
		framer, err := link.NewFramer(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		enc, err := p.NewDownEncoder()
		if err != nil {
			t.Fatal(err)
		}
		now, radiated := time.Unix(1, 0), false
		for range 20 {
			word := cop1.CLCW{COP: cop, VC: 0, ReportValue: 5}
			frame, _ := framer.Next(nil, word.Octets())
			bits, err := enc.Append(nil, frame)
			if err != nil {
				t.Fatal(err)
			}
			g.Receive(bits)
			now = now.Add(time.Second)
			radiated = g.NextCLTU(now) != nil || radiated
		}
		if radiated != want {
			t.Errorf("COP %d in effect: radiated %t", cop, radiated)
		}
	}
}

// TestStreamsAfterRestart: when the craft begins its frame counts anew, the first octets of a
// stream say that something is missing before them.
func TestStreamsAfterRestart(t *testing.T) {
	all, names := services()
	for i, p := range all {
		d, err := link.NewDeframer(p, floors{})
		if err != nil {
			t.Fatal(err)
		}
		n := uint64(0)
		var lost []bool
		for range 2 {
			f, err := link.NewFramer(p, func(uint16) (uint64, error) { n++; return n, nil })
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				size := 50
				if p.Services[serviceVC] == link.ServiceAccess && p.Down != link.FramingUSLP {
					size = p.DownRoom(serviceVC)
				}
				if err := f.Send(serviceVC, make([]byte, size)); err != nil {
					t.Fatal(err)
				}
				frame, _ := f.Next(nil, [4]byte{})
				if _, err := d.Decode(frame); err != nil {
					t.Fatal(err)
				}
				if err := d.Data(func(data link.Data) { lost = append(lost, data.Lost) }); err != nil {
					t.Fatal(err)
				}
			}
		}
		if want := []bool{false, false, false, false, false, true, false, false, false, false}; !slices.Equal(lost, want) {
			t.Errorf("%s: lost %v", names[i], lost)
		}
	}
}

// TestOverlong: what no receiver takes, or no queue ever has room for, is refused at once: it would
// stop its channel for good.
func TestOverlong(t *testing.T) {
	all, names := services()
	for i, p := range all {
		f, err := link.NewFramer(p, func(uint16) (uint64, error) { return 1, nil })
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Send(serviceVC, make([]byte, 2<<20)); !errors.Is(err, ccsds.ErrLength) {
			t.Errorf("%s: 2 MiB at once: %v", names[i], err)
		}
	}
	long := append([]byte{0xE7, 0, 0, 0, 0, 0x20, 0, 0}, make([]byte, 2<<20-8)...)
	for _, down := range []link.Framing{link.FramingAOS, link.FramingUSLP} {
		f, err := link.NewFramer(link.Profile{Down: down, Encapsulation: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Send(1, long); !errors.Is(err, ccsds.ErrLength) {
			t.Errorf("%s: encapsulation packet of 2 MiB: %v", down, err)
		}
	}
}

// TestSpacecraftOfUplink: an identifier that the frames of the uplink cannot carry is refused, and
// not found out by commands that never leave.
func TestSpacecraftOfUplink(t *testing.T) {
	p := link.Profile{SCID: 5000, Down: link.FramingUSLP, Up: link.FramingTC}
	if err := p.Validate(); !errors.Is(err, link.ErrProfile) {
		t.Errorf("spacecraft 5000 with tc up: %v", err)
	}
	if p.Up = link.FramingUSLP; p.Validate() != nil {
		t.Errorf("spacecraft 5000 with uslp: %v", p.Validate())
	}
}

// TestDirectiveInSilence: an operator's directive while nothing is heard from the craft decides
// nothing about frames that are under way: their packets are neither reported as accepted nor
// forgotten, but sent again.
func TestDirectiveInSilence(t *testing.T) {
	for name, order := range map[string]func(w *world){
		"unlock":   func(w *world) { w.gnd.Unlock(0, w.now) },
		"set v(r)": func(w *world) { w.gnd.SetVR(0, 77, w.now) },
		"anew":     func(w *world) { w.gnd.InitAD(0, w.now) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, profile(), 5, 0, 0)
			w.feedUp = load(0, 5, 1)
			w.until(time.Minute, "first packets", func() bool { return len(w.accepted[0]) == 5 })
			w.signal(false) // what is radiated from here on is lost
			next := 5
			w.feedUp = func(w *world) {
				if next < 10 {
					if err := w.gnd.Send(0, packet(next, 300), false, next); err != nil {
						t.Fatal(err)
					}
					next++
				}
			}
			w.until(time.Minute, "silence", func() bool { return !w.gnd.Stats().Up })
			if n := w.gnd.Stats().FOP[0].Outstanding; n == 0 {
				t.Fatal("no frame is under way: the test does not test")
			}
			order(w)
			if len(w.accepted[0]) != 5 {
				t.Errorf("accepted in silence: %v", w.accepted[0][5:])
			}
			w.signal(true)
			w.until(3*time.Minute, "all packets", func() bool { return len(w.accepted[0]) >= 10 })
			inOrder(t, "on board", w.got[0], 10)
		})
	}
}
