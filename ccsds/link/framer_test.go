package link_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/sdls"
)

// framed makes a framer and deframer of p, and counts what frames carry.
func framed(t *testing.T, p link.Profile, numbers func(uint16) (uint64, error), f link.Floors) (*link.Framer, *link.Deframer) {
	t.Helper()
	framer, err := link.NewFramer(p, numbers)
	if err != nil {
		t.Fatal(err)
	}
	deframer, err := link.NewDeframer(p, f)
	if err != nil {
		t.Fatal(err)
	}
	return framer, deframer
}

// TestShareRules: priority before weight, and a channel with a rate gets no more than that.
func TestShareRules(t *testing.T) {
	framer, deframer := framed(t, link.Profile{Down: link.FramingAOS, DownRate: 100_000, Shares: map[ccsds.VCID]link.Share{
		5:  {Priority: 0, Weight: 1, Rate: 10_000},
		6:  {Priority: 1, Weight: 3},
		40: {Priority: 1, Weight: 1},
		41: {Priority: 2, Weight: 1000},
	}}, nil, nil)
	count := map[ccsds.VCID]int{}
	for range 1000 {
		for _, vc := range []ccsds.VCID{5, 6, 40, 41} {
			for framer.Room(vc) > 0 {
				if err := framer.Send(vc, packet(1, 900)); err != nil {
					t.Fatal(err)
				}
			}
		}
		frame, idle := framer.Next(nil, [4]byte{})
		h, err := deframer.Decode(frame)
		if err != nil || idle {
			t.Fatalf("idle %t, %v", idle, err)
		}
		count[h.VC]++
	}
	if n := count[5]; n < 98 || n > 105 {
		t.Errorf("channel with a tenth of the rate: %d of 1000 frames", n)
	}
	if a, b := count[6], count[40]; a < 3*b-6 || a > 3*b+6 || count[41] != 0 {
		t.Errorf("frames by channel %v: want 6 and 40 as 3 to 1, and nothing of 41", count)
	}
}

// TestIdle: without anything to send there are idle frames, with the control field that
// was given, on the channel of the book.
func TestIdle(t *testing.T) {
	for down, vc := range map[link.Framing]ccsds.VCID{link.FramingTM: 7, link.FramingAOS: 63, link.FramingUSLP: 63} {
		framer, deframer := framed(t, link.Profile{Down: down}, nil, nil)
		frame, idle := framer.Next([]byte("in front"), [4]byte{1, 2, 3, 4})
		h, err := deframer.Decode(bytes.TrimPrefix(frame, []byte("in front")))
		if err != nil || !idle || !h.Idle || h.VC != vc || h.OCF != [4]byte{1, 2, 3, 4} || !h.HasOCF {
			t.Errorf("%s: %+v, idle %t, %v", down, h, idle, err)
		}
	}
}

// TestEncapsulation: encapsulation packets travel where the profile has them, and are refused
// where it has not.
func TestEncapsulation(t *testing.T) {
	p := []byte{0xE5, 4, 1, 2} // Internet protocol extension, two octets of data
	for _, down := range []link.Framing{link.FramingAOS, link.FramingUSLP, link.FramingPackets} {
		profile := link.Profile{Down: down, Encapsulation: true}
		if down == link.FramingPackets {
			profile.Up = link.FramingPackets
		}
		framer, deframer := framed(t, profile, nil, nil)
		if err := framer.Send(3, p); err != nil {
			t.Fatal(err)
		}
		frame, _ := framer.Next(nil, [4]byte{})
		if _, err := deframer.Decode(frame); err != nil {
			t.Fatal(err)
		}
		var got []byte
		if err := deframer.Packets(func(q []byte) { got = bytes.Clone(q) }); err != nil || !bytes.Equal(got, p) {
			t.Errorf("%s: %x, %v", down, got, err)
		}
		profile.Encapsulation = false
		if framer, _ = framed(t, profile, nil, nil); framer.Send(3, p) == nil {
			t.Errorf("%s: a packet that the profile does not have was taken", down)
		}
	}
}

// TestDownSecurity: a protected channel's frames pass once and unchanged; forged, replayed
// and unprotected ones do not, not even after the receiver's restart, but for the last few
// hundred; without a number nothing is sent in clear.
func TestDownSecurity(t *testing.T) {
	for _, down := range []link.Framing{link.FramingTM, link.FramingAOS, link.FramingUSLP} {
		for _, mode := range []link.Mode{link.ModeAuthenticate, link.ModeBoth} {
			p := link.Profile{Down: down, Keys: map[uint16][32]byte{9: {9}}, SPI: nil,
				DownSPI: map[ccsds.VCID]uint16{1: 9}, DownMode: map[ccsds.VCID]link.Mode{1: mode}}
			n, broken := uint64(0), false
			kept := floors{}
			framer, deframer := framed(t, p, func(uint16) (uint64, error) {
				if broken {
					return 0, errDisk
				}
				n++
				return n, nil
			}, kept)
			one := func() []byte {
				if err := framer.Send(1, packet(int(n), 300)); err != nil {
					t.Fatal(err)
				}
				frame, idle := framer.Next(nil, [4]byte{})
				if idle {
					t.Fatalf("%s: no frame", down)
				}
				return frame
			}
			secret := one()
			if text := bytes.Contains(secret, packet(0, 300)[20:200]); text != (mode == link.ModeAuthenticate) {
				t.Errorf("%s, %s: text in clear: %t", down, mode, text)
			}
			if _, err := deframer.Decode(bytes.Clone(secret)); err != nil {
				t.Fatalf("%s, %s: %v", down, mode, err)
			}
			if _, err := deframer.Decode(bytes.Clone(secret)); err == nil || !strings.Contains(err.Error(), "already used") {
				t.Errorf("%s: replayed: %v", down, err)
			}
			var last []byte
			for range 300 {
				last = one()
				if _, err := deframer.Decode(bytes.Clone(last)); err != nil {
					t.Fatal(err)
				}
			}
			if err := deframer.SaveFloors(); err != nil {
				t.Fatal(err)
			}
			again, err := link.NewDeframer(p, kept)
			if err != nil {
				t.Fatal(err)
			}
			for _, frame := range [][]byte{secret, last} {
				if _, err := again.Decode(bytes.Clone(frame)); !errors.Is(err, sdls.ErrReplayed) {
					t.Errorf("%s: replayed after a restart: %v", down, err)
				}
			}
			if _, err := again.Decode(one()); err != nil {
				t.Errorf("%s: the next frame after a restart: %v", down, err)
			}
			clear, _ := framed(t, link.Profile{Down: down}, nil, nil)
			if err := clear.Send(1, packet(7, 300)); err != nil {
				t.Fatal(err)
			}
			frame, _ := clear.Next(nil, [4]byte{})
			if _, err := deframer.Decode(frame); err == nil {
				t.Errorf("%s: a frame without protection", down)
			}
			broken = true
			if err := framer.Send(1, packet(8, 300)); err != nil {
				t.Fatal(err)
			}
			if _, idle := framer.Next(nil, [4]byte{}); !idle || !errors.Is(framer.Err(), errDisk) {
				t.Errorf("%s: a frame without a number", down)
			}
		}
	}
}

// TestDownNumbers: no anti-replay number of the downlink is used twice, also when the craft
// restarts with what its disk holds: the ground takes all frames of both lives.
func TestDownNumbers(t *testing.T) {
	p := profile()
	p.Keys, p.DownSPI = map[uint16][32]byte{1: {1}, 2: {2}, 3: {3}, 9: {9}}, map[ccsds.VCID]uint16{1: 9}
	onBoard, got, bad := newDisk(), 0, []string{}
	g, err := link.NewGround(p, newDisk(), link.GroundEvents{
		Packet: func(ccsds.VCID, []byte, link.Offset) { got++ },
		Bad:    func(reason string, _ uint64) { bad = append(bad, reason) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s, err := link.NewSpace(p, onBoard, link.SpaceEvents{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			if err := s.Send(1, packet(i, 500)); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 {
			g.Receive(s.NextCADU(nil))
		}
	}
	if got != 60 || len(bad) > 0 {
		t.Errorf("%d of 60 packets, refused %v", got, bad)
	}
	if onBoard.floored > 3 {
		t.Errorf("the floor was saved %d times in three lives", onBoard.floored)
	}
}

// BenchmarkChain is a downlink end to end without noise: frames of packets, coded, found,
// decoded and taken apart.
func BenchmarkChain(b *testing.B) {
	for _, c := range []struct {
		name string
		p    link.Profile
	}{
		{"tm+rs", link.Profile{}},
		{"aos+none", link.Profile{Down: link.FramingAOS, Code: link.Code{Kind: link.CodeNone}}},
		{"tm+concatenated", link.Profile{Code: link.Code{Kind: link.CodeConcatenated}}},
		{"aos+ldpc", link.Profile{Down: link.FramingAOS, Code: link.Code{Kind: link.CodeLDPC}}},
		{"uslp+turbo", link.Profile{Down: link.FramingUSLP, Code: link.Code{Kind: link.CodeTurbo}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := c.p.WithDefaults()
			framer, err := link.NewFramer(p, nil)
			if err != nil {
				b.Fatal(err)
			}
			deframer, _ := link.NewDeframer(p, nil)
			enc, _ := link.NewDownEncoder(p.Code, p.FrameLength)
			dec, err := link.NewDownDecoder(p.Code, p.FrameLength)
			if err != nil {
				b.Fatal(err)
			}
			pkt, packets, frames := packet(1, 400), 0, 0
			var frame, bits []byte
			count := func([]byte) { packets++ }
			emit := func(c link.Coded) {
				if c.Frame == nil {
					return
				}
				if _, err := deframer.Decode(c.Frame); err == nil {
					frames++
					_ = deframer.Packets(count)
				}
			}
			b.ReportAllocs()
			b.SetBytes(int64(p.FrameLength))
			for b.Loop() {
				for framer.Room(1) > 60 {
					_ = framer.Send(1, pkt)
				}
				frame, _ = framer.Next(frame[:0], [4]byte{})
				bits, _ = enc.Append(bits[:0], frame)
				dec.Push(bits, emit)
			}
			b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}

// Channels that wait behind one of a better priority save up nothing against each other.
func TestSharesBehindPriority(t *testing.T) {
	framer, deframer := framed(t, link.Profile{Shares: map[ccsds.VCID]link.Share{
		0: {Priority: 1, Weight: 1}, 1: {Priority: 0, Weight: 1}, 2: {Priority: 1, Weight: 1},
	}}, nil, nil)
	var counts [3]int
	next := func(vcs ...ccsds.VCID) {
		t.Helper()
		for _, vc := range vcs {
			for framer.Room(vc) > 0 {
				if err := framer.Send(vc, packet(int(vc), 1000)); err != nil {
					t.Fatal(err)
				}
			}
		}
		frame, _ := framer.Next(nil, [4]byte{})
		h, err := deframer.Decode(frame)
		if err != nil {
			t.Fatal(err)
		}
		counts[h.VC]++
	}
	for range 500 {
		next(0, 1, 2)
	}
	if counts != [3]int{0, 500, 0} {
		t.Fatalf("frames by channel %v", counts)
	}
	for framer.Room(1) < 64 {
		next(0, 2)
	}
	counts = [3]int{}
	for range 100 {
		next(0, 2)
	}
	if counts[0] < 48 || counts[2] < 48 {
		t.Errorf("frames by channel %v", counts)
	}
}
