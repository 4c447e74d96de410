package link_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/link"
)

// anyDown draws a downlink that Validate takes.
func anyDown(t *rapid.T) link.Profile {
	p := link.Profile{
		Down: rapid.SampledFrom([]link.Framing{link.FramingTM, link.FramingAOS, link.FramingUSLP}).Draw(t, "down"),
		Code: link.Code{
			Kind:         rapid.SampledFrom([]link.CodeKind{link.CodeNone, link.CodeRS, link.CodeConv, link.CodeConcatenated, link.CodeLDPC, link.CodeTurbo}).Draw(t, "code"),
			E:            rapid.SampledFrom([]int{8, 16}).Draw(t, "e"),
			Interleave:   rapid.SampledFrom([]int{1, 2, 3, 4, 5, 8}).Draw(t, "interleave"),
			Conventional: rapid.Bool().Draw(t, "conventional"),
			Randomiser:   rapid.SampledFrom([]link.Randomiser{"", link.Random131071, link.RandomNone}).Draw(t, "randomiser"),
			Rate:         rapid.SampledFrom([]string{"", "1/2", "2/3", "3/4", "4/5", "5/6", "7/8", "1/3", "1/4", "1/6"}).Draw(t, "rate"),
			Block:        rapid.SampledFrom([]int{0, 1024, 1784, 3568, 4096, 7136}).Draw(t, "block"),
			Codeblock:    rapid.SampledFrom([]int{0, 0, 1, 2, 8}).Draw(t, "codeblock"),
		},
		FrameLength:   rapid.SampledFrom([]int{0, 0, 0, 120, 240, 600}).Draw(t, "frame"),
		InsertZone:    rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "insert"),
		HeaderControl: rapid.Bool().Draw(t, "fhec"),
		LongFECF:      rapid.Bool().Draw(t, "long"),
		NoFECF:        rapid.Bool().Draw(t, "bare"),
		NoOCF:         rapid.Bool().Draw(t, "ocf"),
		AD:            []ccsds.VCID{},
	}
	if p.Code.Kind != link.CodeLDPC {
		p.Code.Codeblock = 0
	}
	p.HeaderControl = p.HeaderControl && p.Down == link.FramingAOS
	if p.Down == link.FramingUSLP && p.Code.Codeblock > 0 && p.InsertZone == 0 && rapid.Bool().Draw(t, "variable") {
		p.Variable, p.Truncated = true, rapid.SampledFrom([]int{0, 30, 100}).Draw(t, "truncated")
	}
	p.LongFECF = p.LongFECF && p.Down == link.FramingUSLP && !p.NoFECF
	if p.Down == link.FramingTM {
		p.InsertZone = 0
	}
	if m := rapid.SampledFrom([]link.Mode{"", link.ModeAuthenticate, link.ModeEncrypt, link.ModeBoth}).Draw(t, "security"); m != "" {
		p.Keys, p.DownSPI, p.DownMode = map[uint16][32]byte{9: {9}}, map[ccsds.VCID]uint16{1: 9}, map[ccsds.VCID]link.Mode{1: m}
	}
	return p
}

// TestAnyDownlink: through any downlink that Validate takes, at any bit offset, by bits or
// by symbols, all packets arrive once and in order, and each frame is where it is said to be.
func TestAnyDownlink(t *testing.T) {
	valid, drawn := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := anyDown(t)
		drawn++
		if p.Validate() != nil {
			return
		}
		valid++
		n := uint64(0)
		framer, err := link.NewFramer(p, func(uint16) (uint64, error) { n++; return n, nil })
		if err != nil {
			t.Fatal(err)
		}
		p = p.WithDefaults()
		deframer, err := link.NewDeframer(p, floors{})
		if err != nil {
			t.Fatal(err)
		}
		enc, err := p.NewDownEncoder()
		if err != nil {
			t.Fatal(err)
		}
		dec, err := p.NewDownDecoder()
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var want []int
		var bits []byte
		for len(want) < 30 {
			for framer.Room(1) > 60 && len(want) < 30 {
				if err := framer.Send(1, packet(len(want), 14+rnd.IntN(700))); err != nil {
					t.Fatal(err)
				}
				want = append(want, len(want))
			}
			bits = frameInto(t, framer, enc, bits)
		}
		// Enough frames behind the last packet, for a queue and for a decoder's delay.
		for range 64 * 720 / p.FrameLength {
			bits = frameInto(t, framer, enc, bits)
		}
		bits = enc.Flush(bits)
		shift := rnd.IntN(8)
		var got []int
		places := map[uint64]bool{}
		take := func(c link.Coded) {
			if c.Frame == nil || places[c.Bit] {
				return // by chance, or looked at twice
			}
			places[c.Bit] = true
			if _, err := deframer.Decode(c.Frame); err != nil {
				return
			}
			if err := deframer.Packets(func(q []byte) { got = append(got, idOf(q)) }); err != nil {
				t.Fatal(err)
			}
		}
		soft := append(make([]int8, shift), coding.AppendSoft(nil, bits, 31)...)
		for i := range shift {
			soft[i] = int8(40 - 80*(i&1))
		}
		if hard := rapid.Bool().Draw(t, "hard"); hard {
			for octets := coding.AppendHard(nil, soft); len(octets) > 0; {
				k := min(len(octets), 1+rnd.IntN(3000))
				dec.Push(octets[:k], take)
				octets = octets[k:]
			}
		} else {
			for len(soft) > 0 {
				k := min(len(soft), 1+rnd.IntN(20000))
				dec.PushSoft(soft[:k], take)
				soft = soft[k:]
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%+v: %d of %d packets: %v; %+v", p.Code, len(got), len(want), got, dec.Stats())
		}
		for i, id := range got {
			if id != i {
				t.Fatalf("place %d holds packet %d", i, id)
			}
		}
		first := uint64(shift)
		if p.Code.Codeblock > 0 { // behind the codeblock's marker
			first += 64
			if p.Code.Rate == "7/8" {
				first -= 32
			}
		}
		if !places[first] {
			t.Fatalf("%v: the first frame is at bit %d; found at %v", p.Code, first, places)
		}
	})
	if valid*5 < drawn {
		t.Errorf("%d of %d profiles are valid: too few to say anything", valid, drawn)
	}
}

func frameInto(t *rapid.T, framer *link.Framer, enc *link.DownEncoder, bits []byte) []byte {
	frame, _ := framer.Next(nil, [4]byte{})
	bits, err := enc.Append(bits, frame)
	if err != nil {
		t.Fatal(err)
	}
	return bits
}

// TestAnyUplink: a frame of any length in any code arrives, at any bit offset, with the
// bits wrong that the code corrects.
func TestAnyUplink(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := link.Profile{
			CLTU:        rapid.SampledFrom([]link.CLTU{link.CLTUBCH, link.CLTULDPC128, link.CLTULDPC512}).Draw(t, "cltu"),
			Acquisition: rapid.IntRange(1, 40).Draw(t, "acquisition"),
		}
		enc, err := link.NewUpEncoder(p)
		if err != nil {
			t.Fatal(err)
		}
		dec, err := link.NewUpDecoder(p)
		if err != nil {
			t.Fatal(err)
		}
		frame := rapid.SliceOfN(rapid.Byte(), 6, 1024).Draw(t, "frame")
		bits, err := enc.Append(nil, frame)
		if err != nil {
			t.Fatal(err)
		}
		flip(bits, 8*enc.Lead()+64+rapid.IntRange(0, 63).Draw(t, "wrong"))
		bits = append(bits, enc.Idle()...)
		shift := rapid.IntRange(0, 7).Draw(t, "shift")
		soft := append(make([]int8, shift), coding.AppendSoft(nil, bits, 31)...)
		found := false
		take := func(got []byte, info link.UpInfo) bool {
			ok := len(got) >= len(frame) && bytes.Equal(got[:len(frame)], frame)
			if ok && info.Bit != uint64(shift+8*enc.Lead()) {
				t.Fatalf("at bit %d, want %d", info.Bit, shift+8*enc.Lead())
			}
			found = found || ok
			return ok
		}
		if rapid.Bool().Draw(t, "hard") {
			dec.Push(coding.AppendHard(nil, soft), take)
		} else {
			dec.PushSoft(append(soft, make([]int8, 7)...), take)
		}
		if !found {
			t.Fatalf("%s: frame of %d octets not found: %+v", p.CLTU, len(frame), dec.Stats())
		}
	})
}

func flip(b []byte, bit int) { b[bit/8] ^= 0x80 >> (bit % 8) }
