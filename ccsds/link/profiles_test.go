package link_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/link"
)

// codes are every kind of code with the Eb/N0 in dB at which it loses a frame now and then,
// no more.
var codes = []struct {
	code link.Code
	ebn0 float64
}{
	{link.Code{Kind: link.CodeNone}, 10.5},
	{link.Code{Kind: link.CodeRS}, 7},
	{link.Code{Kind: link.CodeRS, E: 8, Interleave: 2, Conventional: true}, 7.5},
	{link.Code{Kind: link.CodeRS, Interleave: 1, Randomiser: link.Random131071}, 7},
	{link.Code{Kind: link.CodeConv}, 6},
	{link.Code{Kind: link.CodeConv, Rate: "7/8"}, 8},
	{link.Code{Kind: link.CodeConcatenated}, 3},
	{link.Code{Kind: link.CodeConcatenated, Rate: "2/3", Interleave: 4}, 4},
	{link.Code{Kind: link.CodeLDPC, Block: 1024}, 2.5},
	{link.Code{Kind: link.CodeLDPC, Rate: "4/5"}, 4},
	{link.Code{Kind: link.CodeLDPC, Rate: "7/8"}, 5},
	{link.Code{Kind: link.CodeLDPC, Block: 1024, Codeblock: 3}, 2.5},
	{link.Code{Kind: link.CodeLDPC, Rate: "7/8", Codeblock: 1}, 5},
	{link.Code{Kind: link.CodeTurbo, Block: 1784}, 2},
	{link.Code{Kind: link.CodeTurbo, Rate: "1/3"}, 1.5}, // not a whole number of octets
	{link.Code{Kind: link.CodeTurbo, Rate: "1/6", Block: 7136}, 1},
}

// combinations are all framings down with all codes, and all uplinks in turn.
func combinations() (all []link.Profile, names []string, ebn0 []float64) {
	ups := []struct {
		up   link.Framing
		cltu link.CLTU
	}{{link.FramingTC, link.CLTUBCH}, {link.FramingUSLP, link.CLTULDPC128}, {link.FramingTC, link.CLTULDPC512}, {link.FramingUSLP, link.CLTUBCH}}
	modes := []link.Mode{"", link.ModeBoth, link.ModeAuthenticate, link.ModeEncrypt}
	i := 0
	for _, down := range []link.Framing{link.FramingTM, link.FramingAOS, link.FramingUSLP} {
		for _, c := range codes {
			p := profile()
			up := ups[i%len(ups)]
			p.DownRate, p.UpRate = 128_000, 128_000 // fewer idle bits to decode
			p.Down, p.Code, p.Up, p.CLTU = down, c.code, up.up, up.cltu
			p.HeaderControl = down == link.FramingAOS && i%2 == 0
			p.LongFECF = down == link.FramingUSLP && i%2 == 0
			p.Variable = down == link.FramingUSLP && c.code.Codeblock > 0
			if p.Variable {
				p.Truncated = 40
			}
			if down != link.FramingTM && i%3 == 0 && !p.Variable {
				p.InsertZone = 5
			}
			if m := modes[i%len(modes)]; m != "" {
				p.DownSPI, p.DownMode = map[ccsds.VCID]uint16{0: 11, 1: 12}, map[ccsds.VCID]link.Mode{0: m, 1: modes[(i+1)%len(modes)]}
				p.Keys = map[uint16][32]byte{1: {1}, 2: {2}, 3: {3}, 11: {11}, 12: {12}}
			}
			all, ebn0 = append(all, p), append(ebn0, c.ebn0)
			names = append(names, fmt.Sprintf("%s+%s_%s_%d_up_%s+%s", down, c.code.Kind, c.code.Rate, c.code.Block, up.up, up.cltu))
			i++
		}
	}
	return all, names, ebn0
}

// TestProfiles: through every kind of frame and code, with soft noise down and bits wrong
// up, commands arrive once and in order, and so does telemetry, but for what noise took.
func TestProfiles(t *testing.T) {
	all, names, ebn0 := combinations()
	for i, p := range all {
		t.Run(names[i], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, p, uint64(i), 1e-4, 0)
			var err error
			if w.awgn, err = channel.NewAWGN(uint64(i), ebn0[i], p.Code.Ratio(w.p.FrameLength)); err != nil {
				t.Fatal(err)
			}
			const down = 60
			next := 0
			w.feedDown = func(w *world) {
				for next < down && w.gnd.Stats().Up && w.space.Room(1) > 32 {
					if err := w.space.Send(1, packet(next, 30+next*37%1500)); err != nil {
						t.Fatal(err)
					}
					next++
				}
			}
			w.feedUp = both(load(0, 20, 1), load(1, 20, 2))
			w.until(2*time.Minute, "transfer", func() bool {
				return len(w.accepted[0])+len(w.accepted[1]) == 40 && next == down
			})
			w.run(2 * time.Second)
			inOrder(t, "commands", w.got[0], 20)
			inOrder(t, "files", w.got[1], 20)
			last := -1
			for _, id := range w.seen[1] {
				if id <= last {
					t.Fatalf("telemetry out of order: %v", w.seen[1])
				}
				last = id
			}
			if len(w.seen[1]) < down/2 {
				t.Errorf("%d of %d telemetry packets arrive: %+v", len(w.seen[1]), down, w.gnd.Stats().Code)
			}
			if c := w.gnd.Stats().Code; c.Bits == 0 || c.Good == 0 || p.Code.Kind != link.CodeNone && p.Code.Kind != link.CodeConv && c.Corrected == 0 {
				t.Errorf("counters %+v", c)
			}
		})
	}
}

// TestPackets: packets without frames, both ways, over streams that lose nothing.
func TestPackets(t *testing.T) {
	w := newWorld(t, link.Profile{Down: link.FramingPackets, Up: link.FramingPackets}, 1, 0, 0)
	w.feedUp = both(load(0, 20, 1), load(1, 20, 2))
	sent := false
	w.feedDown = func(w *world) {
		for i := 0; !sent && i < 30; i++ {
			if err := w.space.Send(1, packet(i, 20+i*31)); err != nil {
				t.Fatal(err)
			}
		}
		sent = true
	}
	w.until(time.Minute, "transfer", func() bool {
		return len(w.accepted[0])+len(w.accepted[1]) == 40 && len(w.seen[0]) == 30 && len(w.got[0]) == 40
	})
	inOrder(t, "telemetry", w.seen[0], 30)
	if s := w.gnd.Stats(); s.State != "lock" || s.Bad != 0 {
		t.Errorf("%+v", s)
	}
}
