//go:build interop

package interop

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
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
