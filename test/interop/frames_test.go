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

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/encap"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/tc"
	"github.com/perilune/perilune/ccsds/tm"
)

// framesPeer runs eu.dariolucia.ccsds, which makes and reads frames, packets and codes in Java.
func framesPeer(t *testing.T) *peer {
	t.Helper()
	path, err := jars("frames")
	if err != nil {
		t.Fatalf("fetch eu.dariolucia.ccsds: %v", err)
	}
	return startProgram(t, "java", "-cp", path, "peers/Frames.java")
}

// askf is ask with words that are printed.
func (p *peer) askf(words ...any) [][]string {
	p.t.Helper()
	lines := p.ask(strings.Fields(fmt.Sprintln(words...))...)
	for _, l := range lines {
		if l[0] == "error" {
			p.t.Fatalf("%v: %v", words[0], l)
		}
	}
	return lines
}

// spacePackets are n packets of up to longest octets of data.
func spacePackets(t *testing.T, rng *rand.Rand, n, longest int) (all [][]byte) {
	t.Helper()
	for i := range n {
		p, err := spp.Append(nil, &spp.Packet{APID: ccsds.APID(rng.IntN(2047)), SeqFlags: spp.Unsegmented, SeqCount: uint16(i)}, octets(rng, 1+rng.IntN(longest)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// hexes are octets in hexadecimal, each a word.
func hexes(all [][]byte) string {
	words := make([]string, len(all))
	for i, b := range all {
		words[i] = hex.EncodeToString(b)
	}
	return strings.Join(words, " ")
}

// taken splits an answer into its rows of frames and the data units between them.
func taken(t *testing.T, lines [][]string) (frames [][]string, sdus [][]byte) {
	t.Helper()
	for _, l := range lines {
		if l[0] == "frame" {
			frames = append(frames, l[1:])
		} else {
			sdus = append(sdus, unhex(t, l[1]))
		}
	}
	return frames, sdus
}

// withoutFill are the packets that are not idle ones: whoever fills frames up sends those.
func withoutFill(all [][]byte) [][]byte {
	return slices.DeleteFunc(all, func(p []byte) bool { return p[0]&0xE7 == 7 && p[1] == 0xFF || p[0]>>2 == 0b111000 })
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sameAll(t *testing.T, what string, got, want [][]byte) {
	t.Helper()
	if !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("%s: %d data units, want %d:\ngot  %x\nwant %x", what, len(got), len(want), got, want)
	}
}

// TestEncapsulation makes encapsulation packets with each header at each end and takes them apart
// at the other.
func TestEncapsulation(t *testing.T) {
	p := framesPeer(t)
	rng := rand.New(rand.NewPCG(133, 1))
	for i := range 200 {
		e := encap.Packet{Protocol: encap.Protocol([]int{1, 2, 3, 4, 6, 7}[rng.IntN(6)]), HeaderLength: 2 << (i % 3)}
		data, defined := octets(rng, 1+rng.IntN(200)), "-"
		if e.HeaderLength >= 4 {
			e.UserDefined = uint8(rng.IntN(16))
			if e.Protocol == encap.Extended {
				e.Extension = uint8(rng.IntN(16))
			}
		}
		if e.HeaderLength == 2 && e.Protocol == encap.Extended {
			e.Protocol = encap.Mission // the extension needs a longer header
		}
		if e.HeaderLength == 8 {
			e.CCSDSDefined = uint16(rng.Uint32())
			defined = fmt.Sprintf("%04x", e.CCSDSDefined)
		}
		raw, err := encap.Append(nil, &e, data)
		if err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		p.same(t, []any{hex.EncodeToString(raw)}, "encap-make", uint8(e.Protocol), 1+i%3, e.UserDefined, e.Extension, defined, hex.EncodeToString(data))
		p.same(t, []any{e.HeaderLength, uint8(e.Protocol), e.UserDefined, e.Extension, defined, hex.EncodeToString(data)}, "encap-take", hex.EncodeToString(raw))
	}
	for _, n := range []int{1, 2, 100, 255, 256, 65535} {
		idle := encap.AppendIdle(nil, n)
		got := p.askf("encap-take", hex.EncodeToString(idle))[0]
		if got[1] != "0" || fmt.Sprint(len(idle)) != fmt.Sprint(n) {
			t.Errorf("idle packet of %d octets: %v, %d octets", n, got[:2], len(idle))
		}
	}
}

// TestTMFrames flies packets that span frames and share them both ways.
func TestTMFrames(t *testing.T) {
	p := framesPeer(t)
	for i, params := range []tm.Params{{SCID: 42, FrameLength: 1115, OCF: true, FECF: true}, {SCID: 1023, FrameLength: 200, FECF: true}, {SCID: 0, FrameLength: 64, OCF: true}} {
		packets, ocf, word := spacePackets(t, rand.New(rand.NewPCG(132, uint64(i))), 40, 600), [4]byte{}, "-"
		if params.OCF {
			ocf = [4]byte{1, 2, 3, byte(i)}
			word = hex.EncodeToString(ocf[:])
		}
		vc := ccsds.VCID(i)
		rows, sdus := taken(t, p.askf("tm-take", "packet", bit(params.FECF), vc, hexes(tmFrames(t, params, vc, ocf, packets))))
		for n, r := range rows {
			if want := []string{fmt.Sprint(params.SCID), fmt.Sprint(n % 256), fmt.Sprint(n % 256), "1", word}; !slices.Equal(r, want) {
				t.Errorf("frame %d: %v, want %v", n, r, want)
			}
		}
		sameAll(t, "theirs", withoutFill(sdus), packets)

		x, f := tm.NewExtractor(0), tm.Frame{Params: params}
		var got [][]byte
		for _, l := range p.askf("tm-send", "packet", params.FrameLength, word, bit(params.FECF), params.SCID, vc, 250, hexes(packets), hex.EncodeToString(idlePacket(t, params.FrameLength))) {
			if err := f.DecodeFromBytes(unhex(t, l[0]), gopacket.NilDecodeFeedback); err != nil {
				t.Fatal(err)
			}
			if f.SCID != params.SCID || f.VCID != vc || f.OCF != ocf {
				t.Errorf("%+v", f)
			}
			if lost := x.Frame(&f, func(packet []byte) { got = append(got, bytes.Clone(packet)) }); lost != 0 {
				t.Errorf("%d frames lost", lost)
			}
		}
		sameAll(t, "ours", withoutFill(got), packets)
	}
}

// tmFrames makes the frames of a channel that carry packets, the last one filled up.
func tmFrames(t *testing.T, params tm.Params, vc ccsds.VCID, ocf [4]byte, packets [][]byte) (all [][]byte) {
	t.Helper()
	b, err := tm.NewBuilder(params)
	if err != nil {
		t.Fatal(err)
	}
	for _, packet := range packets {
		if err := b.Append(vc, packet); err != nil {
			t.Fatal(err)
		}
		for more := true; more; {
			var frame []byte
			if frame, more = b.Next(nil, vc, ocf, false); more {
				all = append(all, frame)
			}
		}
	}
	last, _ := b.Next(nil, vc, ocf, true)
	return append(all, last)
}

// TestTMAccess flies data fields of the user's both ways.
func TestTMAccess(t *testing.T) {
	p := framesPeer(t)
	rng := rand.New(rand.NewPCG(132, 34))
	params := tm.Params{SCID: 77, FrameLength: 220, OCF: true, FECF: true}
	b, err := tm.NewBuilder(params)
	if err != nil {
		t.Fatal(err)
	}
	ocf := [4]byte{1, 2, 3, 4}
	var sdus, frames [][]byte
	for range 20 {
		sdu := octets(rng, params.DataLength())
		frame, err := b.Access(nil, 3, ocf, sdu)
		if err != nil {
			t.Fatal(err)
		}
		sdus, frames = append(sdus, sdu), append(frames, frame)
	}
	_, got := taken(t, p.askf("tm-take", "data", 1, 3, hexes(frames)))
	sameAll(t, "theirs", got, sdus)
	f := tm.Frame{Params: params}
	got = nil
	for _, l := range p.askf("tm-send", "data", params.FrameLength, hex.EncodeToString(ocf[:]), 1, params.SCID, 3, 0, hexes(sdus)) {
		if err := f.DecodeFromBytes(unhex(t, l[0]), gopacket.NilDecodeFeedback); err != nil {
			t.Fatal(err)
		}
		if f.VCID != 3 || f.OCF != ocf { // 1.0.6 leaves the synchronisation flag 0
			t.Errorf("%+v", f)
		}
		got = append(got, bytes.Clone(f.Payload))
	}
	sameAll(t, "ours", got, sdus)
}

// idlePacket is one that is longer than a frame, so that all before it is sent.
func idlePacket(t *testing.T, frame int) []byte {
	t.Helper()
	p, err := spp.Append(nil, &spp.Packet{APID: 2047, SeqFlags: spp.Unsegmented}, make([]byte, 2*frame))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTCFrames cuts packets into segments of all access points and joins them again both ways.
func TestTCFrames(t *testing.T) {
	p := framesPeer(t)
	rng := rand.New(rand.NewPCG(232, 0))
	flags := map[tc.SegFlags]string{tc.Continuation: "CONTINUE", tc.First: "FIRST", tc.Last: "LAST", tc.Unsegmented: "NO_SEGMENT"}
	for i, packet := range spacePackets(t, rng, 60, 5000) {
		params := tc.Params{SCID: ccsds.SCID(rng.IntN(1024)), FECF: i%3 != 0}
		vc, m, seq, bypass := ccsds.VCID(rng.IntN(64)), ccsds.MAPID(rng.IntN(64)), rng.IntN(250), i%4 == 0
		segments, err := tc.Segment(m, packet, params.MaxData())
		if err != nil {
			t.Fatal(err)
		}
		var frames [][]byte
		var want [][]string
		for n, s := range segments {
			f := tc.Frame{Params: params, SCID: params.SCID, VCID: vc, Bypass: bypass}
			if !bypass {
				f.Seq = uint8(seq + n)
			}
			frame, err := tc.Append(nil, &f, s)
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, frame)
			_, kind := tc.ParseSegmentHeader(s[0])
			want = append(want, strings.Fields(fmt.Sprintln(params.SCID, vc, bit(bypass), 0, f.Seq, m, flags[kind], 1, hex.EncodeToString(s[1:]))))
		}
		if got := p.askf("tc-take", 1, bit(params.FECF), hexes(frames)); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("they read\n%v, want\n%v", got, want)
		}
		r := tc.NewReassembler(0)
		var got [][]byte
		for n, l := range p.askf("tc-send", 1, bit(params.FECF), bit(!bypass), params.SCID, vc, m, seq, hex.EncodeToString(packet)) {
			f := tc.Frame{Params: params}
			if err := f.DecodeFromBytes(unhex(t, l[0]), gopacket.NilDecodeFeedback); err != nil {
				t.Fatal(err)
			}
			if f.VCID != vc || f.Bypass != bypass || !bypass && int(f.Seq) != seq+n {
				t.Errorf("frame %d: %+v", n, f)
			}
			if err := r.Push(f.Payload, func(at ccsds.MAPID, whole []byte) {
				if at == m {
					got = append(got, bytes.Clone(whole))
				}
			}); err != nil {
				t.Error(err)
			}
		}
		sameAll(t, "ours", got, [][]byte{packet})
	}
}
