package conv_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding/conv"
	"github.com/perilune/perilune/ccsds/internal/layertest"
)

// The alignment is found from any beginning at each rate's usual noise, and found again
// after symbols were lost.
func TestNodeSync(t *testing.T) {
	for _, c := range []struct {
		rate conv.Rate
		db   float64
	}{{conv.Rate12, 2.5}, {conv.Rate23, 4}, {conv.Rate34, 4.5}, {conv.Rate56, 5.5}, {conv.Rate78, 6.5}} {
		for begin := range c.rate.Symbols() {
			e, _ := newPair(t, c.rate, conv.Options{})
			noise, err := channel.NewAWGN(uint64(begin), c.db, c.rate.Ratio())
			if err != nil {
				t.Fatal(err)
			}
			data := layertest.Random(rand.New(rand.NewPCG(3, uint64(begin))), 6000)
			soft := noise.AppendSoft(nil, e.Encode(nil, data))[begin:]
			cut := len(soft) / 2
			soft = append(soft[:cut], soft[cut+1:]...)
			n, err := conv.NewNodeSync(c.rate, conv.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for len(soft) > 0 {
				k := min(len(soft), 1777)
				got, soft = n.Decode(got, soft[:k]), soft[k:]
			}
			got = n.Flush(got)
			if !shared(got[:len(got)/3], data) || !shared(got[len(got)*3/4:], data) || n.Changes() != 1 {
				t.Errorf("rate %v from symbol %d: quality %.3f, %d changes", c.rate, begin, n.Quality(), n.Changes())
			}
		}
	}
}

// shared reports whether a run of 24 octets of a, at some bit, is in b. What the first bits
// of a period are in the stream does not keep to octets.
func shared(a, b []byte) bool {
	for shift := range 8 {
		turned := make([]byte, len(a)-1)
		for i := range turned {
			turned[i] = a[i]<<shift | byte(uint16(a[i+1])>>(8-shift))
		}
		for at := 0; at+24 <= len(turned); at += 24 {
			if bytes.Contains(b, turned[at:at+24]) {
				return true
			}
		}
	}
	return false
}

func FuzzNodeSync(f *testing.F) {
	f.Add(uint8(0), []byte{1, 2, 3})
	f.Add(uint8(3), bytes.Repeat([]byte{77, 200, 3}, 2000))
	f.Fuzz(func(t *testing.T, rate uint8, raw []byte) {
		n, err := conv.NewNodeSync(conv.Rate(rate%5), conv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		soft := make([]int8, len(raw))
		for i, v := range raw {
			soft[i] = int8(v)
		}
		if got := n.Flush(n.Decode(nil, soft)); len(got) > len(raw)/8+1 {
			t.Fatalf("%d symbols became %d octets", len(raw), len(got))
		}
	})
}
