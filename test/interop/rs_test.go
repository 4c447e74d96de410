//go:build interop

package interop

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/coding"
)

// TestReedSolomon encodes at each end and corrects at the other, with 0 to E+1 wrong
// symbols in each codeword: up to E are corrected, E+1 refused, by both.
func TestReedSolomon(t *testing.T) {
	p := startPeer(t, "peers/rs.py")
	for _, lib := range []struct {
		name string
		e    int
	}{{"pypi", 16}, {"libfec", 16}, {"libfec", 8}} {
		for _, basis := range []string{"dual", "conventional"} {
			for _, depth := range []int{1, 2, 3, 4, 5, 8} {
				t.Run(fmt.Sprintf("%s/E%d/%s/I%d", lib.name, lib.e, basis, depth), func(t *testing.T) {
					p.t = t
					rsBothWays(t, p, lib.name, lib.e, basis, depth)
				})
			}
		}
	}
}

func rsBothWays(t *testing.T, p *peer, lib string, e int, basis string, depth int) {
	code, err := coding.NewRS(e, depth, basis == "dual")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(uint64(e), uint64(depth)))
	args := []string{lib, strconv.Itoa(e), basis, strconv.Itoa(depth)}
	ask := func(op string, octets []byte) []byte {
		answer := p.one(append(append([]string{op}, args...), hex.EncodeToString(octets))...)[0]
		if answer == "uncorrectable" {
			return nil
		}
		return unhex(t, answer)
	}
	data := octets(rng, code.DataLength())
	block, err := code.Encode(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	if theirs := ask("encode", data); !bytes.Equal(theirs, block) {
		t.Fatalf("the check symbols differ:\n%x\n%x", theirs[len(data):], block[len(data):])
	}
	for wrong := 0; wrong <= e+1; wrong++ {
		bad := damage(rng, block, depth, wrong)
		theirs := ask("decode", bad)
		n, err := code.Decode(bad)
		if wrong > e {
			if theirs != nil || !errors.Is(err, coding.ErrUncorrectable) {
				t.Errorf("%d errors: they refuse: %t, ours: %v", wrong, theirs == nil, err)
			}
			continue
		}
		if !bytes.Equal(theirs, data) || err != nil || !bytes.Equal(bad, block) || n != wrong*depth {
			t.Errorf("%d errors: theirs right: %t, ours %d corrected, %v", wrong, bytes.Equal(theirs, data), n, err)
		}
	}
}

// TestReedSolomonErasures damages octets of which the places of some are known: both ends correct
// as many as the code can, two errors in place of one where the place is known.
func TestReedSolomonErasures(t *testing.T) {
	p := startPeer(t, "peers/rs.py")
	for _, e := range []int{16, 8} {
		for _, basis := range []string{"dual", "conventional"} {
			for _, depth := range []int{1, 5} {
				code, err := coding.NewRS(e, depth, basis == "dual")
				if err != nil {
					t.Fatal(err)
				}
				rng := rand.New(rand.NewPCG(uint64(e), uint64(depth)))
				data := octets(rng, code.DataLength())
				block, err := code.Encode(nil, data)
				if err != nil {
					t.Fatal(err)
				}
				for erased := 1; erased <= 2*e; erased++ {
					bad, places := damageKnown(rng, block, depth, erased, (2*e-erased)/2)
					words := strings.Trim(strings.ReplaceAll(fmt.Sprint(places), " ", ","), "[]")
					theirs := p.one("erase", "libfec", strconv.Itoa(e), basis, strconv.Itoa(depth), hex.EncodeToString(bad), words)[0]
					if _, err := code.DecodeErasures(bad, places); err != nil || !bytes.Equal(bad, block) || theirs != hex.EncodeToString(data) {
						t.Errorf("E %d, %s, I %d, %d erased: theirs right: %t, ours: %t, %v", e, basis, depth, erased, theirs == hex.EncodeToString(data), bytes.Equal(bad, block), err)
					}
				}
			}
		}
	}
}

// damageKnown changes symbols in each codeword, and returns the places of the erased ones: those of
// the others are not known.
func damageKnown(rng *rand.Rand, block []byte, depth, erased, wrong int) (bad []byte, places []int) {
	bad = bytes.Clone(block)
	for i := range depth {
		for n, k := range rng.Perm(len(block) / depth)[:erased+wrong] {
			bad[k*depth+i] ^= byte(1 + rng.IntN(255))
			if n < erased {
				places = append(places, k*depth+i)
			}
		}
	}
	return bad, places
}

// damage returns the block with wrong symbols changed in each of its codewords.
func damage(rng *rand.Rand, block []byte, depth, wrong int) []byte {
	bad := bytes.Clone(block)
	for i := range depth {
		for _, k := range rng.Perm(len(block) / depth)[:wrong] {
			bad[k*depth+i] ^= byte(1 + rng.IntN(255))
		}
	}
	return bad
}

func octets(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}
