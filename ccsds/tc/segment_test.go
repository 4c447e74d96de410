package tc_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/tc"
)

// packet makes a space packet of n octets.
func packet(fill byte, n int) []byte {
	b := bytes.Repeat([]byte{fill}, n)
	copy(b, []byte{0x18, 1, 0xC0, 0})
	binary.BigEndian.PutUint16(b[4:], uint16(n-7))
	return b
}

// Packets of any size on several access points, their segments mixed, come out whole.
func TestSegments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room := rapid.IntRange(2, 300).Draw(t, "room")
		want := map[ccsds.MAPID][][]byte{}
		queues := map[ccsds.MAPID][][]byte{}
		for m := range ccsds.MAPID(4) {
			for _, n := range rapid.SliceOfN(rapid.IntRange(7, 900), 0, 5).Draw(t, "packets") {
				p := packet(byte(n), n)
				want[m] = append(want[m], p)
				segments, err := tc.Segment(m, p, room)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range segments {
					if len(s) > room {
						t.Fatalf("segment of %d octets, room is %d", len(s), room)
					}
				}
				queues[m] = append(queues[m], segments...)
			}
		}
		r := tc.NewReassembler(0)
		got := map[ccsds.MAPID][][]byte{}
		for len(queues) > 0 {
			m := ccsds.MAPID(rapid.IntRange(0, 3).Draw(t, "map"))
			if len(queues[m]) == 0 {
				delete(queues, m)
				continue
			}
			err := r.Push(queues[m][0], func(m ccsds.MAPID, p []byte) { got[m] = append(got[m], bytes.Clone(p)) })
			if err != nil {
				t.Fatal(err)
			}
			queues[m] = queues[m][1:]
		}
		for m := range want {
			if !slices.EqualFunc(got[m], want[m], bytes.Equal) {
				t.Fatalf("map %d: %d packets, want %d", m, len(got[m]), len(want[m]))
			}
		}
	})
}

func TestSegmentHeader(t *testing.T) {
	for b := range 256 {
		m, f := tc.ParseSegmentHeader(byte(b))
		if got := tc.SegmentHeader(m, f); got != byte(b) {
			t.Errorf("%02x becomes %02x", b, got)
		}
	}
	if got := tc.SegmentHeader(5, tc.Unsegmented); got != 0xC5 {
		t.Errorf("unsegmented on map 5 is %02x, want c5", got)
	}
}

func TestSegmentErrors(t *testing.T) {
	for _, c := range []struct {
		m   ccsds.MAPID
		p   []byte
		max int
	}{{64, packet(0, 7), 10}, {0, packet(0, 7), 1}, {0, nil, 10}} {
		if _, err := tc.Segment(c.m, c.p, c.max); err == nil {
			t.Errorf("map %d, %d octets, room %d: segmented", c.m, len(c.p), c.max)
		}
	}
}

// Segments out of place are refused, and the next whole packet comes through.
func TestReassemblerRefuses(t *testing.T) {
	const first, more, last, whole = 0x40, 0x00, 0x80, 0xC0
	p := packet(9, 40)
	seg := func(h byte, b []byte) []byte { return append([]byte{h}, b...) }
	for name, c := range map[string]struct {
		segments [][]byte
		packets  int
		errors   int
	}{
		"empty":                     {[][]byte{{}, {whole}}, 0, 2},
		"continues nothing":         {[][]byte{seg(more, p), seg(last, p)}, 0, 2},
		"never ends":                {[][]byte{seg(first, p[:10]), seg(first, p[:20]), seg(last, p[20:])}, 1, 1},
		"unsegmented in between":    {[][]byte{seg(first, p[:10]), seg(whole, p), seg(last, p[10:])}, 1, 2},
		"middle is missing":         {[][]byte{seg(first, p[:10]), seg(last, p[20:])}, 0, 1},
		"too much":                  {[][]byte{seg(first, p), seg(last, p)}, 0, 1},
		"over the limit":            {[][]byte{seg(first, p), seg(more, p), seg(more, p), seg(last, p)}, 0, 2},
		"over the limit at once":    {[][]byte{seg(first, packet(0, 101))}, 0, 1},
		"whole over the limit":      {[][]byte{seg(whole, packet(0, 101))}, 0, 1},
		"two in one":                {[][]byte{seg(whole, append(packet(1, 20), packet(2, 30)...))}, 2, 0},
		"two in one, second is cut": {[][]byte{seg(whole, append(packet(1, 20), packet(2, 30)[:29]...))}, 1, 1},
		"fill behind the packet":    {[][]byte{seg(whole, append(packet(1, 20), 0x55))}, 1, 1},
	} {
		r := tc.NewReassembler(100)
		packets, errs := 0, 0
		for _, s := range c.segments {
			if err := r.Push(s, func(ccsds.MAPID, []byte) { packets++ }); err != nil {
				errs++
				if !errors.Is(err, tc.ErrSegment) {
					t.Errorf("%s: %v does not wrap ErrSegment", name, err)
				}
			}
		}
		if packets != c.packets || errs != c.errors {
			t.Errorf("%s: %d packets and %d errors, want %d and %d", name, packets, errs, c.packets, c.errors)
		}
		r.Reset()
		packets = 0
		if err := r.Push(seg(whole, p), func(ccsds.MAPID, []byte) { packets++ }); err != nil || packets != 1 {
			t.Errorf("%s: afterwards %d packets, %v", name, packets, err)
		}
	}
}

func TestReassemblerOpenLimit(t *testing.T) {
	r := tc.NewReassembler(0)
	for m := range byte(64) {
		err := r.Push([]byte{0x40 | m, 1, 2, 3}, func(ccsds.MAPID, []byte) {})
		if open := m < tc.DefaultMaxMAPs; open != (err == nil) {
			t.Errorf("map %d: %v", m, err)
		}
	}
	// Packets that never end do not hold the others up.
	p, got := packet(3, 30), 0
	for _, s := range [][]byte{append([]byte{0x40 | 40}, p[:10]...), append([]byte{0x80 | 40}, p[10:]...)} {
		_ = r.Push(s, func(ccsds.MAPID, []byte) { got++ })
	}
	if got != 1 {
		t.Errorf("%d packets on access point 40", got)
	}
}

// Any segments: no panic, and only whole packets come out.
func FuzzReassembler(f *testing.F) {
	f.Add([]byte{3, 0xC0, 1, 2, 3, 0x40, 1, 2, 3, 0x80, 1, 2})
	f.Add(append([]byte{9}, append([]byte{0xC1}, packet(1, 8)...)...))
	f.Fuzz(func(t *testing.T, octets []byte) {
		r := tc.NewReassembler(64)
		for len(octets) > 1 {
			n := min(int(octets[0]), len(octets)-1)
			err := r.Push(octets[1:1+n], func(_ ccsds.MAPID, p []byte) {
				if l, err := ccsds.PacketLength(p); err != nil || l != len(p) || l > 64 {
					t.Fatalf("emitted %x", p)
				}
			})
			if err != nil && !errors.Is(err, tc.ErrSegment) {
				t.Fatal(err)
			}
			octets = octets[1+n:]
		}
	})
}
