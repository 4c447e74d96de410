package coding_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/coding"
)

// Hard bits made soft are the same bits again, and randomising soft bits is randomising them.
func TestSoft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		size := int8(rapid.IntRange(1, 127).Draw(t, "size"))
		soft := coding.AppendSoft(nil, data, size)
		if got := coding.AppendHard(nil, soft); !bytes.Equal(got, data) {
			t.Fatalf("%x became %x", data, got)
		}
		for i, both := range []struct {
			hard func([]byte)
			soft func([]int8)
		}{{coding.Randomise, coding.RandomiseSoft}, {coding.RandomiseTC, coding.RandomiseTCSoft}, {coding.RandomiseLong, coding.RandomiseLongSoft}} {
			mixed := bytes.Clone(data)
			both.hard(mixed)
			both.soft(soft)
			if got := coding.AppendHard(nil, soft); !bytes.Equal(got, mixed) {
				t.Fatalf("sequence %d: soft bits differ", i)
			}
			both.soft(soft)
		}
	})
	if got := coding.AppendHard(nil, []int8{-128, 1, -1}); !bytes.Equal(got, []byte{0xA0}) {
		t.Errorf("three soft bits became %x", got)
	}
	low := []int8{-128, -128}
	if coding.RandomiseSoft(low); low[0] != 127 {
		t.Errorf("-128 turned over is %d", low[0])
	}
}

// The long sequence begins as the book prints it, has a balanced period of 131071 bits,
// and repeats.
func TestRandomiseLong(t *testing.T) {
	b := make([]byte, 2*131071)
	coding.RandomiseLong(b)
	if want := []byte{0x1C, 0x71, 0xB9, 0x1B, 0xA9}; !bytes.Equal(b[:5], want) {
		t.Errorf("begins with %x, want %x", b[:5], want)
	}
	ones := 0
	for i := range 131071 {
		bit := b[i/8] >> (7 - i%8) & 1
		ones += int(bit)
		if j := i + 131071; b[j/8]>>(7-j%8)&1 != bit {
			t.Fatalf("bit %d is not repeated", i)
		}
	}
	if ones != 65536 {
		t.Errorf("%d ones in a period", ones)
	}
	if !bytes.Equal(b[:131071], b[131071:]) {
		t.Error("octets do not repeat")
	}
}
