//go:build interop

package interop

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/internal/doctor"
)

// labrador returns the program under peers/ldpc, which it builds the first time.
var labrador = sync.OnceValues(func() (string, error) {
	for _, r := range doctor.Check(doctor.Interop) {
		if r.Command == "cargo" && !r.OK {
			return "", fmt.Errorf("%s: perilune doctor --install --for interop", r.Detail)
		}
	}
	dir, err := filepath.Abs(filepath.Join(cache, "labrador-ldpc"))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "release", "ldpc"), command("cargo", "build", "--quiet", "--locked", "--release",
		"--manifest-path", "peers/ldpc/Cargo.toml", "--target-dir", dir)
})

// TestLDPC encodes with labrador-ldpc and here to the same codewords, decodes noisy ones
// with both, and has both refuse noise.
func TestLDPC(t *testing.T) {
	exe, err := labrador()
	if err != nil {
		t.Fatalf("build labrador-ldpc: %v", err)
	}
	p := startProgram(t, exe)
	for _, x := range []struct {
		name ldpc.Name
		db   float64 // Eb/N0 at which a wrong word would be news
	}{
		{ldpc.TC64, 8}, {ldpc.TC256, 5.5},
		{ldpc.TM1024R12, 3}, {ldpc.TM1024R23, 4}, {ldpc.TM1024R45, 5},
		{ldpc.TM4096R12, 2.5}, {ldpc.TM4096R23, 3.2}, {ldpc.TM4096R45, 4.2},
	} {
		t.Run(fmt.Sprint(x.name), func(t *testing.T) {
			p.t = t
			ldpcBothWays(t, p, x.name, x.db)
		})
	}
}

func ldpcBothWays(t *testing.T, p *peer, name ldpc.Name, db float64) {
	code, err := ldpc.New(name)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := ldpc.NewDecoder(code, ldpc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k, n := strconv.Itoa(code.DataBits()), strconv.Itoa(code.Bits())
	rng := rand.New(rand.NewPCG(131, uint64(name)))
	wrong := 0
	for range 20 {
		data := octets(rng, code.DataBits()/8)
		word, err := code.Encode(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		if theirs := unhex(t, p.one("encode", k, n, hex.EncodeToString(data))[0]); !bytes.Equal(theirs, word) {
			t.Fatalf("codewords of %x differ:\n%x\n%x", data, theirs, word)
		}
		noisy := awgn(rng, word, db, code.Ratio())
		wrong += flipped(noisy, word)
		theirs := p.one("decode", k, n, hex.EncodeToString(unsigned(noisy)))[0]
		ours, err := decoder.Decode(nil, noisy)
		if err != nil || !bytes.Equal(ours, data) || theirs != hex.EncodeToString(data) {
			t.Errorf("noisy word: theirs right: %t, ours right: %t, %v", theirs == hex.EncodeToString(data), bytes.Equal(ours, data), err)
		}
		noise := awgn(rng, octets(rng, len(word)), 30, 1) // of no codeword
		if theirs := p.one("decode", k, n, hex.EncodeToString(unsigned(noise)))[0]; theirs != "none" {
			t.Errorf("they find a codeword in noise")
		}
		if _, err := decoder.Decode(nil, noise); err == nil {
			t.Errorf("we find a codeword in noise")
		}
	}
	if wrong == 0 {
		t.Error("the channel was too good")
	}
	t.Logf("%d bits of %d were wrong", wrong, 20*code.Bits())
}

// awgn is a word as soft bits behind a channel with noise, in eighths of the log-likelihood
// ratio.
func awgn(rng *rand.Rand, word []byte, db, ratio float64) []int8 {
	snr := ratio * math.Pow(10, db/10)
	amplitude := min(8*4*snr, 100)
	sigma := amplitude / math.Sqrt(2*snr)
	soft := coding.AppendSoft(nil, word, int8(amplitude))
	for i, s := range soft {
		soft[i] = int8(max(-127, min(127, math.Round(float64(s)+sigma*rng.NormFloat64()))))
	}
	return soft
}

// flipped counts the soft bits with the wrong sign.
func flipped(soft []int8, word []byte) (n int) {
	for i, s := range soft {
		if (s < 0) != (word[i/8]>>(7-i%8)&1 == 1) {
			n++
		}
	}
	return n
}

func unsigned(soft []int8) []byte {
	b := make([]byte, len(soft))
	for i, s := range soft {
		b[i] = byte(s)
	}
	return b
}
