package coding_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

// noisy flips bits of b at the given rate, going from error to error.
func noisy(rnd *rand.Rand, b []byte, ber float64) {
	at := 0
	for {
		at += int(math.Log(1-rnd.Float64()) / math.Log1p(-ber))
		if at >= 8*len(b) {
			return
		}
		flip(b, at)
		at++
	}
}

// beyondRepair is the chance that more than e of 255 symbols are wrong.
func beyondRepair(ber float64, e int) float64 {
	p := 1 - math.Pow(1-ber, 8)
	good, term := 0.0, math.Pow(1-p, 255)
	for k := range e + 1 {
		good += term
		term *= p / (1 - p) * float64(255-k) / float64(k+1)
	}
	return 1 - good
}

// The codeword error rate over white noise (BPSK, hard decisions) meets the points that
// AFF3CT publishes for RS(255,223) and RS(255,239), and the closed form.
func TestReedSolomonErrorRate(t *testing.T) {
	for _, c := range []struct {
		e, words  int
		db        float64 // Eb/N0
		published float64
	}{{16, 20000, 6.0, 4.95e-3}, {8, 6000, 6.4, 2.85e-2}, {8, 12000, 6.6, 8.85e-3}} {
		rs := newRS(t, c.e, 1, true)
		rate := float64(255-2*c.e) / 255
		ber := math.Erfc(math.Sqrt(rate*math.Pow(10, c.db/10))) / 2
		rnd := rand.New(rand.NewPCG(255, uint64(c.e)))
		sent, err := rs.Encode(nil, layertest.Random(rnd, rs.DataLength()))
		if err != nil {
			t.Fatal(err)
		}
		block, lost := make([]byte, len(sent)), 0
		for range c.words {
			copy(block, sent)
			noisy(rnd, block, ber)
			if _, err := rs.Decode(block); err != nil || !bytes.Equal(block, sent) {
				lost++
			}
		}
		want := beyondRepair(ber, c.e)
		if math.Abs(want/c.published-1) > 0.05 {
			t.Errorf("E=%d at %.1f dB: closed form %.3g, published %.3g", c.e, c.db, want, c.published)
		}
		expect := want * float64(c.words)
		if math.Abs(float64(lost)-expect) > 5*math.Sqrt(expect) {
			t.Errorf("E=%d at %.1f dB: lost %d of %d codewords, want near %.0f", c.e, c.db, lost, c.words, expect)
		}
	}
}

// At the downlink's bit error rate of 5e-3 about one frame in ten is lost, each by its
// codewords and none by its marker.
func TestDownlinkErrorRate(t *testing.T) {
	const ber, frames = 5e-3, 600
	rnd := rand.New(rand.NewPCG(5, 3))
	rs := newRS(t, 16, 5, true)
	frame := layertest.Random(rnd, rs.DataLength())
	cadu, err := rs.Encode(coding.AppendASM(nil), frame)
	if err != nil {
		t.Fatal(err)
	}
	coding.Randomise(cadu[coding.ASMLength:])
	s, err := coding.NewSync(rs.BlockLength(), coding.SyncOptions{})
	if err != nil {
		t.Fatal(err)
	}
	received, good := 0, 0
	for range frames {
		b := bytes.Clone(cadu)
		noisy(rnd, b, ber)
		s.Push(b, func(block []byte, _ uint64, _ coding.State) {
			received++
			coding.Randomise(block)
			if _, err := rs.Decode(block); err == nil && bytes.Equal(block[:len(frame)], frame) {
				good++
			}
		})
	}
	lost := 1 - math.Pow(1-beyondRepair(ber, 16), 5)
	expect := lost * frames
	if received != frames || math.Abs(float64(frames-good)-expect) > 5*math.Sqrt(expect) {
		t.Errorf("received %d of %d frames, %d good; want %.0f lost", received, frames, good, expect)
	}
}
