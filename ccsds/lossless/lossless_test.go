package lossless_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/lossless"
)

// params draws any parameters that the book allows.
func params() *rapid.Generator[lossless.Params] {
	return rapid.Custom(func(t *rapid.T) lossless.Params {
		p := lossless.Params{
			BitsPerSample: rapid.IntRange(1, 32).Draw(t, "n"),
			BlockSize:     rapid.SampledFrom([]int{8, 16, 32, 64}).Draw(t, "J"),
			RSI:           rapid.OneOf(rapid.IntRange(1, 200), rapid.Just(4096)).Draw(t, "r"),
		}
		for _, f := range []lossless.Flags{lossless.MSB, lossless.Preprocess, lossless.Signed, lossless.ThreeOctets, lossless.Restricted} {
			if rapid.Bool().Draw(t, fmt.Sprintf("flag%d", f)) {
				p.Flags |= f
			}
		}
		if p.BitsPerSample > 4 {
			p.Flags &^= lossless.Restricted
		}
		if p.Flags&lossless.Preprocess == 0 {
			p.Flags &^= lossless.Signed
		}
		return p
	})
}

// signal makes count samples of p that wander, rest and jump as seed has it,
// so that every option of the code is the best one somewhere.
func signal(p lossless.Params, seed uint64, count int) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	low, span := int64(0), int64(1)<<p.BitsPerSample
	if p.Flags&lossless.Signed != 0 {
		low = -span / 2
	}
	var out []byte
	x, noise := low+rng.Int64N(span), int64(0)
	for i := range count {
		if i%37 == 0 {
			noise = int64(math.Exp2(rng.Float64()*float64(p.BitsPerSample+1))) - 1
			if rng.IntN(3) == 0 {
				noise = 0
			}
			if rng.IntN(8) == 0 {
				x = low
			}
		}
		if noise > 0 && rng.IntN(4) > 0 {
			x += rng.Int64N(2*noise+1) - noise
		}
		x = max(low, min(x, low+span-1))
		out = appendSample(out, p, uint32(x))
	}
	return out
}

func appendSample(out []byte, p lossless.Params, v uint32) []byte {
	var b [4]byte
	n := p.SampleSize()
	if p.Flags&lossless.MSB != 0 {
		binary.BigEndian.PutUint32(b[:], v<<(32-8*n))
	} else {
		binary.LittleEndian.PutUint32(b[:], v)
	}
	return append(out, b[:n]...)
}

func TestDecodeEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := params().Draw(t, "params")
		samples := signal(p, rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 5000).Draw(t, "count"))
		data, err := lossless.Encode(p, samples)
		if err != nil {
			t.Fatal(err)
		}
		got, err := lossless.Decode(p, data, len(samples))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, samples) {
			t.Fatal("decoded samples differ")
		}
	})
}

// aec runs Debian's aec (libaec-tools) on data.
func aec(t *testing.T, data []byte, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("aec", append(args, in, out)...).CombinedOutput(); err != nil {
		t.Fatalf("aec %v: %v: %s", args, err, said)
	}
	result, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func aecArgs(p lossless.Params) []string {
	args := []string{"-n", strconv.Itoa(p.BitsPerSample), "-j", strconv.Itoa(p.BlockSize), "-r", strconv.Itoa(p.RSI)}
	if p.Flags&lossless.Preprocess == 0 {
		args = append(args, "-N")
	}
	for _, o := range []struct {
		flag   lossless.Flags
		letter string
	}{{lossless.MSB, "-m"}, {lossless.Signed, "-s"}, {lossless.ThreeOctets, "-3"}, {lossless.Restricted, "-t"}} {
		if p.Flags&o.flag != 0 {
			args = append(args, o.letter)
		}
	}
	return args
}

// TestAgainstAec compares with libaec both ways: our octets are its octets, and
// it restores what we compress.
func TestAgainstAec(t *testing.T) {
	if _, err := exec.LookPath("aec"); err != nil {
		t.Skip("needs aec: run 'perilune doctor --install' (Debian: libaec-tools)")
	}
	rng := rand.New(rand.NewPCG(121, 0))
	for n := 1; n <= 32; n++ {
		for round := range 6 {
			p := lossless.Params{BitsPerSample: n, BlockSize: 8 << rng.IntN(4), RSI: 1 + rng.IntN(1<<rng.IntN(12)), Flags: lossless.Flags(rng.IntN(32))}
			p.Flags |= lossless.Preprocess * lossless.Flags(round&1)
			if n > 4 {
				p.Flags &^= lossless.Restricted
			}
			if p.Flags&lossless.Preprocess == 0 {
				p.Flags &^= lossless.Signed
			}
			samples := signal(p, rng.Uint64(), 1+rng.IntN(20000))
			forAec := samples
			if p.Flags&lossless.Signed != 0 {
				forAec = masked(p, samples)
			}
			t.Run(fmt.Sprintf("n%d/J%d/r%d/flags%d/%d", n, p.BlockSize, p.RSI, p.Flags, len(samples)), func(t *testing.T) {
				data, err := lossless.Encode(p, samples)
				if err != nil {
					t.Fatal(err)
				}
				if want := aec(t, forAec, aecArgs(p)...); !bytes.Equal(data, want) {
					t.Errorf("%d octets, aec has %d; first difference at %d", len(data), len(want), differ(data, want))
				}
				back := aec(t, data, append(aecArgs(p), "-d")...)
				if len(back) < len(samples) || !bytes.Equal(back[:len(samples)], samples) {
					t.Errorf("aec restores something else: first difference at %d of %d, %d", differ(back, samples), len(samples), len(back))
				}
			})
		}
	}
}

// masked clears the bits above the sign: aec gives samples out sign-extended,
// as we do, but takes them only so.
func masked(p lossless.Params, samples []byte) []byte {
	size := p.SampleSize()
	out := bytes.Clone(samples)
	for i := 0; i < len(out); i += size {
		for b := range size {
			at := i + b
			if p.Flags&lossless.MSB != 0 {
				at = i + size - 1 - b
			}
			if keep := p.BitsPerSample - 8*b; keep < 8 {
				out[at] &= byte(1<<max(keep, 0) - 1)
			}
		}
	}
	return out
}

func differ(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestErrors(t *testing.T) {
	ok := lossless.Params{BitsPerSample: 8, BlockSize: 16, RSI: 128, Flags: lossless.Preprocess}
	for name, change := range map[string]func(*lossless.Params){
		"n 0":        func(p *lossless.Params) { p.BitsPerSample = 0 },
		"n 33":       func(p *lossless.Params) { p.BitsPerSample = 33 },
		"J 12":       func(p *lossless.Params) { p.BlockSize = 12 },
		"r 0":        func(p *lossless.Params) { p.RSI = 0 },
		"r 4097":     func(p *lossless.Params) { p.RSI = 4097 },
		"restricted": func(p *lossless.Params) { p.Flags |= lossless.Restricted },
		"signed":     func(p *lossless.Params) { p.Flags = lossless.Signed },
	} {
		p := ok
		change(&p)
		if _, err := lossless.Encode(p, nil); !errors.Is(err, lossless.ErrParams) {
			t.Errorf("%s: Encode: %v", name, err)
		}
		if _, err := lossless.Decode(p, nil, 0); !errors.Is(err, lossless.ErrParams) {
			t.Errorf("%s: Decode: %v", name, err)
		}
	}
	twelve := ok
	twelve.BitsPerSample = 12
	for _, samples := range [][]byte{{1}, {0, 0x10}} {
		if _, err := lossless.Encode(twelve, samples); !errors.Is(err, lossless.ErrSample) {
			t.Errorf("samples %x: %v", samples, err)
		}
	}
	data, err := lossless.Encode(ok, bytes.Repeat([]byte{1, 200}, 1000))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		n    int
	}{
		"cut":       {data[:len(data)/2], 2000},
		"empty":     {nil, 2000},
		"more":      {append(append([]byte(nil), data...), 0, 1), 2000},
		"huge":      {[]byte{0, 0}, lossless.MaxSize},
		"shorter n": {data, 16},
	} {
		if _, err := lossless.Decode(ok, c.data, c.n); !errors.Is(err, lossless.ErrData) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := lossless.Decode(ok, data, lossless.MaxSize+1); !errors.Is(err, lossless.ErrParams) {
		t.Errorf("over MaxSize: %v", err)
	}
}

// FuzzDecode: no panic; what decodes is bounded by what was asked for and,
// coded again, gives the same samples.
func FuzzDecode(f *testing.F) {
	for seed := range uint64(8) {
		p := lossless.Params{BitsPerSample: int(seed)*4 + 1, BlockSize: 8, RSI: 16, Flags: lossless.Preprocess}
		samples := signal(p, seed, 600)
		data, err := lossless.Encode(p, samples)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(p.BitsPerSample), uint8(0), uint16(p.RSI), uint8(p.Flags), uint16(len(samples)), data)
	}
	f.Fuzz(func(t *testing.T, n, j uint8, rsi uint16, flags uint8, size uint16, data []byte) {
		p := lossless.Params{BitsPerSample: int(n), BlockSize: 8 << (j & 3), RSI: int(rsi), Flags: lossless.Flags(flags)}
		samples, err := lossless.Decode(p, data, int(size))
		if err != nil {
			return
		}
		if len(samples) != int(size) {
			t.Fatalf("%d octets, asked for %d", len(samples), size)
		}
		again, err := lossless.Encode(p, samples)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := lossless.Decode(p, again, len(samples)); err != nil || !bytes.Equal(back, samples) {
			t.Fatalf("coded again: %v", err)
		}
	})
}
