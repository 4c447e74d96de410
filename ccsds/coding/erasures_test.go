package coding_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

// spoil changes the given numbers of symbols of one codeword, and returns where the
// erasures are; an erased symbol may happen to be right.
func spoil(rnd *rand.Rand, block []byte, depth, word, errs, erasures int) (places []int) {
	for i, place := range rnd.Perm(len(block) / depth)[:errs+erasures] {
		at := place*depth + word
		if i < errs {
			block[at] ^= byte(1 + rnd.IntN(255))
			continue
		}
		block[at] = byte(rnd.IntN(256))
		places = append(places, at)
	}
	return places
}

// A codeword with 2·errors + erasures up to 2E is corrected, in every shape of block.
func TestErasures(t *testing.T) {
	codes := map[[2]int]*coding.RS{}
	for _, e := range []int{8, 16} {
		for _, depth := range []int{1, 2, 3, 4, 5, 8} {
			codes[[2]int{e, depth}] = newRS(t, e, depth, depth%2 == 1)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom([]int{8, 16}).Draw(t, "e")
		depth := rapid.SampledFrom([]int{1, 2, 3, 4, 5, 8}).Draw(t, "depth")
		rs := codes[[2]int{e, depth}]
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 9))
		block, err := rs.Encode(nil, layertest.Random(rnd, depth*rapid.IntRange(1, 255-2*e).Draw(t, "symbols")))
		if err != nil {
			t.Fatal(err)
		}
		sent := bytes.Clone(block)
		var places []int
		for word := range depth {
			erasures := rapid.IntRange(0, 2*e).Draw(t, "erasures")
			errs := rapid.IntRange(0, (2*e-erasures)/2).Draw(t, "errors")
			places = append(places, spoil(rnd, block, depth, word, errs, erasures)...)
		}
		changed := 0
		for i, v := range block {
			if v != sent[i] {
				changed++
			}
		}
		rnd.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
		n, err := rs.DecodeErasures(block, append(places, places...))
		if err != nil || n != changed || !bytes.Equal(block, sent) {
			t.Fatalf("%d wrong symbols, %d erasures: corrected %d, %v", changed, len(places), n, err)
		}
	})
}

// Beyond its bound a codeword is refused, or taken for another of the code: never for none.
func TestErasuresRefused(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	rs := newRS(t, 16, 1, true)
	refused := 0
	for i := range 600 {
		block, _ := rs.Encode(nil, layertest.Random(rnd, 223))
		sent := bytes.Clone(block)
		erasures := i % 25
		places := spoil(rnd, block, 1, 0, (32-erasures)/2+1, erasures)
		before := bytes.Clone(block)
		switch _, err := rs.DecodeErasures(block, places); {
		case errors.Is(err, coding.ErrUncorrectable):
			refused++
			if !bytes.Equal(block, before) {
				t.Fatal("refused and changed")
			}
		case bytes.Equal(block, sent):
			t.Fatal("corrected what is beyond the bound") // impossible but by chance
		default:
			if again, _ := rs.Encode(nil, block[:223]); !bytes.Equal(again, block) {
				t.Fatal("accepted what is no codeword")
			}
		}
	}
	if refused < 590 {
		t.Errorf("%d of 600 refused", refused)
	}
	block := make([]byte, 255)
	if _, err := rs.DecodeErasures(block, []int{255}); err == nil {
		t.Error("an erasure outside the block is accepted")
	}
	all := make([]int, 33)
	for i := range all {
		all[i] = i
	}
	block[3] = 1
	if _, err := rs.DecodeErasures(block, all); !errors.Is(err, coding.ErrUncorrectable) {
		t.Errorf("33 erasures: %v", err)
	}
}

func FuzzRSErasures(f *testing.F) {
	rs := newRS(f, 8, 1, false)
	good, _ := rs.Encode(nil, []byte("perilune"))
	f.Add(good, []byte{1, 2, 3})
	f.Add(good[1:], []byte{0, 0, 200})
	f.Fuzz(func(t *testing.T, block, where []byte) {
		var places []int
		for _, v := range where {
			places = append(places, int(v))
		}
		if _, err := rs.DecodeErasures(block, places); err != nil {
			return
		}
		if again, err := rs.Encode(nil, block[:len(block)-16]); err != nil || !bytes.Equal(again, block) {
			t.Fatalf("accepted what is no codeword (%v)", err)
		}
	})
}
