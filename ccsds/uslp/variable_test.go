package uslp_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/uslp"
)

// Packets of any length, queued for frames of variable length, arrive in order; no frame is
// longer than it may be, and packets that fill a truncated frame travel in one where they come
// first.
func TestVariablePackets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := uslp.Params{SCID: 7, MaxLength: rapid.IntRange(40, 400).Draw(t, "longest"), FECF: rapid.SampledFrom([]uslp.FECF{0, 2, 4}).Draw(t, "fecf")}
		if rapid.Bool().Draw(t, "truncated") {
			p.TruncatedLength = 5 + 14 + int(p.FECF)
		}
		b, r := newBuilder(t, p, rapid.IntRange(1, 3).Draw(t, "count"), false), uslp.NewReceiver(0, false)
		var ocf *[4]byte
		if rapid.Bool().Draw(t, "ocf") {
			ocf = &[4]byte{1, 2, 3, 4}
		}
		c := uslp.Channel{VC: 3, MAP: 2}
		var sent, got [][]byte
		truncated, fitting := 0, 0
		take := func(flush bool) {
			for {
				octets, ok := b.Next(nil, c, ocf, flush)
				if !ok {
					return
				}
				f := decode(t, p, octets)
				if len(octets) > p.MaxLength || f.HasOCF != (ocf != nil && !f.Truncated) {
					t.Fatalf("frame of %d octets, control field %t", len(octets), f.HasOCF)
				}
				if f.Truncated {
					truncated++
				}
				if _, err := r.Frame(f, func(u uslp.Unit) { got = append(got, bytes.Clone(u.Data)) }); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i := range rapid.IntRange(1, 40).Draw(t, "packets") {
			q := packet(i, rapid.IntRange(ccsds.MinPacketLength, 600).Draw(t, "length"), false)
			if rapid.IntRange(0, 3).Draw(t, "short") == 0 {
				q = packet(i, 14, false)
			}
			if len(q) == 14 && p.TruncatedLength > 0 {
				fitting++
			}
			sent = append(sent, q)
			if err := b.Append(c, q); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "take") {
				take(false)
			}
		}
		take(true)
		if b.Pending(c) != 0 || !slices.EqualFunc(sent, got, bytes.Equal) {
			t.Fatalf("%d of %d packets, %d octets wait; %+v", len(got), len(sent), b.Pending(c), r.Stats())
		}
		if truncated > fitting || fitting > 0 && truncated == 0 && len(sent) == fitting {
			t.Fatalf("%d truncated frames for %d packets that fill one", truncated, fitting)
		}
	})
}
