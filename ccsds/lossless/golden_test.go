package lossless_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/lossless"
)

// parseOptions reads the options of the aec tool.
func parseOptions(t *testing.T, text string) lossless.Params {
	t.Helper()
	p := lossless.Params{Flags: lossless.Preprocess}
	numbers := map[string]*int{"-n": &p.BitsPerSample, "-j": &p.BlockSize, "-r": &p.RSI}
	flags := map[string]lossless.Flags{"-m": lossless.MSB, "-s": lossless.Signed, "-3": lossless.ThreeOctets, "-t": lossless.Restricted}
	words := strings.Fields(text)
	for i := 0; i < len(words); i++ {
		switch to := numbers[words[i]]; {
		case to != nil:
			i++
			var err error
			if *to, err = strconv.Atoi(words[i]); err != nil {
				t.Fatal(err)
			}
		case words[i] == "-N":
			p.Flags &^= lossless.Preprocess
		case flags[words[i]] != 0:
			p.Flags |= flags[words[i]]
		default:
			t.Fatalf("option %q", words[i])
		}
	}
	return p
}

// TestGolden compares with libaec's results in testdata, which
// test/golden/lossless.py makes.
func TestGolden(t *testing.T) {
	f, err := os.Open("testdata/aec.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	cases := 0
	for lines.Scan() {
		parts := strings.Split(lines.Text(), " | ")
		if strings.HasPrefix(lines.Text(), "#") || len(parts) != 3 {
			continue
		}
		cases++
		samples, err1 := hex.DecodeString(parts[1])
		coded, err2 := hex.DecodeString(parts[2])
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		t.Run(strings.ReplaceAll(parts[0], " ", ""), func(t *testing.T) {
			p := parseOptions(t, parts[0])
			if got, err := lossless.Encode(p, samples); err != nil || !bytes.Equal(got, coded) {
				t.Errorf("encode: %x, %v, want %x", got, err, coded)
			}
			if got, err := lossless.Decode(p, coded, len(samples)); err != nil || !bytes.Equal(got, samples) {
				t.Errorf("decode: %x, %v, want %x", got, err, samples)
			}
		})
	}
	if cases < 40 {
		t.Errorf("%d cases in testdata/aec.txt", cases)
	}
}
