//go:build interop

package interop

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/timecode"
)

// TestCLTU encodes frames of all lengths at each end, plain and randomised, and finds them at
// the other.
func TestCLTU(t *testing.T) {
	p := framesPeer(t)
	rng := rand.New(rand.NewPCG(231, 0))
	for n := range 200 {
		frame, random := octets(rng, 8+n*5), n%2 == 1
		plain := bytes.Clone(frame)
		if random {
			coding.RandomiseTC(plain)
		}
		ours := coding.EncodeCLTU(nil, plain)
		theirs := unhex(t, p.one("cltu-make", fmt.Sprint(bit(random)), hex.EncodeToString(frame))[0])
		// What fills the last codeblock is the encoder's own: frames know how long they are.
		if got := unhex(t, p.one("cltu-take", fmt.Sprint(bit(random)), hex.EncodeToString(ours))[0]); !bytes.HasPrefix(got, frame) || len(got)-len(frame) > 6 {
			t.Errorf("they read %x, want %x", got, frame)
		}
		found := 0
		coding.NewCLTUDecoder().Push(append(theirs, idleUp...), func(got []byte, _ coding.CLTUInfo) bool {
			got = bytes.Clone(got)
			if random {
				coding.RandomiseTC(got)
			}
			if bytes.HasPrefix(got, frame) {
				found++
			}
			return true
		})
		if found != 1 {
			t.Errorf("%d octets, randomised %t: found %d times in %x", len(frame), random, found, theirs)
		}
	}
}

// TestTimeCodes writes and reads binary time codes at both ends, with their P-fields, in all widths.
func TestTimeCodes(t *testing.T) {
	p := framesPeer(t)
	rng := rand.New(rand.NewPCG(301, 0))
	first, last := time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	agency := timecode.FromTime(epoch)
	for i := range 300 {
		at := time.Unix(first+rng.Int64N(last-first), rng.Int64N(1e9)).UTC()
		word, level2 := "-", i%2 == 1
		if level2 {
			word = fmt.Sprint(epoch.Unix())
		}
		check := func(kind string, code timecode.Code, least time.Duration, args ...any) {
			t.Helper()
			ours, err := code.AppendPField(nil)
			if err == nil {
				ours, err = code.Append(ours, timecode.FromTime(at))
			}
			if err != nil {
				t.Fatal(err)
			}
			their := p.askf(kind+"-take", word, hex.EncodeToString(ours))[0]
			var s, ns int64
			if _, err := fmt.Sscan(their[0]+" "+their[1], &s, &ns); err != nil {
				t.Fatal(err)
			}
			if d := time.Unix(s, ns).Sub(at).Abs(); d > least {
				t.Errorf("%s %x: they read %v, want %v", kind, ours, time.Unix(s, ns).UTC(), at)
			}
			theirs := unhex(t, p.askf(append([]any{kind + "-make", at.Unix(), at.Nanosecond(), word}, args...)...)[0][0])
			form, n, err := timecode.ParseCode(theirs, agency)
			if err != nil {
				t.Fatalf("%s %x: %v", kind, theirs, err)
			}
			if got, err := form.Decode(theirs[n:]); err != nil || got.Time().Sub(at).Abs() > least {
				t.Errorf("%s %x: we read %v, %v, want %v; ours is %x", kind, theirs, got, err, at, ours)
			}
		}
		// From four octets of fraction on 1.0.6 has each twice as large.
		cuc := timecode.CUC{Coarse: 4 + rng.IntN(3), Fine: rng.IntN(4)}
		cds := timecode.CDS{Day: 2 + rng.IntN(2), Sub: []timecode.Sub{timecode.Milliseconds, timecode.Microseconds, timecode.Picoseconds}[rng.IntN(3)]}
		if level2 {
			cuc.Epoch, cds.Epoch = agency, timecode.DaysSince(2000, 1, 1)
		}
		check("cuc", cuc, max(time.Second>>(8*cuc.Fine), 2), cuc.Coarse, cuc.Fine)
		check("cds", cds, []time.Duration{time.Millisecond, time.Microsecond, 1}[cds.Sub], bit(cds.Day == 2), int(cds.Sub))
	}
}
