//go:build interop

package interop

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/encap"
)

// aosEnd is one kind of channel for TestAOSFrames.
type aosEnd struct {
	mode   string
	params aos.Params
}

// TestAOSFrames flies packets of both protocols, a stream of bits and other octets both ways.
func TestAOSFrames(t *testing.T) {
	p := framesPeer(t)
	for _, mode := range []string{"packet", "encapsulation", "bitstream", "data"} {
		e := aosEnd{mode, aos.Params{SCID: 200, FrameLength: 300, InsertZone: 6, FECF: true, Encap: mode == "encapsulation"}}
		// With an OCF 1.0.6 takes half of it for bits of the stream.
		e.params.OCF = mode != "bitstream"
		t.Run(mode, func(t *testing.T) { p.t = t; e.bothWays(t, p) })
	}
}

func (e aosEnd) bothWays(t *testing.T, p *peer) {
	rng := rand.New(rand.NewPCG(732, 0))
	b, err := aos.NewBuilder(e.params)
	if err != nil {
		t.Fatal(err)
	}
	insert, ocf, word := octets(rng, e.params.InsertZone), [4]byte{}, "-"
	if e.params.OCF {
		ocf = [4]byte{1, 2, 3, 4}
		word = hex.EncodeToString(ocf[:])
	}
	zone := hex.EncodeToString(insert)
	if err := b.Insert(insert); err != nil {
		t.Fatal(err)
	}
	sdus := e.units(t, rng)
	frames := e.frames(t, b, sdus, ocf)
	rows, got := taken(t, p.askf("aos-take", e.mode, len(insert), bit(e.params.OCF), bit(e.params.FECF), 5, hexes(frames)))
	for n, r := range rows {
		if want := []string{fmt.Sprint(e.params.SCID), fmt.Sprint(n), "0", "1", zone, word}; !slices.Equal(r, want) {
			t.Errorf("frame %d: %v, want %v", n, r, want)
		}
	}
	sameAll(t, "theirs", withoutFill(got), sdus)

	send := hexes(sdus)
	switch e.mode {
	case "bitstream":
		send = strings.ReplaceAll(send, " ", fmt.Sprintf(":%d ", 8*len(sdus[0]))) + fmt.Sprint(":", 8*len(sdus[0]))
	case "packet":
		send += " " + hex.EncodeToString(idlePacket(t, e.params.FrameLength))
	case "encapsulation":
		send += " " + hex.EncodeToString(encap.AppendIdle(nil, 2*e.params.FrameLength))
	}
	x, f := aos.NewExtractor(0, true), aos.Frame{Params: e.params}
	got = nil
	for n, l := range p.askf("aos-send", e.mode, e.params.FrameLength, zone, word, bit(e.params.FECF), e.params.SCID, 5, 1, send) {
		if err := f.DecodeFromBytes(unhex(t, l[0]), gopacket.NilDecodeFeedback); err != nil {
			t.Fatal(err)
		}
		if f.SCID != e.params.SCID || f.VCID != 5 || int(f.VCFC) != n || !f.Replay || !bytes.Equal(f.InsertZone, insert) || f.OCF != ocf || f.Corrected != 0 {
			t.Errorf("frame %d: %+v", n, f)
		}
		switch e.mode {
		case "bitstream":
			u, err := aos.ParseBPDU(f.Payload)
			if err != nil || u.Bits != 8*len(u.Zone) {
				t.Errorf("%+v, %v", u, err)
			}
			got = append(got, bytes.Clone(u.Zone))
		case "data":
			got = append(got, bytes.Clone(f.Payload))
		default:
			if _, err := x.Frame(&f, func(packet []byte) { got = append(got, bytes.Clone(packet)) }); err != nil {
				t.Error(err)
			}
		}
	}
	sameAll(t, "ours", withoutFill(got), sdus)
}

// units are what a channel carries: packets, or as much as a frame holds.
func (e aosEnd) units(t *testing.T, rng *rand.Rand) (all [][]byte) {
	t.Helper()
	switch e.mode {
	case "packet":
		return spacePackets(t, rng, 40, 900)
	case "encapsulation":
		for range 40 { // of packets under 8 octets 1.0.6 loses track when their header spans frames
			p, err := encap.Append(nil, &encap.Packet{Protocol: encap.BP}, octets(rng, 8+rng.IntN(900)))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, p)
		}
		return all
	}
	size := e.params.DataLength()
	if e.mode == "bitstream" {
		size = e.params.ZoneLength()
	}
	for range 10 {
		all = append(all, octets(rng, size))
	}
	return all
}

// frames makes the frames of VC 5 that carry data units.
func (e aosEnd) frames(t *testing.T, b *aos.Builder, sdus [][]byte, ocf [4]byte) (all [][]byte) {
	t.Helper()
	for _, sdu := range sdus {
		var frame []byte
		var err error
		switch e.mode {
		case "bitstream":
			frame, _, err = b.Bits(nil, 5, ocf, sdu, 8*len(sdu))
		case "data":
			frame, err = b.Access(nil, 5, ocf, sdu)
		default:
			if err = b.Append(5, sdu); err == nil {
				for more := true; more; {
					if frame, more = b.Next(nil, 5, ocf, false); more {
						all = append(all, frame)
					}
				}
				continue
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, frame)
	}
	if last, ok := b.Next(nil, 5, ocf, true); ok {
		all = append(all, last)
	}
	return all
}
