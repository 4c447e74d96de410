package channel_test

import (
	"bytes"
	"math"
	"math/bits"
	"testing"

	"github.com/perilune/perilune/ccsds/channel"
)

func newChannel(t testing.TB, seed uint64, cfg channel.Config) *channel.Channel {
	t.Helper()
	c, err := channel.New(seed, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func weight(b []byte) (n int) {
	for _, v := range b {
		n += bits.OnesCount8(v)
	}
	return n
}

// The rate is as set, within five standard deviations, and flips are counted.
func TestBER(t *testing.T) {
	const octets = 1 << 18
	for _, ber := range []float64{0, 1e-5, 1e-3, 5e-3, 0.1, 0.5} {
		c := newChannel(t, 1, channel.Config{BER: ber})
		out, flips := c.Pass(make([]byte, octets))
		want := ber * 8 * octets
		if n := weight(out); n != flips || math.Abs(float64(n)-want) > 5*math.Sqrt(want)+1e-9 {
			t.Errorf("rate %g: %d wrong bits, counted %d, want near %.0f", ber, n, flips, want)
		}
	}
}

// The errors are spread evenly: gaps between them have the deviation of a geometric law.
func TestBERSpread(t *testing.T) {
	c := newChannel(t, 2, channel.Config{BER: 0.01})
	out, _ := c.Pass(make([]byte, 1<<17))
	var n, sum, squares float64
	last := -1
	for i := range 8 * len(out) {
		if out[i/8]&(0x80>>(i%8)) != 0 {
			gap := float64(i - last)
			n, sum, squares, last = n+1, sum+gap, squares+gap*gap, i
		}
	}
	mean := sum / n
	if deviation := math.Sqrt(squares/n - mean*mean); math.Abs(deviation-99.5) > 5 || math.Abs(mean-100) > 5 {
		t.Errorf("gaps have mean %.1f and deviation %.1f, want 100 and 99.5", mean, deviation)
	}
}

// The same seed makes the same damage, whatever the sizes of the pieces.
func TestDeterministic(t *testing.T) {
	in := make([]byte, 20000)
	for i := range in {
		in[i] = byte(i * 7)
	}
	run := func(seed uint64, piece int) (all []byte) {
		c := newChannel(t, seed, channel.Config{BER: 1e-3, BurstEvery: 20000, BurstLength: 300})
		for at := 0; at < len(in); at += piece {
			switch at {
			case 4000:
				c.Slip(3)
			case 8000:
				c.SetSignal(false)
			case 10000:
				c.SetSignal(true)
				c.Burst(999)
			case 16000:
				c.Slip(-14)
			}
			out, _ := c.Pass(in[at:min(at+piece, len(in))])
			all = append(all, out...)
		}
		return all
	}
	a, b := run(5, 1000), run(5, 50)
	if !bytes.Equal(a, b) {
		t.Error("pieces of 1000 and of 50 octets are damaged differently")
	}
	if bytes.Equal(a, run(6, 1000)) {
		t.Error("another seed makes the same damage")
	}
	if len(a) != len(in)-2 { // +3 -14 bits: 11 bits less, of which whole octets come out
		t.Errorf("%d octets went in, %d came out", len(in), len(a))
	}
}

func TestBurst(t *testing.T) {
	c := newChannel(t, 3, channel.Config{})
	c.Pass(make([]byte, 10))
	c.Burst(803)
	c.Burst(0)
	out, flips := c.Pass(make([]byte, 200))
	if weight(out[101:]) != 0 || out[100]&0x1F != 0 {
		t.Error("the burst goes on behind its end")
	}
	if flips < 330 || flips > 470 || weight(out) != flips {
		t.Errorf("%d of 803 bits are wrong, counted %d", weight(out), flips)
	}
	if st := c.Stats(); st.Bursts != 1 || st.Flips != uint64(flips) || st.Bits != 8*210 {
		t.Errorf("stats %+v", st)
	}
}

func TestBurstsByThemselves(t *testing.T) {
	c := newChannel(t, 4, channel.Config{BurstEvery: 10000, BurstLength: 100})
	_, flips := c.Pass(make([]byte, 1<<18)) // 2.1 Mbit: near 207 bursts with 50 wrong bits each
	if st := c.Stats(); st.Bursts < 150 || st.Bursts > 270 || flips < 7000 || flips > 14000 {
		t.Errorf("%d bursts, %d wrong bits", st.Bursts, flips)
	}
}

func TestSignal(t *testing.T) {
	c := newChannel(t, 5, channel.Config{})
	if !c.Signal() {
		t.Error("there is no signal to begin with")
	}
	c.SetSignal(false)
	out, flips := c.Pass(make([]byte, 1000))
	if n := weight(out); len(out) != 1000 || n < 3700 || n > 4300 || flips != 0 || c.Stats().Noise != 8000 {
		t.Errorf("%d octets of noise, %d ones, %d flips, %+v", len(out), n, flips, c.Stats())
	}
	c.SetSignal(true)
	if out, _ := c.Pass(make([]byte, 100)); weight(out) != 0 {
		t.Error("noise goes on with signal")
	}
}

// A slip moves all bits behind it, and a slip back moves them back.
func TestSlip(t *testing.T) {
	in := bytes.Repeat([]byte{0xAB, 0xCD, 0xEF}, 40)
	for _, n := range []int{1, 3, 8, 13} {
		c := newChannel(t, 6, channel.Config{})
		c.Slip(n)
		out, _ := c.Pass(in)
		for i := range 8*len(out) - n {
			if out[(i+n)/8]>>(7-(i+n)%8)&1 != in[i/8]>>(7-i%8)&1 {
				t.Fatalf("slip by %d: bit %d is wrong", n, i)
			}
		}
		c.Slip(-n)
		back, _ := c.Pass(in)
		all := append(out, back...)
		if want := in[(n+7)/8:]; !bytes.HasSuffix(all, want) || len(all) != 2*len(in) {
			t.Errorf("slip by %d and back: %d octets of %d, aligned %t", n, len(all), 2*len(in), bytes.HasSuffix(all, want))
		}
		if st := c.Stats(); st.Inserted != uint64(n) || st.Dropped != uint64(n) {
			t.Errorf("stats %+v", st)
		}
	}
}

func TestInputStays(t *testing.T) {
	c := newChannel(t, 7, channel.Config{BER: 0.5})
	in := make([]byte, 100)
	c.Pass(in)
	if weight(in) != 0 {
		t.Error("Pass changes what it is given")
	}
}

func TestSetBER(t *testing.T) {
	c := newChannel(t, 8, channel.Config{BER: 0.5})
	for set, want := range map[float64]float64{-1: 0, 0.2: 0.2, 7: 0.5, math.NaN(): 0} {
		if c.SetBER(set); c.BER() != want {
			t.Errorf("set to %g it is %g", set, c.BER())
		}
	}
	c.SetBER(0)
	if _, flips := c.Pass(make([]byte, 1000)); flips != 0 {
		t.Errorf("%d flips at rate 0", flips)
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []channel.Config{
		{BER: -1}, {BER: 0.6}, {BER: math.NaN()}, {BurstEvery: -1}, {BurstEvery: math.Inf(1)},
		{BurstEvery: 10}, {BurstEvery: 10, BurstLength: math.NaN()},
	} {
		if _, err := channel.New(1, cfg); err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
}

func BenchmarkPass(b *testing.B) {
	c := newChannel(b, 1, channel.Config{BER: 5e-3})
	in := make([]byte, 1279)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		c.Pass(in)
	}
}
