package link_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/internal/golden"
	"github.com/perilune/perilune/ccsds/link"
)

// ldpcRate names the rate of a code by its lengths.
func ldpcRate(k, n int) string {
	return map[int]string{2 * k: "1/2", 3 * k / 2: "2/3", 5 * k / 4: "4/5"}[n]
}

// Streams of sliced frames made of labrador's codewords: ours are the same, and theirs decode.
func TestSlicedGolden(t *testing.T) {
	for _, row := range golden.Read(t, "sliced.txt") {
		c := link.Code{Kind: link.CodeLDPC, Block: row.Int(0), Rate: ldpcRate(row.Int(0), row.Int(1)), Codeblock: row.Int(2)}
		length, frames, channel := row.Int(3), row.Hex(4), row.Hex(5)
		e, err := link.NewDownEncoder(c, length)
		if err != nil {
			t.Fatal(err)
		}
		d, err := link.NewDownDecoder(c, length)
		if err != nil {
			t.Fatal(err)
		}
		var bits, got []byte
		for rest := frames; len(rest) > 0; rest = rest[length:] {
			if bits, err = e.Append(bits, rest[:length]); err != nil {
				t.Fatal(err)
			}
		}
		if bits = e.Flush(bits); !bytes.Equal(bits, channel) {
			t.Errorf("%v: the bits differ from labrador's", c)
		}
		d.Push(channel, func(f link.Coded) { got = append(got, f.Frame...) })
		if !bytes.Equal(got, frames) {
			t.Errorf("%v: labrador's bits give %d of %d octets, %+v", c, len(got), len(frames), d.Stats())
		}
	}
}

// Whatever codewords and markers of codeblocks the channel destroys, all frames arrive that no
// destroyed codeword has a part of, in order and at their places, and no other does.
func TestSlicedLosses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := link.Code{Kind: link.CodeLDPC, Block: 1024, Rate: rapid.SampledFrom([]string{"1/2", "2/3", "4/5"}).Draw(t, "rate"),
			Codeblock: rapid.IntRange(1, 8).Draw(t, "codeblock"), Iterations: 5}
		length := rapid.IntRange(20, 400).Draw(t, "frame")
		e, err := link.NewDownEncoder(c, length)
		if err != nil {
			t.Fatal(err)
		}
		d, err := link.NewDownDecoder(c, length)
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var bits []byte
		var frames [][]byte
		for i := 0; i < 12 || len(bits) < 3000*c.Codeblock; i++ {
			f := make([]byte, length)
			for j := range f {
				f[j] = byte(rnd.Uint32()) &^ 0x80 // no ten ones in a row: no marker by chance
			}
			frames = append(frames, f)
			if bits, err = e.Append(bits, f); err != nil {
				t.Fatal(err)
			}
		}
		soft := coding.AppendSoft(nil, e.Flush(bits), 31)
		n := map[string]int{"1/2": 2048, "2/3": 1536, "4/5": 1280}[c.Rate]
		lost := destroy(rnd, soft, n, c.Codeblock)
		next := 0
		d.PushSoft(soft, func(f link.Coded) {
			if f.Frame == nil {
				return
			}
			for next < len(frames) && !bytes.Equal(frames[next], f.Frame) {
				if !touched(lost, next, length) {
					t.Fatalf("frame %d is missing, no destroyed codeword touches it: %+v %+v", next, d.Stats(), d.Stats().Slices)
				}
				next++
			}
			if next == len(frames) {
				t.Fatal("a frame that nobody sent, or out of order")
			}
			if at := next * (length + coding.ASMLength); f.Bit != place(at, n, c.Codeblock) {
				t.Fatalf("frame %d is at symbol %d, want %d", next, f.Bit, place(at, n, c.Codeblock))
			}
			next++
		})
		for ; next < len(frames); next++ {
			if !touched(lost, next, length) {
				t.Fatalf("frame %d of %d is missing at the end: %+v %+v %v", next, len(frames), d.Stats(), d.Stats().Slices, lost)
			}
		}
	})
}

// destroy erases some codewords of n symbols, and makes some markers unknowable once the
// synchroniser is in lock, never more in a row than its flywheel bears.
func destroy(rnd *rand.Rand, soft []int8, n, codeblock int) (lost []bool) {
	const marker = 64
	gone := 0
	for at := 0; at < len(soft); at += marker + n*codeblock {
		if gone++; rnd.IntN(4) > 0 || gone > 3 || at <= marker+n*codeblock {
			gone = 0
		} else {
			for i := range marker / 2 {
				soft[at+2*i] = -soft[at+2*i]
			}
		}
		for w := range codeblock {
			lost = append(lost, rnd.IntN(8) == 0)
			if lost[len(lost)-1] {
				clear(soft[at+marker+w*n:][:n])
			}
		}
	}
	return lost
}

// touched reports whether a lost codeword of 1024 bits of information has a part of a frame.
func touched(lost []bool, frame, length int) bool {
	from := frame * (length + coding.ASMLength)
	for w := from / 128; w <= (from+length+coding.ASMLength-1)/128; w++ {
		if lost[w] {
			return true
		}
	}
	return false
}

// place is the symbol that an octet of the stream is at.
func place(octet, n, codeblock int) uint64 {
	word := octet / 128
	return uint64(64*(word/codeblock+1) + n*word + 8*(octet%128))
}

func TestSlicedRefuses(t *testing.T) {
	for _, c := range []link.Code{
		{Kind: link.CodeLDPC, Codeblock: 9},
		{Kind: link.CodeLDPC, Codeblock: -1},
		{Kind: link.CodeTurbo, Codeblock: 1},
		{Kind: link.CodeRS, Codeblock: 1},
	} {
		if err := c.Validate(446); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if err := (link.Code{Kind: link.CodeLDPC, Codeblock: 1}).Validate(3); err == nil {
		t.Error("frames of 3 octets are accepted")
	}
}
